/**
 * The files of a guest while they are being collected from the host.
 *
 * A host path keeps its name in the guest. All symbolic links on the way are taken along: with
 * /bin -> usr/bin on the host, adding /bin/ls puts the link /bin, the directory /usr/bin and the
 * file /usr/bin/ls into the image, and both names work there as here.
 *
 *     add("/bin/ls"):   /bin --symlink--> usr/bin        (added)
 *                       /usr, /usr/bin                   (added, as partial directories)
 *                       /usr/bin/ls                      (added)
 *
 * Neighbours: `host.ts` looks at single files, `copy-directory.ts` copies whole directories,
 * `tree-path.ts` follows paths within the guest; `collect.ts`, `arguments.ts` and `recipes/` decide
 * what to add.
 */
import { accessSync, constants } from "node:fs";
import { dirname, posix } from "node:path";
import { systemErrorCode, UserError } from "../errors.ts";
import { imageCacheDirectory } from "../image/cache.ts";
import { Pacer } from "../image/erofs/pacer.ts";
import {
  type DirectoryNode,
  type FileNode,
  type FsNode,
  FsTree,
  neutralAttributes,
  splitPath,
} from "../image/tree.ts";
import { type CopyOptions, type CopyResult, copyDirectory } from "./copy-directory.ts";
import { completeDirectory, hostNode, lookAt, partialDirectoryAttributes } from "./host.ts";
import { MAX_SYMLINKS, resolveInTree } from "./tree-path.ts";

/** Directories whose contents the guest's kernel makes; the host's are never copied. */
const KERNEL_DIRECTORIES = ["/proc", "/sys", "/dev"];

/** Whether a host path belongs to the kernel: below /proc, /sys or /dev. */
export function isKernelPath(path: string): boolean {
  return KERNEL_DIRECTORIES.some((root) => path === root || path.startsWith(`${root}/`));
}

/** Codes of the errors of `add` that say that a path cannot be followed. */
const LINK_ERRORS = new Set(["SymlinkLoop", "PathUnreadable"]);

export interface AddTreeOptions extends CopyOptions {
  /** Also add what symbolic links in the tree point to, if that lies outside of it. */
  readonly followLinks?: boolean;
}

/** Where an added path ended up. */
export interface AddedPath {
  /** The path without any symbolic link, in the guest and on the host. */
  readonly realPath: string;
  readonly node: FsNode;
}

export class GuestFiles {
  readonly tree: FsTree;
  /** Things the user may want to know. */
  readonly warnings: string[] = [];
  readonly #pacer: Pacer;
  /** Host files with several names, so that they have them in the guest, too. */
  readonly #hardLinks = new Map<string, FsNode>();
  /** Host directories that are in the tree as a whole. */
  readonly #completeTrees = new Set<string>();
  readonly #directories = new Map<string, DirectoryNode>();
  readonly #imageCache: string;

  /**
   * `imageCache` is the host directory with capstan's own images; it stays empty in the guest. A
   * tree that has files already keeps them.
   */
  constructor(signal?: AbortSignal, imageCache = imageCacheDirectory(process.env), tree?: FsTree) {
    this.tree = tree ?? new FsTree();
    this.#imageCache = imageCache;
    this.#pacer = new Pacer(signal);
    const stats = tree === undefined ? lookAt("/") : undefined;
    if (stats !== undefined) this.tree.root.attributes = partialDirectoryAttributes(stats);
    this.#directories.set("/", this.tree.root);
  }

  /**
   * Adds one host file under its own name, with all symbolic links on the way; a directory without
   * its contents. Returns undefined if there is no such file (a dangling link is kept).
   * Throws a UserError if the path cannot be followed.
   */
  add(path: string): AddedPath | undefined {
    const pending = splitPath(path).reverse();
    let at = "/";
    let links = 0;
    let node: FsNode = this.tree.root;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === "..") {
        at = dirname(at);
        node = this.#directories.get(at) ?? this.tree.root;
        continue;
      }
      const next = posix.join(at, name);
      const found = this.#directories.get(next) ?? this.#addOne(at, name);
      if (found === undefined) return undefined;
      if (found.kind === "symlink") {
        links += 1;
        if (links > MAX_SYMLINKS) throw this.#tooManyLinks(path);
        if (found.target.startsWith("/")) {
          at = "/";
          node = this.tree.root;
        }
        pending.push(...splitPath(found.target).reverse());
        continue;
      }
      if (found.kind !== "directory" && pending.length > 0) return undefined;
      at = next;
      node = found;
    }
    return { realPath: at, node };
  }

  /** Adds a file that is welcome but not asked for; throws Node's error if it is not readable. */
  addReadable(path: string): void {
    accessSync(path, constants.R_OK);
    this.add(path);
  }

  /** Adds each of these paths if it exists; see `add`. */
  addAll(paths: Iterable<string>): void {
    for (const path of paths) this.add(path);
  }

  /**
   * Adds a host file or a directory with all that is in it, under its own name. Unreadable files
   * are left out with a warning. Returns undefined if there is no such file.
   */
  async addTree(path: string, options: AddTreeOptions = {}): Promise<AddedPath | undefined> {
    const added = this.add(path);
    if (added === undefined || isKernelPath(added.realPath)) return added;
    if (added.node.kind !== "directory") {
      if (added.node.kind === "file") {
        options.limit?.count(added.node);
        options.onFile?.(added.realPath);
      }
      return added;
    }
    await this.#fill(added.realPath, added.node, options);
    return added;
  }

  /**
   * Copies a host file or directory to another place in the guest, whose parents are followed
   * through the symbolic links that the tree has; so is the place itself, and places below it, where
   * a directory would replace a link to one. What symbolic links point to is not added.
   */
  async copyTo(hostPath: string, guestPath: string, options: AddTreeOptions = {}): Promise<void> {
    const stats = lookAt(hostPath);
    if (stats === undefined) throw new RangeError(`${hostPath} does not exist`);
    const parent = this.#guestDirectory(dirname(posix.normalize(guestPath)));
    const name = posix.basename(guestPath);
    let node = this.#nodeFor(hostPath, stats);
    const known = name === "" ? parent : this.resolve(guestPath);
    if (node.kind === "directory" && known?.kind === "directory") {
      known.attributes = node.attributes;
      node = known;
    } else {
      if (name === "") throw new RangeError("the guest's root directory cannot be replaced");
      parent.children.set(name, node);
    }
    if (node.kind === "file") {
      options.limit?.count(node);
      options.onFile?.(hostPath);
    }
    if (node.kind === "directory") await this.#fillFrom(hostPath, node, options, guestPath);
  }

  /** Puts a made-up node at a guest path, unless something is there already. */
  addMissing(path: string, node: FsNode): void {
    const parent = this.#guestDirectory(posix.dirname(path));
    const name = posix.basename(path);
    if (!parent.children.has(name)) parent.children.set(name, node);
  }

  /** Puts a regular file made of text at a guest path, unless something is there already. */
  addText(path: string, text: string, mode = 0o644): void {
    const content = { from: "bytes", bytes: Buffer.from(text) } as const;
    this.addMissing(path, { kind: "file", attributes: neutralAttributes(mode), content });
  }

  /** The node that a guest path leads to, following symbolic links within the tree. */
  resolve(path: string): FsNode | undefined {
    return resolveInTree(this.tree, path);
  }

  /** Lets other work run now and then; throws when the user has stopped the command. */
  pause(): Promise<void> {
    return this.#pacer.pause();
  }

  #tooManyLinks(path: string): UserError {
    return new UserError({
      code: "SymlinkLoop",
      what: `cannot add ${path}`,
      why: `following it leads through more than ${MAX_SYMLINKS} symbolic links`,
      fix: "remove the symbolic link that points to itself",
    });
  }

  /** Adds a child of a directory that is in the tree; undefined if the host has none. */
  #addOne(parentPath: string, name: string): FsNode | undefined {
    const parent = this.#directories.get(parentPath);
    if (parent === undefined) return undefined;
    const path = posix.join(parentPath, name);
    const known = parent.children.get(name);
    if (known !== undefined && known.kind !== "directory") return known;
    const stats = this.#look(path);
    if (stats === undefined) return known;
    if (stats.isDirectory()) {
      const attributes = partialDirectoryAttributes(stats);
      const directory: DirectoryNode =
        known?.kind === "directory"
          ? known
          : { kind: "directory", attributes, children: new Map() };
      this.#directories.set(path, directory);
      parent.children.set(name, directory);
      return directory;
    }
    const node = this.#ask(path, () => this.#nodeFor(path, stats));
    if (node !== undefined) parent.children.set(name, node);
    return node;
  }

  #look(path: string): ReturnType<typeof lookAt> {
    return this.#ask(path, () => lookAt(path));
  }

  /** What the host answers about a path; undefined if there is nothing (any more). */
  #ask<T>(path: string, question: () => T): T | undefined {
    try {
      return question();
    } catch (error) {
      const code = systemErrorCode(error);
      // ENOTDIR: a file where a directory should be; not found, like ENOENT.
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw new UserError({
        code: "PathUnreadable",
        what: `cannot look at ${path}`,
        why: error instanceof Error ? error.message : String(error),
        fix: code === "EACCES" ? "ask for permission to enter its directory" : "check the path",
        cause: error,
      });
    }
  }

  #nodeFor(path: string, stats: NonNullable<ReturnType<typeof lookAt>>): FsNode {
    if (stats.isDirectory() || stats.nlink < 2n) return hostNode(path, stats);
    const key = `${stats.dev}:${stats.ino}`;
    let node = this.#hardLinks.get(key);
    if (node === undefined) {
      node = hostNode(path, stats);
      this.#hardLinks.set(key, node);
    }
    return node;
  }

  /** Fills a directory that stands at its own name, once. */
  async #fill(path: string, directory: DirectoryNode, options: AddTreeOptions): Promise<void> {
    const variant = `${path}\0${options.skip?.name ?? ""}`;
    if (this.#completeTrees.has(path) || this.#completeTrees.has(variant)) return;
    this.#completeTrees.add(options.skip === undefined ? path : variant);
    const stats = this.#look(path);
    if (stats !== undefined) completeDirectory(directory, stats);
    await this.#fillFrom(path, directory, options);
  }

  /** @param guestPath where `directory` stands in the guest */
  async #fillFrom(
    start: string,
    directory: DirectoryNode,
    options: AddTreeOptions,
    guestPath = start,
  ): Promise<void> {
    const isInPlace = this.#directories.get(start) === directory;
    const copied = await copyDirectory(start, directory, options, {
      nodeFor: (path, stats) => this.#nodeFor(path, stats),
      isWanted: (path) => !(isInPlace && isKernelPath(path)),
      directoryBehindLink: (path) => {
        const behind = this.resolve(posix.join(guestPath, posix.relative(start, path)));
        return behind?.kind === "directory" ? behind : undefined;
      },
      onDirectory: (path, node) => {
        if (isInPlace) this.#directories.set(path, node);
        // Images do not go into images: the one being written would never be complete.
        return path !== this.#imageCache;
      },
      pause: () => this.pause(),
    });
    this.#warnAbout(start, copied);
    if (options.followLinks !== true) return;
    for (const { path, target } of copied.links) {
      await this.#followLink(start, posix.resolve(dirname(path), target), options);
    }
  }

  /** Adds what a link points to, unless that is in the tree that is being added anyway. */
  async #followLink(start: string, target: string, options: AddTreeOptions): Promise<void> {
    if (target === start || target.startsWith(`${start}/`)) return;
    // A link to a directory that contains the link would add everything around it.
    if (target === "/" || start.startsWith(`${target}/`)) return;
    try {
      await this.addTree(target, options);
    } catch (error) {
      // Nobody asked for this file by its name: a link that leads nowhere may stay one.
      const isLost = error instanceof UserError && LINK_ERRORS.has(error.code);
      if (!isLost) throw error;
      this.warnings.push(`${error.what}: ${error.why}`);
    }
  }

  #warnAbout(start: string, { unreadable, vanished, undecodable }: CopyResult): void {
    this.#warnLeftOut("they are not readable for you", unreadable);
    this.#warnLeftOut("they were removed meanwhile", vanished);
    if (undecodable > 0) {
      this.warnings.push(`left out ${undecodable} names in ${start} that are not valid UTF-8`);
    }
  }

  #warnLeftOut(reason: string, paths: readonly string[]): void {
    if (paths.length === 0) return;
    const some = paths.slice(0, 3).join(", ");
    const more = paths.length > 3 ? ` and ${paths.length - 3} more` : "";
    this.warnings.push(`left out because ${reason}: ${some}${more}`);
  }

  /** The directory at a guest path, through the tree's symbolic links; created if missing. */
  #guestDirectory(path: string): DirectoryNode {
    let at = "/";
    for (const name of splitPath(path)) {
      const next = posix.join(at, name);
      if (this.resolve(next) === undefined) {
        const parent = this.resolve(at);
        if (parent?.kind === "directory" && !parent.children.has(name)) {
          parent.children.set(name, this.#directories.get(next) ?? newDirectory());
        }
      }
      at = next;
    }
    const node = this.resolve(at);
    if (node?.kind === "directory") return node;
    throw new UserError({
      code: "GuestPathBlocked",
      what: `cannot put anything into ${path} of the guest`,
      why: node === undefined ? "it is a dangling symbolic link" : `it is a ${node.kind}`,
      fix: "choose another path for --add",
    });
  }
}

function newDirectory(): DirectoryNode {
  return { kind: "directory", attributes: neutralAttributes(0o755), children: new Map() };
}

/** Type guard for callers of `resolve`. */
export function isFileNode(node: FsNode | undefined): node is FileNode {
  return node?.kind === "file";
}
