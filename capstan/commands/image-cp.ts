/** `capstan image cp IMAGE PATH TARGET`: copies files and directories out of an image. */
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { withFilesOf } from "../disk/look-inside.ts";
import { systemErrorCode, UserError } from "../errors.ts";
import type { ErofsImage, ImageInode } from "../image/erofs/reader.ts";
import { contentsOf, findInImage, type ImageFile, walkImage } from "../image/image-files.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const imageCpCommand: CommandDefinition = {
  name: "image cp",
  summary: "copy files out of an image",
  parameters: "<image> <path> <target>",
  options: [],
  notes: `Directories are copied with everything in them; modes and times are kept, owners are not.
When TARGET is a directory, the copy is made in it. Device files are left out.`,
  examples: ["capstan image cp app.qcow2 /etc/ssl ./ssl"],
  completes: "file",
  run: copy,
};

/** What was copied. */
interface Copied {
  files: number;
  bytes: number;
  readonly skipped: string[];
}

async function copy({ args, options }: CommandInput): Promise<number> {
  const [image = "", path = "", wanted = ""] = args;
  return withFilesOf(image, (root) => {
    const start = findInImage(root, path, true);
    const isInto = statSync(wanted, { throwIfNoEntry: false })?.isDirectory() === true;
    const target = isInto ? join(wanted, basename(start.path)) : wanted;
    const copied: Copied = { files: 0, bytes: 0, skipped: [] };
    copying(target, () => copyTree(root, start, target, copied));
    if (options.json === true) process.stdout.write(`${JSON.stringify({ target, ...copied })}\n`);
    for (const skipped of copied.skipped) {
      process.stderr.write(`capstan: note: ${skipped} is a device and was not copied\n`);
    }
    return 0;
  });
}

function copying(target: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (systemErrorCode(error) === undefined || error instanceof UserError) throw error;
    throw new UserError({
      code: "TargetUnwritable",
      what: `cannot copy to ${target}`,
      why: error instanceof Error ? error.message : String(error),
      fix: "choose a target that does not exist yet, in a directory that you may write to",
      cause: error,
    });
  }
}

function copyTree(image: ErofsImage, start: ImageFile, target: string, copied: Copied): void {
  const directories: [string, ImageInode][] = [];
  for (const { path, inode } of walkImage(image, start)) {
    const to = join(target, path.slice(start.path.length));
    if (inode.kind === "directory") {
      mkdirSync(to, { mode: 0o700 });
      directories.push([to, inode]);
    } else if (inode.kind === "symlink") {
      symlinkSync(image.readLink(inode), to);
    } else if (inode.kind === "file") {
      copyFile(image, inode, to);
      copied.files += 1;
      copied.bytes += inode.sizeBytes;
    } else {
      copied.skipped.push(path);
    }
  }
  // Writing into a directory changes its time, and needs rights that it may not give.
  for (const [path, inode] of directories.reverse()) setAttributes(path, inode);
}

function copyFile(image: ErofsImage, inode: ImageInode, to: string): void {
  const existed = existsSync(to);
  // A link in the target folder is not followed to somewhere else: "x" fails if anything is there.
  if (existed) rmSync(to);
  const fd = openSync(to, "wx", 0o600);
  try {
    for (const piece of contentsOf(image, inode)) {
      for (let done = 0; done < piece.length; ) done += writeSync(fd, piece, done);
    }
  } finally {
    closeSync(fd);
  }
  setAttributes(to, inode);
}

function setAttributes(path: string, inode: ImageInode): void {
  chmodSync(path, inode.mode & 0o777);
  const seconds = Number(inode.mtimeNs / 1_000_000n) / 1000;
  utimesSync(path, seconds, seconds);
}
