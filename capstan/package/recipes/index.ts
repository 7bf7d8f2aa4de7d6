/**
 * All runtime recipes, and the choice among them.
 *
 * Shells need no recipe: they are complete with their libraries.
 *
 * Neighbours: one file for each runtime; `../collect.ts` is the user.
 */
import { realpathSync } from "node:fs";
import { basename } from "node:path";
import { erlang } from "./erlang.ts";
import { gcc } from "./gcc.ts";
import { java } from "./java.ts";
import { node } from "./node.ts";
import { lua, php, ruby } from "./others.ts";
import { perl } from "./perl.ts";
import { postgresql } from "./postgresql.ts";
import { python } from "./python.ts";
import type { Recipe } from "./recipe.ts";

const recipes: readonly Recipe[] = [
  python,
  node,
  perl,
  ruby,
  php,
  lua,
  java,
  erlang,
  gcc,
  postgresql,
];

/** A runtime's own program, with its recipe. */
export interface RecognisedRuntime {
  readonly interpreter: string;
  readonly recipe: Recipe;
}

/**
 * The runtime that a launch is about: what is executed, or, of the scripts that lead there, one that
 * a runtime starts by; that tells more than its shell.
 */
export function recogniseRuntime(
  executable: string,
  scripts: readonly string[],
): RecognisedRuntime | undefined {
  for (const interpreter of [executable, ...scripts]) {
    const recipe = recipeFor(interpreter);
    if (recipe === undefined) continue;
    if (interpreter === executable || recipe.startsByScript === true) {
      return { interpreter, recipe };
    }
  }
  return undefined;
}

/** The recipe for a program: by the name it is called with, or by that of the file behind it. */
export function recipeFor(programPath: string): Recipe | undefined {
  return recipeForNames([basename(realpathSync(programPath)), basename(programPath)]);
}

/** The recipe for a program that may be elsewhere than on this machine, by its names. */
export function recipeForNames(names: readonly string[]): Recipe | undefined {
  for (const name of names) {
    const recipe = recipes.find((candidate) => candidate.recognises(name));
    if (recipe !== undefined) return recipe;
  }
  return undefined;
}
