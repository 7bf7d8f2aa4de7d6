/**
 * A directory as a source: `capstan run .` for a project that is recognised by its files. All of the
 * directory goes into the image, under its own path, but for what `.capstanignore` names.
 *
 * Neighbours: `projects.ts` recognises; `../capstanfile/` and `../package/` are asked before.
 */
import { resolve } from "node:path";
import { isDirectory } from "../../package/recipes/recipe.ts";
import { programSource } from "../program.ts";
import type { SourceKind } from "../source.ts";
import { ignoreRules } from "./ignore.ts";
import { ProjectDirectory } from "./project.ts";
import { recogniseProject } from "./projects.ts";

/** Projects without a description of their own. */
export const directoryKind: SourceKind = {
  name: "directory",
  recognises: (text, { cwd }) => isDirectory(resolve(cwd, text)),
  async resolve(text, args, options) {
    const path = resolve(options.cwd, text);
    const project = await recogniseProject(new ProjectDirectory(path), options);
    const source = await programSource(project.program, [...project.args, ...args], options, {
      cwd: path,
      projects: [{ path, skip: ignoreRules(path) }],
      origin: { kind: "directory", name: path },
      ...(project.env === undefined ? {} : { env: project.env }),
    });
    return { ...source, warnings: [...(project.warnings ?? []), ...source.warnings] };
  },
};
