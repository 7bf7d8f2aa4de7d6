/**
 * The tiny guest that shows whether an accelerator runs guests, as an ELF file made without any
 * tool of the host. Its source is `probe.S`; the test beside this file assembles that and compares.
 * `accelerator.ts` boots it.
 */

/** QEMU's exit status when the probe has reached its end: (0x10 << 1) | 1, by isa-debug-exit. */
export const probeSuccessStatus = 0x21;

/** Physical address that the probe is linked to. */
export const probeAddress = 0x100000;

/** The machine code of `probe.S`. */
export const probeCode = Buffer.from(
  "c7050000180003101800c7050010180003201800c7050020180083000000b8000018000f22d8b8200600000f" +
    "22e0b9800000c00f320d010100000f30b8130001800f22c00f0115c8001000ea520010000800bc0060180031" +
    "c08ed0b8b0001000b9000008006689c1890c250032180066b8008e890425043218000f011c25ce001000b901" +
    "0100c0b80020180031d20f3065f30f7e04250000000066480f7ec3cd2081fb840000007504b010e6f4f4ebfd" +
    "83e39fffc348cf90000000000000000000000000009b20000f00b80010000f020030180000000000",
  "hex",
);

const noteOffset = 64 + 2 * 56;
const codeOffset = 0x100;

/**
 * The probe as an ELF64 executable with the note that names its 32-bit PVH entry.
 * @see Xen, "x86/HVM direct boot ABI" (PVH), XEN_ELFNOTE_PHYS32_ENTRY = 18
 */
export function probeElf(): Buffer {
  const file = Buffer.alloc(codeOffset + probeCode.length);
  file.write("\x7fELF\x02\x01\x01", 0, "latin1");
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(62, 18); // EM_X86_64
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(probeAddress), 24); // e_entry
  file.writeBigUInt64LE(64n, 32); // e_phoff
  file.writeUInt16LE(64, 52); // e_ehsize
  file.writeUInt16LE(56, 54); // e_phentsize
  file.writeUInt16LE(2, 56); // e_phnum
  writeSegment(file, 64, { type: 1, offset: codeOffset, size: probeCode.length });
  writeSegment(file, 64 + 56, { type: 4, offset: noteOffset, size: 20 });
  file.writeUInt32LE(4, noteOffset); // n_namesz
  file.writeUInt32LE(4, noteOffset + 4); // n_descsz
  file.writeUInt32LE(18, noteOffset + 8); // XEN_ELFNOTE_PHYS32_ENTRY
  file.write("Xen\0", noteOffset + 12, "latin1");
  file.writeUInt32LE(probeAddress, noteOffset + 16);
  probeCode.copy(file, codeOffset);
  return file;
}

/** Writes an ELF64 program header; types are PT_LOAD = 1 and PT_NOTE = 4. */
function writeSegment(
  file: Buffer,
  at: number,
  segment: { type: number; offset: number; size: number },
): void {
  file.writeUInt32LE(segment.type, at);
  file.writeUInt32LE(7, at + 4); // read, write, execute
  file.writeBigUInt64LE(BigInt(segment.offset), at + 8);
  file.writeBigUInt64LE(BigInt(probeAddress), at + 16);
  file.writeBigUInt64LE(BigInt(probeAddress), at + 24);
  file.writeBigUInt64LE(BigInt(segment.size), at + 32);
  file.writeBigUInt64LE(BigInt(segment.size), at + 40);
  file.writeBigUInt64LE(4n, at + 48);
}
