/**
 * What the boot loader hands to the kernel: a PVH start info whose only boot module is the
 * configuration ("command line") that says what to run, as text of any length.
 *
 *     0x00  start info (the boot loader adds the number of memory map entries)
 *     0x40  module list, one entry     0x60  command line: config=initrd
 *     0x80  the configuration, zero-terminated
 *
 * Reference: xen/include/public/arch-x86/hvm/start_info.h. Neighbours: `boot-sector.S` loads it;
 * `kernel/arch/bootinfo.ts` reads it.
 */
import { configurationInInitrd } from "../../protocol/command-line.ts";
import { mostInfoSectors } from "./boot-sector.ts";
import { sectorBytes } from "./partition-table.ts";

/** Where the boot loader puts it, and where the boot loader keeps the memory map. */
const infoAddress = 0x10000;
const memoryMapAddress = 0x500;

const moduleListAt = 0x40;
const commandLineAt = 0x60;
const configurationAt = 0x80;
const startInfoMagic = 0x336ec578;

/** Longest configuration in bytes. */
export const mostConfigurationBytes = mostInfoSectors * sectorBytes - configurationAt - 1;

/** Boot information in whole sectors. The configuration is ASCII, at most `mostConfigurationBytes`. */
export function encodeBootInformation(configuration: string): Buffer {
  const text = Buffer.from(configuration, "latin1");
  if (text.length > mostConfigurationBytes) throw new RangeError("configuration too long");
  const size = configurationAt + text.length + 1;
  const info = Buffer.alloc(Math.ceil(size / sectorBytes) * sectorBytes);
  info.writeUInt32LE(startInfoMagic, 0);
  info.writeUInt32LE(1, 4); // version: has a memory map
  info.writeUInt32LE(1, 12); // modules
  info.writeBigUInt64LE(BigInt(infoAddress + moduleListAt), 16);
  info.writeBigUInt64LE(BigInt(infoAddress + commandLineAt), 24);
  info.writeBigUInt64LE(BigInt(memoryMapAddress), 40);
  info.writeBigUInt64LE(BigInt(infoAddress + configurationAt), moduleListAt);
  info.writeBigUInt64LE(BigInt(text.length), moduleListAt + 8);
  info.write(configurationInInitrd, commandLineAt, "latin1");
  text.copy(info, configurationAt);
  return info;
}

/** The configuration in boot information; undefined if it is none. */
export function decodeBootInformation(info: Buffer): string | undefined {
  if (info.length < configurationAt || info.readUInt32LE(0) !== startInfoMagic) return undefined;
  const size = Number(info.readBigUInt64LE(moduleListAt + 8));
  if (configurationAt + size > info.length) return undefined;
  return info.toString("latin1", configurationAt, configurationAt + size);
}
