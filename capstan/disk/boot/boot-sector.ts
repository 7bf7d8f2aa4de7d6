/**
 * The boot loader as bytes, with its parameters filled in. Its source is `boot-sector.S`; the test
 * beside this file assembles that and compares.
 * Neighbours: `boot-area.ts` says where things lie, `partition-table.ts` fills the rest of the sector.
 */

/** Bytes of a boot sector that are code; disk signature and partition table follow. */
export const bootCodeBytes = 440;

/** Most sectors of boot information: what a BIOS reads at once. */
export const mostInfoSectors = 127;

/** The machine code of `boot-sector.S` up to its parameters, which are the last 48 bytes. */
const machineCode = Buffer.from(
  "fafc31c08ed88ec08ed0bc007cfbea137c0000b80124cd15e4920c0224fee692be887de8650066a1a87d6685c0747d" +
    "6683f87f760666b87f000000662906a87da39a7d6650be987de84000665966010ea07dfa0f0116307d0f20c0400f22" +
    "c0bb08008edb8ec366c1e10766be00000200668b3eac7d6766f3a566893eac7d480f22c031c08ed88ec0fbeb9bb442" +
    "cd137201c3be1c7dac84c0740f52baf803ee5ab40ebb0700cd10ebecf4ebfdbf00056631db31ed66b820e8000066ba" +
    "50414d5366b91400000066c7451400000000cd1572094583c7186685db75d9fa0f0116307d0f20c0400f22c0eaed7c" +
    "1000b8080000008ed88ec08ed00fb7ed892d300001008b3dac7d00008b0db07d000031c0f3abbb00000100ff25b47d" +
    "0000626f6f743a206469736b206572726f720d0a00901700387d000066900000000000000000ffff00000093cf00ff" +
    "ff0000009bcf0000000000000000000000000000000000000000000000000000000000000000000000000000000000" +
    "00000000000000000000000000000000" +
    "",
  "hex",
);

/** Offsets of the parameters. */
const infoSectorsAt = 0x18a;
const kernelFirstSectorAt = 0x1a0;
const kernelSectorsAt = 0x1a8;
const kernelAddressAt = 0x1ac;
const zeroDwordsAt = 0x1b0;
const kernelEntryAt = 0x1b4;

/** What the boot loader must know. */
export interface BootParameters {
  /** Sectors of boot information, which begin at sector 1; at most `mostInfoSectors`. */
  readonly infoSectors: number;
  readonly kernelFirstSector: number;
  readonly kernelSectors: number;
  /** Physical address of the kernel's first byte. */
  readonly kernelAddress: number;
  /** Bytes behind the loaded sectors to be zeroed, a multiple of 4. */
  readonly zeroBytes: number;
  /** Physical address of the PVH entry. */
  readonly kernelEntry: number;
}

/** The boot loader's code with its parameters, `bootCodeBytes` long. */
export function encodeBootCode(parameters: BootParameters): Buffer {
  if (parameters.infoSectors > mostInfoSectors) throw new RangeError("boot information too long");
  const code = Buffer.alloc(bootCodeBytes);
  machineCode.copy(code);
  // Disk address packets (EDD-3, section 11.1): size, sectors, offset and segment, first sector.
  const packet = (at: number, sectors: number, segment: number, first: number): void => {
    code.writeUInt16LE(16, at);
    code.writeUInt16LE(sectors, at + 2);
    code.writeUInt16LE(segment, at + 6);
    code.writeUInt32LE(first, at + 8);
  };
  packet(infoSectorsAt - 2, parameters.infoSectors, 0x1000, 1);
  packet(kernelFirstSectorAt - 8, 0, 0x2000, parameters.kernelFirstSector);
  code.writeUInt32LE(parameters.kernelSectors, kernelSectorsAt);
  code.writeUInt32LE(parameters.kernelAddress, kernelAddressAt);
  code.writeUInt32LE(parameters.zeroBytes / 4, zeroDwordsAt);
  code.writeUInt32LE(parameters.kernelEntry, kernelEntryAt);
  return code;
}

/** The parameters in a boot sector, or undefined if it does not hold this boot loader. */
export function decodeBootCode(sector: Buffer): BootParameters | undefined {
  if (!sector.subarray(0, machineCode.length).equals(machineCode)) return undefined;
  return {
    infoSectors: sector.readUInt16LE(infoSectorsAt),
    kernelFirstSector: sector.readUInt32LE(kernelFirstSectorAt),
    kernelSectors: sector.readUInt32LE(kernelSectorsAt),
    kernelAddress: sector.readUInt32LE(kernelAddressAt),
    zeroBytes: sector.readUInt32LE(zeroDwordsAt) * 4,
    kernelEntry: sector.readUInt32LE(kernelEntryAt),
  };
}
