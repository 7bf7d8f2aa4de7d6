/**
 * Compresses a stream by gzip on all processors: pieces of a fixed size become members of their own,
 * which follow each other in the file (RFC 1952, section 2.2). Whoever reads gzip reads that; the
 * bytes do not depend on how many processors there are.
 *
 * Neighbours: `../source/container/import-image.ts` writes layers; `decompress.ts` reads them.
 */
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** Large enough that a member's own header and dictionary cost less than one part in a thousand. */
const PIECE_BYTES = 1024 ** 2;

/** Layers are read far more often from disks that are faster than gzip: hence the lowest level. */
const LEVEL = 1;

const compress = promisify(gzip);

/** The members of a stream, in order. Throws what the source throws. */
export async function* gzipMembers(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const pending: Promise<Buffer>[] = [];
  let sawAny = false;
  for await (const piece of piecesOf(source)) {
    sawAny = true;
    const member = compress(piece, { level: LEVEL });
    // A failure is thrown where the member's turn comes.
    member.catch(() => {});
    pending.push(member);
    if (pending.length >= availableParallelism()) yield (await pending.shift()) ?? Buffer.alloc(0);
  }
  for (const member of pending) yield await member;
  if (!sawAny) yield await compress(Buffer.alloc(0), { level: LEVEL });
}

/** The same bytes in pieces of one size; the last may be shorter. */
async function* piecesOf(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + PIECE_BYTES - sizeBytes);
      parts.push(part);
      at += part.length;
      sizeBytes += part.length;
      if (sizeBytes < PIECE_BYTES) continue;
      yield Buffer.concat(parts);
      parts = [];
      sizeBytes = 0;
    }
  }
  if (sizeBytes > 0) yield Buffer.concat(parts);
}
