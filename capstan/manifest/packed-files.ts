/**
 * What a manifest says about outputs that are more than a disk (OVA, zip, cloud and OCI archives,
 * folders for direct boot): the hashes of the files as they are. One cannot look inside those
 * without unpacking them, and they are the same byte for byte whenever they are built.
 *
 * Neighbours: `write-manifest.ts`, `../commands/image-verify.ts`.
 */
import { createHash } from "node:crypto";
import { createReadStream, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import * as z from "zod";

/** One file; `path` is relative to the output, empty for an output that is a file itself. */
export const packedFileSchema = z.strictObject({
  path: z.string(),
  sizeBytes: z.number(),
  sha256: z.string(),
});

export type PackedFile = z.infer<typeof packedFileSchema>;

/** The files of an output, by name. Throws Node's system errors and the signal's reason. */
export async function packedFiles(output: string, signal?: AbortSignal): Promise<PackedFile[]> {
  const paths = statSync(output).isDirectory()
    ? readdirSync(output, { recursive: true, encoding: "utf8" })
        .map((name) => join(output, name))
        .filter((path) => !statSync(path).isDirectory())
        .sort()
    : [output];
  const files: PackedFile[] = [];
  for (const path of paths) {
    const hash = createHash("sha256");
    let sizeBytes = 0;
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) {
      signal?.throwIfAborted();
      hash.update(piece);
      sizeBytes += piece.length;
    }
    files.push({ path: relative(output, path), sizeBytes, sha256: hash.digest("hex") });
  }
  return files;
}

/** How files differ from what a manifest says, one sentence each; empty if they do not. */
export function packedDifferences(
  wanted: readonly PackedFile[],
  found: readonly PackedFile[],
): string[] {
  const nameOf = ({ path }: PackedFile): string => (path === "" ? "the file" : path);
  const known = new Map(found.map((file) => [file.path, file]));
  const differences: string[] = [];
  for (const file of wanted) {
    const there = known.get(file.path);
    known.delete(file.path);
    if (there === undefined) differences.push(`${nameOf(file)} is missing`);
    else if (there.sha256 !== file.sha256) differences.push(`${nameOf(file)} has other contents`);
  }
  for (const file of known.values()) differences.push(`${nameOf(file)} was added`);
  return differences;
}
