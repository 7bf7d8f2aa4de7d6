/**
 * Reads YAML files of users: the text as a value of a known shape, or an error that names file,
 * line and column. Neighbours: `../compose/file.ts`, `../commands/config*.ts`.
 */
import { readFileSync } from "node:fs";
import { type Document, isMap, isNode, isSeq, LineCounter, parseDocument } from "yaml";
import type * as z from "zod";
import { systemErrorCode, UserError } from "../errors.ts";

/** A file that was read, with what is needed to point at places in it. */
export interface YamlFile<T> {
  readonly value: T;
  /** An error at the value with this path of keys and indices. */
  readonly errorAt: (path: readonly PropertyKey[], why: string) => UserError;
}

/**
 * Reads a file.
 * @param what the kind of file, for messages: `a compose file`
 * @throws UserError `FileNotFound`, or `BadFile` with line and column
 */
export function readYamlFile<S extends z.ZodType>(
  path: string,
  what: string,
  schema: S,
): YamlFile<z.infer<S>> {
  try {
    return parseYaml(readFileSync(path, "utf8"), path, what, schema);
  } catch (error) {
    if (systemErrorCode(error) === undefined || error instanceof UserError) throw error;
    throw new UserError({
      code: "FileNotFound",
      what: `cannot read ${path}`,
      why: error instanceof Error ? error.message : String(error),
      fix: "check the path",
      cause: error,
    });
  }
}

/** The same for text that was already read. */
export function parseYaml<S extends z.ZodType>(
  text: string,
  path: string,
  what: string,
  schema: S,
): YamlFile<z.infer<S>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const fail = (offset: number, why: string): UserError => {
    const { line, col } = lines.linePos(offset);
    return new UserError({
      code: "BadFile",
      what: `${path}:${line}:${col}: this is not ${what}`,
      why,
      fix: `change line ${line} of ${path}`,
    });
  };
  const errorAt = (keys: readonly PropertyKey[], why: string): UserError =>
    fail(offsetOf(document, keys), why);
  const [syntax] = document.errors;
  if (syntax !== undefined) throw fail(syntax.pos[0], syntax.message);
  const result = schema.safeParse(document.toJS() ?? {});
  if (result.success) return { value: result.data, errorAt };
  throw explain(result.error, errorAt);
}

/** The first problem that zod found, where it stands and in words. */
function explain(
  { issues }: { readonly issues: readonly z.core.$ZodIssue[] },
  errorAt: (path: readonly PropertyKey[], why: string) => UserError,
  before: readonly PropertyKey[] = [],
): UserError {
  const [issue] = issues;
  if (issue === undefined) return errorAt(before, "unknown");
  const path = [...before, ...issue.path];
  const name = path.length === 0 ? "the file" : path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const [key = ""] = issue.keys;
    return errorAt([...path, key], `${name} has no setting ${key}`);
  }
  if (issue.code === "invalid_union") {
    // The alternative that was meant is the one whose kind of value this is.
    const isOtherKind = ([first]: readonly z.core.$ZodIssue[]): boolean =>
      first?.code === "invalid_type" && first.path.length === 0;
    const meant = issue.errors.find((each) => !isOtherKind(each));
    if (meant !== undefined) return explain({ issues: meant }, errorAt, path);
    const kinds = issue.errors.map(([first]) => first?.message ?? "").join(", or ");
    return errorAt(path, `${name}: ${kinds}`);
  }
  return errorAt(path, `${name}: ${issue.message}`);
}

/** Where a path leads: to a key of a map or an item of a list; as far as the path exists. */
function offsetOf(document: Document.Parsed, keys: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const key of keys) {
    const pair = isMap(node) ? node.items.find((each) => String(each.key) === String(key)) : null;
    const item = isSeq(node) ? node.items[Number(key)] : pair?.value;
    offset = startOf(pair?.key ?? item) ?? offset;
    node = item;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
