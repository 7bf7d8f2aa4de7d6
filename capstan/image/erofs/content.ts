/**
 * Reads the contents of files while an image is built, and notices when they change meanwhile.
 *
 * Reads are synchronous: for the thousands of small files of an image that is several times faster
 * than promises; callers yield to the event loop between files.
 *
 * Neighbours: `dedupe.ts` hashes contents, `writer.ts` copies them.
 */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { systemErrorCode, UserError } from "../../errors.ts";
import { contentSizeBytes, type FileContent, type HostContent, identityOf } from "../tree.ts";

/** Something that hands out the bytes of a file by position. */
export interface ContentReader {
  /** Fills `target` completely with the bytes at `offsetBytes`; throws if there are not as many. */
  read(target: Uint8Array, offsetBytes: number): void;
  close(): void;
}

function changed(path: string, why: string): UserError {
  return new UserError({
    code: "FileChanged",
    what: `cannot put ${path} into the image`,
    why,
    fix: "wait until nothing writes to the file and run the command again",
  });
}

/** Turns a system error about a host file into a message for the user. */
export function unreadable(path: string, error: unknown): UserError {
  const code = systemErrorCode(error);
  if (code === "ENOENT") return changed(path, "it disappeared while the image was being built");
  return new UserError({
    code: "FileUnreadable",
    what: `cannot put ${path} into the image`,
    why: error instanceof Error ? error.message : String(error),
    fix:
      code === "EACCES" || code === "EPERM"
        ? "make the file readable for you, or leave it out of --add and the arguments"
        : "check the file and the disk it lies on",
    cause: error,
  });
}

/** Opens contents for reading. Throws a UserError if the file cannot be read or has changed. */
export function openContent(content: FileContent): ContentReader {
  if (content.from === "bytes") {
    const { bytes } = content;
    return {
      read: (target, offsetBytes) =>
        target.set(bytes.subarray(offsetBytes, offsetBytes + target.length)),
      close: () => {},
    };
  }
  const { path } = content;
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw unreadable(path, error);
  }
  if (content.from === "host") checkUnchanged(fd, content);
  const startBytes = content.from === "slice" ? content.offsetBytes : 0;
  return {
    read(target, offsetBytes) {
      for (let done = 0; done < target.length; ) {
        let count: number;
        try {
          const at = startBytes + offsetBytes + done;
          count = readSync(fd, target, done, target.length - done, at);
        } catch (error) {
          throw unreadable(path, error);
        }
        if (count === 0) throw changed(path, "it was truncated while the image was being built");
        done += count;
      }
    },
    close: () => closeSync(fd),
  };
}

/** Closes the file and throws if it is not the one that was looked at. */
function checkUnchanged(fd: number, { path, sizeBytes, identity }: HostContent): void {
  const found = fstatSync(fd, { bigint: true });
  if (identityOf(found) === identity && Number(found.size) === sizeBytes) return;
  closeSync(fd);
  throw changed(
    path,
    Number(found.size) === sizeBytes
      ? "it was written to or replaced while the image was being built"
      : `its size changed from ${sizeBytes} to ${found.size} bytes meanwhile`,
  );
}

/** Size of the pieces in which contents are read: large enough to make system calls cheap. */
export const COPY_CHUNK_BYTES = 1024 * 1024;

/** SHA-256 of contents, hexadecimal. `pause` is called after each mebibyte. */
export async function hashContent(
  content: FileContent,
  pause: () => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256");
  if (content.from === "bytes") return hash.update(content.bytes).digest("hex");
  const size = contentSizeBytes(content);
  const buffer = Buffer.allocUnsafe(Math.min(size, COPY_CHUNK_BYTES));
  const reader = openContent(content);
  try {
    for (let offset = 0; offset < size; offset += buffer.length) {
      const piece = buffer.subarray(0, Math.min(buffer.length, size - offset));
      reader.read(piece, offset);
      hash.update(piece);
      await pause();
    }
  } finally {
    reader.close();
  }
  return hash.digest("hex");
}
