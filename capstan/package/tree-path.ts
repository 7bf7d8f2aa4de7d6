/**
 * Follows paths within an image tree, through its symbolic links, as the guest will.
 *
 * Neighbours: `guest-files.ts` is the user.
 */
import { type DirectoryNode, type FsNode, type FsTree, splitPath } from "../image/tree.ts";

/** Linux's limit on symbolic links in one path, path_resolution(7). */
export const MAX_SYMLINKS = 40;

/** A node with its path, which has no symbolic links. */
export interface Located {
  readonly path: string;
  readonly node: FsNode;
}

/** The node that an absolute path leads to; see `locateInTree`. */
export function resolveInTree(tree: FsTree, path: string): FsNode | undefined {
  return locateInTree(tree, path)?.node;
}

/**
 * The node that an absolute path leads to, as realpath(3) names it; undefined if something on the
 * way does not exist, is not a directory, or there are too many symbolic links.
 */
export function locateInTree(tree: FsTree, path: string): Located | undefined {
  const pending = splitPath(path).reverse();
  const above: DirectoryNode[] = [];
  const names: string[] = [];
  let node: FsNode = tree.root;
  let links = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (node.kind !== "directory") return undefined;
    if (name === "..") {
      node = above.pop() ?? tree.root;
      names.pop();
      continue;
    }
    const child: FsNode | undefined = node.children.get(name);
    if (child === undefined) return undefined;
    if (child.kind === "symlink") {
      links += 1;
      if (links > MAX_SYMLINKS) return undefined;
      if (child.target.startsWith("/")) {
        above.length = 0;
        names.length = 0;
        node = tree.root;
      }
      pending.push(...splitPath(child.target).reverse());
      continue;
    }
    above.push(node);
    names.push(name);
    node = child;
  }
  return { path: `/${names.join("/")}`, node };
}
