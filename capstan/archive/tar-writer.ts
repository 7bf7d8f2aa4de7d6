/**
 * Writes a tree as a tar archive: a layer of an image, a package. The same tree gives the same
 * bytes: entries are sorted, and only what the tree says is written.
 *
 * Header blocks are encoded by a library; what does not fit into one goes into extended headers.
 * Neighbours: `pax.ts`, `tar-reader.ts` (reads it back).
 */
import { Header } from "tar/header";
import { COPY_CHUNK_BYTES, openContent } from "../image/erofs/content.ts";
import { contentSizeBytes, type FileContent, type FsNode, type FsTree } from "../image/tree.ts";
import { encodePax, xattrKey } from "./pax.ts";

const BLOCK_BYTES = 512;

/** Largest number in the octal fields for ids (7 digits) and sizes (11 digits). */
const MAX_ID = 0o7777777;
const MAX_SIZE = 0o77777777777;

/** Longest name in a header block; ustar's prefix field is not used. */
const MAX_NAME_BYTES = 100;

const types = {
  file: "File",
  directory: "Directory",
  symlink: "SymbolicLink",
  character: "CharacterDevice",
  block: "BlockDevice",
  fifo: "FIFO",
} as const;

/**
 * The archive of a tree, in pieces. Sockets are left out: archives cannot hold them.
 * @throws UserError when a file cannot be read or has changed
 */
export async function* writeTar(tree: FsTree, pause: () => Promise<void>): AsyncGenerator<Buffer> {
  const written = new Map<FsNode, string>();
  for (const [path, node] of sorted(tree)) {
    await pause();
    if (node.kind === "socket") continue;
    const name = node.kind === "directory" ? `${path}/` : path;
    const earlier = written.get(node);
    if (earlier !== undefined) {
      yield header(name, node, "Link", earlier, 0);
      continue;
    }
    if (node.kind !== "directory") written.set(node, name);
    const size = node.kind === "file" ? contentSizeBytes(node.content) : 0;
    const target = node.kind === "symlink" ? node.target : "";
    yield header(name, node, types[node.kind], target, size);
    if (node.kind === "file") yield* contents(node.content, pause);
  }
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

/** Paths without a leading slash, parents before children, in the order of names. */
function* sorted(tree: FsTree): Generator<[path: string, node: FsNode]> {
  const pending: [string, FsNode][] = [[".", tree.root]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    yield next;
    const [path, node] = next;
    if (node.kind !== "directory") continue;
    const prefix = path === "." ? "" : `${path}/`;
    for (const name of [...node.children.keys()].sort().reverse()) {
      const child = node.children.get(name);
      if (child !== undefined) pending.push([prefix + name, child]);
    }
  }
}

function header(
  path: string,
  node: FsNode,
  type: (typeof types)[keyof typeof types] | "Link",
  target: string,
  size: number,
): Buffer {
  const { mode, uid, gid, mtimeNs, xattrs } = node.attributes;
  const pax = new Map<string, Buffer>();
  const seconds = mtimeNs / 1_000_000_000n;
  const fraction = mtimeNs % 1_000_000_000n;
  if (mtimeNs < 0n || fraction !== 0n) pax.set("mtime", Buffer.from(decimal(mtimeNs)));
  if (!fits(path)) pax.set("path", Buffer.from(path));
  if (!fits(target)) pax.set("linkpath", Buffer.from(target));
  if (size > MAX_SIZE) pax.set("size", Buffer.from(String(size)));
  if (uid > MAX_ID) pax.set("uid", Buffer.from(String(uid)));
  if (gid > MAX_ID) pax.set("gid", Buffer.from(String(gid)));
  for (const [name, value] of xattrs ?? []) pax.set(xattrKey(name), Buffer.from(value));
  const isDevice = node.kind === "character" || node.kind === "block";
  const block = encodeBlock({
    path: shortened(path),
    linkpath: shortened(target),
    type,
    mode,
    uid: Math.min(uid, MAX_ID),
    gid: Math.min(gid, MAX_ID),
    size: Math.min(size, MAX_SIZE),
    mtime: new Date(Number(seconds < 0n ? 0n : seconds) * 1000),
    ...(isDevice ? { devmaj: node.major, devmin: node.minor } : {}),
  });
  if (pax.size === 0) return block;
  const records = encodePax(pax);
  const extended = encodeBlock({
    path: "PaxHeader",
    type: "ExtendedHeader",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: records.length,
    mtime: new Date(0),
  });
  return Buffer.concat([extended, records, padding(records.length), block]);
}

function encodeBlock(fields: ConstructorParameters<typeof Header>[0]): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  new Header(fields).encode(block);
  return block;
}

/** A header block holds short ASCII names; a longer one stands in the extended header. */
function fits(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && /^[\x20-\x7e]*$/.test(name);
}

function shortened(name: string): string {
  return fits(name) ? name : name.replace(/[^\x20-\x7e]/g, "_").slice(-MAX_NAME_BYTES);
}

/** Nanoseconds as seconds with nine decimals. */
function decimal(timeNs: bigint): string {
  const magnitude = timeNs < 0n ? -timeNs : timeNs;
  const fraction = String(magnitude % 1_000_000_000n).padStart(9, "0");
  return `${timeNs < 0n ? "-" : ""}${magnitude / 1_000_000_000n}.${fraction}`;
}

async function* contents(content: FileContent, pause: () => Promise<void>): AsyncGenerator<Buffer> {
  const size = contentSizeBytes(content);
  const reader = openContent(content);
  try {
    for (let at = 0; at < size; at += COPY_CHUNK_BYTES) {
      const piece = Buffer.allocUnsafe(Math.min(COPY_CHUNK_BYTES, size - at));
      reader.read(piece, at);
      yield piece;
      await pause();
    }
  } finally {
    reader.close();
  }
  yield padding(size);
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);
}
