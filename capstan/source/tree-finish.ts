/**
 * What a tree that does not come from this machine gets before it is a guest's root: the files that
 * a container's runtime would add, and what the user adds.
 *
 * Neighbours: `../package/baseline.ts` does this for programs of the host.
 */
import { readFileSync } from "node:fs";
import { contentSizeBytes, emptyDirectory, type FsTree, neutralAttributes } from "../image/tree.ts";
import { addAddition, parseAddition } from "../package/arguments.ts";
import { baselineDirectories, baselineFiles } from "../package/baseline.ts";
import { GuestFiles } from "../package/guest-files.ts";
import { resolveInTree } from "../package/tree-path.ts";
import type { SourceOptions } from "./source.ts";

/** Written by the container's runtime, so that images have them empty or not at all. */
const RUNTIME_FILES = ["/etc/hosts", "/etc/resolv.conf"];

/**
 * Completes a tree.
 * @param add files of the user, `HOST` or `HOST:GUEST`
 * @returns warnings
 * @throws UserError when a file cannot be added
 */
export async function finishTree(
  tree: FsTree,
  { cwd, add, signal }: SourceOptions,
): Promise<readonly string[]> {
  const files = new GuestFiles(signal, undefined, tree);
  for (const text of add) await addAddition(files, parseAddition(text, cwd), () => {});
  for (const [path, mode] of baselineDirectories) {
    if (resolveInTree(tree, path) !== undefined) continue;
    files.addMissing(path, emptyDirectory(neutralAttributes(mode)));
  }
  for (const [path, fallback] of baselineFiles) {
    const node = resolveInTree(tree, path);
    const isBlank = node?.kind !== "file" || contentSizeBytes(node.content) === 0;
    const isNeeded = RUNTIME_FILES.includes(path) ? isBlank : node === undefined;
    if (!isNeeded) continue;
    const text = path === "/etc/resolv.conf" ? nameServers() : fallback;
    tree.set(path, {
      kind: "file",
      attributes: neutralAttributes(0o644),
      content: { from: "bytes", bytes: Buffer.from(text) },
    });
  }
  return files.warnings;
}

/** The host's name servers; the guest reaches them as the host does. */
function nameServers(): string {
  try {
    return readFileSync("/etc/resolv.conf", "utf8");
  } catch {
    return "";
  }
}
