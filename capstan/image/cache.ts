/**
 * A directory of images that are named after what went into them.
 *
 *     $CAPSTAN_ROOT/cache/images/
 *         <sha-256 of all inputs>.erofs           finished images
 *         <key>.<host>.<process id>.tmp           images that are being written
 *
 * The key covers every path, kind, attribute and, for files of the host, size, inode, modification
 * and change time; so an image is used again exactly as long as nothing has changed. An image gets
 * its final name by rename(2) when it is complete. A temporary file whose process is gone is removed
 * by the next command.
 *
 * Neighbours: `build.ts` is the user; `tree.ts` is what the key is computed from.
 */
import { createHash } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { systemErrorCode, UserError } from "../errors.ts";
import { ErofsFormatError } from "./erofs/decode.ts";
import { ErofsImage } from "./erofs/reader.ts";
import type { Attributes, FileContent, FsNode, FsTree } from "./tree.ts";

/** Part of every key: raise it when the writer's output changes. */
const FORMAT_VERSION = 1;

/** Images that were used within this time are never evicted: a VM may be about to open one. */
const PROTECTED_MS = 60 * 60 * 1000;

/** The directory of cached images: below `$CAPSTAN_ROOT`, or `~/.capstan`. */
export function imageCacheDirectory(env: NodeJS.ProcessEnv): string {
  const root = env.CAPSTAN_ROOT;
  const home = root === undefined || root === "" ? join(homedir(), ".capstan") : root;
  return join(home, "cache", "images");
}

/** Collects text for a hash: many small updates would take most of the time. */
class TextHash {
  readonly #hash = createHash("sha256");
  #text = "";

  add(text: string): void {
    this.#text += text;
    if (this.#text.length > 65_536) this.#flush();
  }

  addBytes(bytes: Uint8Array): void {
    this.add(`${bytes.length}\0`);
    this.#flush();
    this.#hash.update(bytes);
  }

  digest(): string {
    this.#flush();
    return this.#hash.digest("hex");
  }

  #flush(): void {
    this.#hash.update(this.#text);
    this.#text = "";
  }
}

function addAttributes(hash: TextHash, attributes: Attributes): void {
  const { mode, uid, gid, mtimeNs, xattrs } = attributes;
  hash.add(`${mode} ${uid} ${gid} ${mtimeNs} ${xattrs?.size ?? 0}\0`);
  for (const [name, value] of xattrs ?? []) {
    hash.add(`${name}\0`);
    hash.addBytes(value);
  }
}

function addContent(hash: TextHash, content: FileContent): void {
  if (content.from === "host") {
    hash.add(`host ${content.path}\0${content.sizeBytes} ${content.identity}\0`);
    return;
  }
  if (content.from === "slice") {
    hash.add(`slice ${content.identity}\0${content.sizeBytes}\0`);
    return;
  }
  hash.add("bytes ");
  hash.addBytes(content.bytes);
}

/**
 * The key of an image: a hash over the tree and the options that its bytes depend on. Every string
 * ends with a zero or has its length in front, so that different trees give different input.
 */
export function imageKey(tree: FsTree, options: Readonly<Record<string, unknown>>): string {
  const hash = new TextHash();
  hash.add(`${FORMAT_VERSION}\0${JSON.stringify(options)}\0`);
  const seen = new Map<FsNode, number>();
  const visit = (name: string, node: FsNode): void => {
    const known = seen.get(node);
    if (known !== undefined) {
      hash.add(`${name}\0link ${known}\0`);
      return;
    }
    seen.set(node, seen.size);
    hash.add(`${name}\0${node.kind}\0`);
    addAttributes(hash, node.attributes);
    if (node.kind === "directory") {
      hash.add(`${node.children.size} ${node.listedSizeBytes ?? 0}\0`);
      for (const child of [...node.children.keys()].sort()) {
        const childNode = node.children.get(child);
        if (childNode !== undefined) visit(child, childNode);
      }
    } else if (node.kind === "file") {
      addContent(hash, node.content);
    } else if (node.kind === "symlink") {
      hash.add(`${node.target}\0`);
    } else {
      hash.add(`${node.major} ${node.minor}\0`);
    }
  };
  visit("", tree.root);
  return hash.digest();
}

/** Whether a process of this machine exists; also true for one that belongs to somebody else. */
function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
}

export class ImageCache {
  readonly #directory: string;

  /** Uses a directory, which is created. Throws a UserError if that is impossible. */
  constructor(directory: string) {
    this.#directory = directory;
    try {
      mkdirSync(directory, { recursive: true });
    } catch (error) {
      throw new UserError({
        code: "CacheUnusable",
        what: `cannot keep images in ${directory}`,
        why: error instanceof Error ? error.message : String(error),
        fix: "make the directory writable for you, or set CAPSTAN_ROOT to another one",
        cause: error,
      });
    }
  }

  /** Where the finished image with this key lies, if there is one. */
  pathOf(key: string): string {
    return join(this.#directory, `${key}.erofs`);
  }

  /** A name for writing an image that no other process uses. */
  temporaryPathOf(key: string): string {
    return join(this.#directory, `${key}.${hostname()}.${process.pid}.tmp`);
  }

  /**
   * The size of a finished image, or undefined if there is none. One that is damaged or shorter than
   * it should be is removed.
   */
  find(key: string): number | undefined {
    const path = this.pathOf(key);
    try {
      // Opening verifies the superblock's checksum and the file's length.
      new ErofsImage(path).close();
      const now = new Date();
      utimesSync(path, now, now);
      return statSync(path).size;
    } catch (error) {
      if (error instanceof ErofsFormatError) rmSync(path, { force: true });
      return undefined;
    }
  }

  /** Gives a completely written temporary image its final name. */
  publish(key: string): void {
    renameSync(this.temporaryPathOf(key), this.pathOf(key));
  }

  /** Removes this process's temporary image, if there is one. */
  discard(key: string): void {
    rmSync(this.temporaryPathOf(key), { force: true });
  }

  /**
   * Removes temporary images of processes that are gone, and the images that were not used for the
   * longest time while all together exceed `limitBytes`.
   */
  tidy(limitBytes: number): void {
    const images: { path: string; sizeBytes: number; usedMs: number }[] = [];
    for (const name of readdirSync(this.#directory)) {
      const path = join(this.#directory, name);
      const [, host, processId] = /^[0-9a-f]+\.(.+)\.(\d+)\.tmp$/.exec(name) ?? [];
      if (host !== undefined) {
        if (host === hostname() && !isAlive(Number(processId))) rmSync(path, { force: true });
        continue;
      }
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats === undefined || !name.endsWith(".erofs")) continue;
      // A sparse image counts with what it takes on the disk.
      images.push({ path, sizeBytes: stats.blocks * 512, usedMs: stats.mtimeMs });
    }
    let sum = images.reduce((total, image) => total + image.sizeBytes, 0);
    images.sort((a, b) => a.usedMs - b.usedMs);
    for (const { path, sizeBytes, usedMs } of images) {
      if (sum <= limitBytes || Date.now() - usedMs < PROTECTED_MS) break;
      try {
        unlinkSync(path);
      } catch (error) {
        // Another process was faster.
        if (systemErrorCode(error) !== "ENOENT") throw error;
      }
      sum -= sizeBytes;
    }
  }
}
