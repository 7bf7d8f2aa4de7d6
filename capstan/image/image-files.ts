/**
 * Walks over the files in an image as a program in the guest would: paths, symbolic links.
 * Neighbours: `erofs/reader.ts` reads inodes; the commands `image ls`, `cat`, `cp` and `verify`.
 */
import { UserError } from "../errors.ts";
import { ErofsFormatError } from "./erofs/decode.ts";
import type { ErofsImage, ImageInode } from "./erofs/reader.ts";
import { splitPath } from "./tree.ts";

/** As many symbolic links as Linux follows in one path (path_resolution(7)). */
const MOST_LINKS = 40;

/** A file in an image, with its path from the root. */
export interface ImageFile {
  readonly path: string;
  readonly inode: ImageInode;
}

function notFound(path: string, why: string): UserError {
  return new UserError({
    code: "NotInImage",
    what: `cannot find ${path} in the image`,
    why,
    fix: "list what is there: capstan image ls IMAGE",
  });
}

/** The entries of a directory without `.` and `..`, by name. */
export function childrenOf(image: ErofsImage, directory: ImageFile): ImageFile[] {
  const prefix = directory.path === "/" ? "/" : `${directory.path}/`;
  return image
    .entries(directory.inode)
    .filter(({ name }) => name !== "." && name !== "..")
    .map(({ name, nid }) => {
      if (name === "" || name.includes("/")) throw new ErofsFormatError(`a file called "${name}"`);
      return { path: prefix + name, inode: image.inode(nid) };
    });
}

/**
 * Follows a path from the root.
 * @param followsLast whether a symbolic link at the end is followed, too
 * @throws UserError `NotInImage`
 */
export function findInImage(image: ErofsImage, path: string, followsLast: boolean): ImageFile {
  const pending = splitPath(path);
  let parents: ImageFile[] = [];
  let current: ImageFile = { path: "/", inode: image.root() };
  let links = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (current.inode.kind !== "directory") {
      throw notFound(path, `${current.path} is a ${current.inode.kind}, not a directory`);
    }
    if (name === "..") {
      current = parents.pop() ?? current;
      continue;
    }
    const wanted = name;
    const entry = image.entries(current.inode).find((each) => each.name === wanted);
    if (entry === undefined) throw notFound(path, `${current.path} has no entry ${name}`);
    const inode = image.inode(entry.nid);
    if (inode.kind === "symlink" && (followsLast || pending.length > 0)) {
      links += 1;
      if (links > MOST_LINKS) throw notFound(path, "too many symbolic links, or a circle of them");
      const target = image.readLink(inode);
      pending.unshift(...splitPath(target));
      if (target.startsWith("/")) {
        parents = [];
        current = { path: "/", inode: image.root() };
      }
      continue;
    }
    parents.push(current);
    current = { path: `${current.path === "/" ? "" : current.path}/${name}`, inode };
  }
  return current;
}

/** A file and everything below it, parents first, siblings by name. */
export function* walkImage(image: ErofsImage, start: ImageFile): Generator<ImageFile> {
  const pending = [start];
  const ancestors = new Set<string>();
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    // A damaged image could lead in circles; a sound one has each path once.
    if (ancestors.has(file.path)) throw new ErofsFormatError(`${file.path} is there twice`);
    if (file.path.length > 16_384) throw new ErofsFormatError("directories lead in a circle");
    ancestors.add(file.path);
    yield file;
    if (file.inode.kind === "directory") pending.push(...childrenOf(image, file).reverse());
  }
}

/** How much of a file is read at once. */
const PIECE_BYTES = 1024 * 1024;

/** The contents of a file in pieces. */
export function* contentsOf(image: ErofsImage, inode: ImageInode): Generator<Buffer> {
  for (let at = 0; at < inode.sizeBytes; at += PIECE_BYTES) {
    yield image.read(inode, at, PIECE_BYTES);
  }
}
