import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { withScratch } from "../../image/erofs/testing.ts";
import { bootCodeBytes, decodeBootCode, encodeBootCode } from "./boot-sector.ts";

const parameters = {
  infoSectors: 3,
  kernelFirstSector: 128,
  kernelSectors: 1400,
  kernelAddress: 0x100000,
  zeroBytes: 184_320,
  kernelEntry: 0x11b000,
};

/** Offset of a symbol of the loader in the sector. */
function offsetOf(symbols: string, name: string): number {
  const [, address = "0"] = new RegExp(`^([0-9a-f]+) . ${name}$`, "m").exec(symbols) ?? [];
  return Number.parseInt(address, 16) - 0x7c00;
}

test("the bytes are those of boot-sector.S, and the parameters lie where it wants them", () =>
  withScratch(async (scratch) => {
    const source = join(dirname(fileURLToPath(import.meta.url)), "boot-sector.S");
    const [object, elf, binary] = ["b.o", "b.elf", "b.bin"].map((name) => join(scratch, name));
    assert.ok(object && elf && binary);
    execFileSync("gcc", ["-c", source, "-o", object]);
    const linking = ["-Ttext", "0x7c00", "-e", "start", "-N", "--no-warn-rwx-segments"];
    execFileSync("ld", [...linking, object, "-o", elf]);
    execFileSync("objcopy", ["-O", "binary", "-j", ".text", elf, binary]);
    const symbols = execFileSync("nm", [elf], { encoding: "utf8" });
    const code = encodeBootCode(parameters);
    const wanted = readFileSync(binary);
    assert.equal(wanted.length, bootCodeBytes);
    wanted.writeUInt16LE(parameters.infoSectors, offsetOf(symbols, "infoPacket") + 2);
    wanted.writeUInt32LE(parameters.kernelFirstSector, offsetOf(symbols, "kernelPacket") + 8);
    wanted.writeUInt32LE(parameters.kernelSectors, offsetOf(symbols, "kernelSectors"));
    wanted.writeUInt32LE(parameters.kernelAddress, offsetOf(symbols, "kernelEnd"));
    wanted.writeUInt32LE(parameters.zeroBytes / 4, offsetOf(symbols, "zeroDwords"));
    wanted.writeUInt32LE(parameters.kernelEntry, offsetOf(symbols, "kernelEntry"));
    assert.equal(code.toString("hex"), wanted.toString("hex"));
  }));

test("parameters can be read back; another boot loader is told apart", () => {
  const code = encodeBootCode(parameters);
  assert.deepEqual(decodeBootCode(code), parameters);
  code.writeUInt8(code.readUInt8(20) ^ 1, 20);
  assert.equal(decodeBootCode(code), undefined);
});
