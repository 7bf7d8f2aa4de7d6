/**
 * The initial RAM disk of a Linux guest that runs a server: the very tree of files that our guest's
 * image is made of, `bench/programs/server-init.c` as /init, and the drivers of the network card.
 */
import { readFileSync } from "node:fs";
import { type FsNode, type FsTree, splitPath } from "../../capstan/image/tree.ts";
import { cpioArchive, type InitramfsEntry } from "./initramfs.ts";

const typeDirectory = 0o040000;
const typeRegular = 0o100000;
const typeSymlink = 0o120000;

/**
 * The archive.
 * @param init the program that prepares the guest, on the host
 * @param modules drivers in the order to load them in, on the host
 */
export function serverArchive(tree: FsTree, init: string, modules: readonly string[]): Buffer {
  const entries: InitramfsEntry[] = [];
  for (const [path, node] of tree.walk()) {
    const name = splitPath(path).join("/");
    const entry = name === "" ? undefined : entryOf(name, node);
    if (entry !== undefined) entries.push(entry);
  }
  const folders = ["dev", "proc", "sys", "tmp", "modules"];
  return cpioArchive([
    ...entries,
    ...folders.map((path) => ({ path, mode: typeDirectory | 0o755 })),
    { path: "dev/console", mode: 0o020600, device: [5, 1] },
    { path: "init", mode: typeRegular | 0o755, content: readFileSync(init) },
    ...modules.map((path, index) => {
      return { path: `modules/${index}`, mode: typeRegular | 0o644, content: readFileSync(path) };
    }),
  ]);
}

/** Devices are left out: Linux makes its own. */
function entryOf(path: string, node: FsNode): InitramfsEntry | undefined {
  const { mode } = node.attributes;
  switch (node.kind) {
    case "directory":
      return { path, mode: typeDirectory | mode };
    case "symlink":
      return { path, mode: typeSymlink | 0o777, content: Buffer.from(node.target) };
    case "file": {
      const { content } = node;
      if (content.from === "slice") throw new Error(`${path}: part of an archive`);
      const bytes = content.from === "host" ? readFileSync(content.path) : content.bytes;
      return { path, mode: typeRegular | mode, content: Buffer.from(bytes) };
    }
    default:
      return undefined;
  }
}
