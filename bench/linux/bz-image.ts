/**
 * Takes the uncompressed ELF kernel out of a bzImage, so that it can be booted by PVH, without
 * the time that decompression inside the guest would cost.
 * @see Linux, Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length
 */
import { spawnSync } from "node:child_process";
import { gunzipSync } from "node:zlib";
import { decompressLegacyLz4, isLegacyLz4 } from "./lz4.ts";

const setupSectorsOffset = 0x1f1;
const magicOffset = 0x202;
const versionOffset = 0x206;
const payloadOffsetOffset = 0x248;
const payloadLengthOffset = 0x24c;
const sectorBytes = 512;

/** Programs that decompress the other formats; each reads stdin and writes stdout. */
const tools: readonly { readonly magic: string; readonly command: readonly string[] }[] = [
  { magic: "fd377a585a00", command: ["xz", "-dc", "--single-stream"] },
  { magic: "28b52ffd", command: ["zstd", "-dcq"] },
  { magic: "425a68", command: ["bzip2", "-dcq"] },
];

/**
 * The ELF kernel inside a bzImage.
 * @throws Error when the file is not a bzImage or its compression is not known
 */
export function extractKernel(image: Buffer): Buffer {
  const isImage = image.toString("latin1", magicOffset, magicOffset + 4) === "HdrS";
  if (!isImage || image.readUInt16LE(versionOffset) < 0x208) {
    throw new Error("not a bzImage of boot protocol 2.08 or newer");
  }
  const setupSectors = image[setupSectorsOffset] || 4;
  const start = (setupSectors + 1) * sectorBytes + image.readUInt32LE(payloadOffsetOffset);
  const payload = image.subarray(start, start + image.readUInt32LE(payloadLengthOffset));
  const kernel = decompress(payload);
  if (kernel.toString("latin1", 0, 4) !== "\x7fELF") {
    throw new Error("the bzImage does not hold an ELF kernel");
  }
  return kernel;
}

/** The payload's last four bytes say how large its content is. */
function decompress(payload: Buffer): Buffer {
  if (isLegacyLz4(payload)) {
    return decompressLegacyLz4(payload, payload.readUInt32LE(payload.length - 4));
  }
  if (payload.readUInt16BE(0) === 0x1f8b) return gunzipSync(payload);
  const start = payload.toString("hex", 0, 6);
  const tool = tools.find(({ magic }) => start.startsWith(magic));
  if (tool === undefined) throw new Error(`unknown compression of the kernel (${start})`);
  const [program = "", ...args] = tool.command;
  const { stdout, error } = spawnSync(program, args, { input: payload, maxBuffer: 2 ** 30 });
  if (error) throw new Error(`cannot run ${program}: ${error.message}; install it`);
  return stdout;
}
