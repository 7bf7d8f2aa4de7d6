/**
 * All kinds of projects, in the order in which they are tried: a file that describes a project
 * counts for more than one that it may also have.
 *
 * Neighbours: one file for each kind, `directory.ts` is the user.
 */
import { UserError } from "../../errors.ts";
import type { SourceOptions } from "../source.ts";
import { goProject } from "./go.ts";
import { javaProject } from "./java.ts";
import { nodeProject } from "./node.ts";
import { erlangProject, nativeProject, phpProject, rubyProject } from "./others.ts";
import type { Project, ProjectDirectory, ProjectKind } from "./project.ts";
import { pythonProject } from "./python.ts";

/** The first that recognises a directory gets it. */
export const projectKinds: readonly ProjectKind[] = [
  nodeProject,
  goProject,
  javaProject,
  pythonProject,
  rubyProject,
  phpProject,
  erlangProject,
  nativeProject,
];

/**
 * How the project in a directory is started.
 * @throws UserError when it cannot be told, or something is missing
 */
export async function recogniseProject(
  directory: ProjectDirectory,
  options: SourceOptions,
): Promise<Project & { readonly runtime: string }> {
  for (const kind of projectKinds) {
    const project = await kind.recognise(directory, options);
    if (project !== undefined) return { ...project, runtime: kind.name };
  }
  throw new UserError({
    code: "ProjectUnknown",
    what: `cannot tell how to run ${directory.path}`,
    why: `it has none of ${projectKinds.map(({ signs }) => signs).join(", ")}`,
    fix:
      "write a Capstanfile with a line like cmdline: ./program --option, " +
      "or name a program: capstan run -- PROGRAM",
  });
}
