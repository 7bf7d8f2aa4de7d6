/**
 * What a tree that does not come from this machine gets before it is a guest's root: the files that
 * a container's runtime would add, and what the user adds.
 *
 * Neighbours: `../package/baseline.ts` does this for programs of the host.
 */
import { readFileSync } from "node:fs";
import { contentSizeBytes, emptyDirectory, type FsTree, neutralAttributes } from "../image/tree.ts";
import { addAddition, parseAddition } from "../package/arguments.ts";
import { baselineDirectories, baselineFiles, withOwnName } from "../package/baseline.ts";
import { GuestFiles } from "../package/guest-files.ts";
import { resolveInTree } from "../package/tree-path.ts";
import type { SourceOptions } from "./source.ts";
import { readNode } from "./tree-launch.ts";

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
    const text = neededText(tree, path, fallback);
    if (text === undefined) continue;
    tree.set(path, {
      kind: "file",
      attributes: neutralAttributes(0o644),
      content: { from: "bytes", bytes: Buffer.from(text) },
    });
  }
  return files.warnings;
}

/**
 * What a file of the baseline must hold; undefined if the tree's own may stay. A container's runtime
 * writes /etc/hosts and /etc/resolv.conf, so that images have them empty or not at all.
 */
function neededText(tree: FsTree, path: string, fallback: string): string | undefined {
  const node = resolveInTree(tree, path);
  const isBlank = node?.kind !== "file" || contentSizeBytes(node.content) === 0;
  if (path === "/etc/resolv.conf") return isBlank ? nameServers() : undefined;
  if (path !== "/etc/hosts") return node === undefined ? fallback : undefined;
  const hosts = isBlank ? fallback : readNode(node).toString("utf8");
  const text = withOwnName(hosts);
  return isBlank || text !== hosts ? text : undefined;
}

/** The host's name servers; the guest reaches them as the host does. */
function nameServers(): string {
  try {
    return readFileSync("/etc/resolv.conf", "utf8");
  } catch {
    return "";
  }
}
