/**
 * Makes plain files of compressed ones, with every digest verified on the way: what goes in against
 * the name it was fetched by, what comes out against what the image says. The result appears under
 * its name when it is complete and right, or not at all.
 *
 * gzip is Node's; zstd and xz are left to the system's tools, which are several times faster than
 * what is written in JavaScript. Neighbours: `plain-cache.ts` keeps the results.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, rmSync } from "node:fs";
import { Readable, Transform, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { systemErrorCode, UserError } from "../errors.ts";
import { type ByteRange, readRange } from "./byte-range.ts";

/** Size of the pieces in which streams hand on data: few turns of the event loop. */
const CHUNK_BYTES = 512 * 1024;

/** A compression that is recognised by the first bytes. */
interface Format {
  readonly magic: readonly number[];
  /** The system's tool, as a program and its Debian package; undefined: Node's gzip. */
  readonly tool?: readonly [program: string, debianPackage: string];
}

/** RFC 1952; RFC 8878, section 3.1.1; the .xz file format, section 2.1.1.1; bzip2(1). */
const formats: readonly Format[] = [
  { magic: [0x1f, 0x8b] },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], tool: ["zstd", "zstd"] },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], tool: ["xz", "xz-utils"] },
  { magic: [0x42, 0x5a, 0x68], tool: ["bzip2", "bzip2"] },
];

/** What is known about the data beforehand; digests are SHA-256, hexadecimal. */
export interface Expected {
  /** For messages: what is being unpacked. */
  readonly what: string;
  readonly compressedSha256?: string;
  readonly plainSha256?: string;
}

/**
 * Writes the decompressed bytes of a range to a new file.
 * @returns SHA-256 of what was written, hexadecimal
 * @throws UserError `DigestMismatch`, `BadArchive`, `ToolMissing`; the file is removed then
 */
export async function decompressTo(
  range: ByteRange,
  target: string,
  expected: Expected,
  onProgress: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<string> {
  const format = formatOf(range);
  const before = hashing(onProgress);
  const after = hashing(() => {});
  const source = readStream(range);
  const sink = writeStream(target);
  try {
    const stop = signal === undefined ? {} : { signal };
    if (format?.tool !== undefined) {
      await throughTool(format.tool, [source, before.stream], [after.stream, sink], stop);
    } else if (format !== undefined) {
      const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
      await pipeline(source, before.stream, gunzip, after.stream, sink, stop);
    } else {
      await pipeline(source, before.stream, after.stream, sink, stop);
    }
    verifyDigest(expected.what, before.digest(), expected.compressedSha256);
    const plain = after.digest();
    verifyDigest(`what is in ${expected.what}`, plain, expected.plainSha256);
    return plain;
  } catch (error) {
    rmSync(target, { force: true });
    if (signal?.aborted === true) throw signal.reason;
    if (error instanceof UserError) throw error;
    if (systemErrorCode(error)?.startsWith("E") === true) throw writeError(target, error);
    throw badArchive(expected.what, error);
  }
}

/**
 * Copies a range to a new file as it is, verified.
 * @throws UserError `DigestMismatch`, `DiskFull`; the file is removed then
 */
export async function copyVerified(
  range: ByteRange,
  target: string,
  what: string,
  sha256: string,
  signal?: AbortSignal,
): Promise<void> {
  const copied = hashing(() => {});
  try {
    const stop = signal === undefined ? {} : { signal };
    await pipeline(readStream(range), copied.stream, writeStream(target), stop);
    verifyDigest(what, copied.digest(), sha256);
  } catch (error) {
    rmSync(target, { force: true });
    signal?.throwIfAborted();
    throw error instanceof UserError ? error : writeError(target, error);
  }
}

function formatOf(range: ByteRange): Format | undefined {
  const start = readRange(range, 6);
  return formats.find(({ magic }) => magic.every((byte, index) => start[index] === byte));
}

function readStream({ path, offsetBytes, sizeBytes }: ByteRange): Readable {
  if (sizeBytes === 0) return Readable.from([]);
  const end = offsetBytes + sizeBytes - 1;
  return createReadStream(path, { start: offsetBytes, end, highWaterMark: CHUNK_BYTES });
}

function writeStream(path: string): Writable {
  return createWriteStream(path, { flags: "wx", highWaterMark: CHUNK_BYTES });
}

/** Compares digests. Throws a UserError if there is another one than expected. */
export function verifyDigest(what: string, found: string, expected: string | undefined): void {
  if (expected === undefined || found === expected) return;
  throw new UserError({
    code: "DigestMismatch",
    what: `${what} is damaged`,
    why: `its digest should be sha256:${expected} and is sha256:${found}`,
    fix: "fetch it again from where it came from; if that does not help, it was damaged there",
  });
}

/** The error for an archive that cannot be understood. */
export function badArchive(what: string, error: unknown): UserError {
  return new UserError({
    code: "BadArchive",
    what: `cannot unpack ${what}`,
    why: error instanceof Error ? error.message : String(error),
    fix: "the archive is damaged or of an unknown kind: make or fetch it again",
    cause: error,
  });
}

/** The error for a file that cannot be written. */
export function writeError(path: string, error: unknown): UserError {
  const isFull = ["ENOSPC", "EDQUOT"].includes(systemErrorCode(error) ?? "");
  return new UserError({
    code: isFull ? "DiskFull" : "WriteFailed",
    what: `cannot write ${path}`,
    why: error instanceof Error ? error.message : String(error),
    fix: isFull
      ? "free some space, or set CAPSTAN_ROOT to a directory on a larger disk"
      : "make the directory writable for you, or set CAPSTAN_ROOT to another one",
    cause: error,
  });
}

/** A stream that passes everything on and remembers its SHA-256. */
function hashing(onBytes: (bytes: number) => void): { stream: Transform; digest: () => string } {
  const hash = createHash("sha256");
  const stream = new Transform({
    highWaterMark: CHUNK_BYTES,
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
  return { stream, digest: () => hash.digest("hex") };
}

/** Sends a stream through a program of the system. */
async function throughTool(
  [tool, debianPackage]: readonly [string, string],
  [source, before]: readonly [Readable, Transform],
  [after, sink]: readonly [Transform, Writable],
  stop: { readonly signal?: AbortSignal },
): Promise<void> {
  const child = spawn(tool, ["-dc"], { stdio: ["pipe", "pipe", "pipe"], ...stop });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", (error) => reject(toolMissing(tool, debianPackage, error)));
    child.once("close", (status) => {
      if (status === 0) resolve();
      else reject(new Error(said.trim() || `${tool} ended with ${status}`));
    });
  });
  const results = await Promise.allSettled([
    // First, because what the program says explains why its pipes broke.
    ended,
    pipeline(source, before, child.stdin, stop),
    pipeline(child.stdout, after, sink, stop),
  ]);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

function toolMissing(tool: string, debianPackage: string, cause: Error): UserError {
  return new UserError({
    code: "ToolMissing",
    what: `cannot unpack what was compressed with ${tool}`,
    why: cause.message,
    fix: `install it: apt-get install ${debianPackage}`,
    cause,
  });
}
