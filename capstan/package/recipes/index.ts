/**
 * All runtime recipes, and the choice among them.
 *
 * Shells need no recipe: they are complete with their libraries.
 *
 * Neighbours: one file for each runtime; `../collect.ts` is the user.
 */
import { realpathSync } from "node:fs";
import { basename } from "node:path";
import { node } from "./node.ts";
import { java, lua, php, ruby } from "./others.ts";
import { perl } from "./perl.ts";
import { python } from "./python.ts";
import type { Recipe } from "./recipe.ts";

const recipes: readonly Recipe[] = [python, node, perl, ruby, php, lua, java];

/** The recipe for a program: by the name it is called with, or by that of the file behind it. */
export function recipeFor(programPath: string): Recipe | undefined {
  const names = [basename(realpathSync(programPath)), basename(programPath)];
  for (const name of names) {
    const recipe = recipes.find((candidate) => candidate.recognises(name));
    if (recipe !== undefined) return recipe;
  }
  return undefined;
}
