/**
 * The files of an image's tree as the search for libraries wants them, and where ELF files of a tree
 * lie on the host. Neighbours: `../package/object-files.ts` is the same for this machine;
 * `searched-files.ts` is the user.
 */
import type { FileNode, FsTree } from "../image/tree.ts";
import { readElf } from "../package/elf.ts";
import { ElfError } from "../package/elf-error.ts";
import type { ElfPlace } from "../package/elf-header.ts";
import type { ObjectFiles } from "../package/object-files.ts";
import { locateInTree } from "../package/tree-path.ts";
import { readNode } from "../source/tree-launch.ts";

/** Where the contents of a file lie; undefined for those that are on no disk. */
export function placeOf({ content }: FileNode): ElfPlace | undefined {
  return content.from === "bytes" ? undefined : content;
}

/** Whether a file starts like an ELF file. One that cannot be read is reported when it is written. */
export function isElfNode(node: FileNode): boolean {
  try {
    return readNode(node, 4).toString("latin1") === "\x7fELF";
  } catch {
    return false;
  }
}

/** The file that a path leads to. */
export function fileInTree(
  tree: FsTree,
  path: string,
): { readonly path: string; readonly node: FileNode } | undefined {
  const found = locateInTree(tree, path);
  if (found?.node.kind !== "file") return undefined;
  return { path: found.path, node: found.node };
}

/** The files of a tree. */
export function treeObjects(tree: FsTree): ObjectFiles {
  return {
    isFile: (path) => fileInTree(tree, path) !== undefined,
    read(path) {
      const node = fileInTree(tree, path)?.node;
      return node === undefined ? undefined : readNode(node);
    },
    readElf(path) {
      const node = fileInTree(tree, path)?.node;
      const place = node === undefined ? undefined : placeOf(node);
      if (place === undefined) throw new ElfError(path, "NotElf", "it is not in the image");
      return readElf(path, place);
    },
    realPath: (path) => locateInTree(tree, path)?.path ?? path,
  };
}
