/**
 * From what a user named to files and a launch: a program of this machine, or a source of some kind.
 *
 *     -- PROGRAM ARGS      a program of this machine, found in PATH
 *     TEXT ARGS            a source; `kinds.ts` says of which kind
 *
 * Neighbours: `kinds.ts` is loaded when it is needed, because it brings much along; `source.ts` has
 * the types.
 */
import { programSource } from "./program.ts";
import type { ResolvedSource, SourceOptions, SourceRequest } from "./source.ts";

/**
 * Understands the words of a command line.
 * @param words positional arguments
 * @param afterDashes whether they stand after `--`
 */
export function sourceRequest(words: readonly string[], afterDashes: boolean): SourceRequest {
  const [first = "", ...args] = words;
  return afterDashes
    ? { kind: "program", program: first, args }
    : { kind: "source", text: first === "" ? "." : first, args };
}

/**
 * Resolves a source: its files, and how its program is started.
 * @throws UserError when the source is not there or cannot be understood
 */
export async function resolveSource(
  request: SourceRequest,
  options: SourceOptions,
): Promise<ResolvedSource> {
  if (request.kind === "program") return programSource(request.program, request.args, options);
  const { resolveText } = await import("./kinds.ts");
  return resolveText(request.text, request.args, options);
}
