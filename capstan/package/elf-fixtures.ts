/**
 * Builds small ELF files for tests: real in what `elf.ts` reads, without any code in them.
 *
 *     | ELF header | program headers | interpreter | dynamic section | string table |
 *
 * One PT_LOAD maps the whole file at address 0x400000.
 *
 * Neighbours: `elf.test.ts`, `libraries.test.ts`.
 */

/** What goes into a made-up ELF file. */
export interface ElfFixture {
  readonly type?: number;
  readonly machine?: number;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  readonly soname?: string;
  readonly rpath?: string;
  readonly runpath?: string;
  readonly flags1?: bigint;
}

const BASE = 0x400000n;

function segment(type: number, offset: number, sizeBytes: number): Buffer {
  const header = Buffer.alloc(56);
  header.writeUInt32LE(type, 0);
  header.writeUInt32LE(4, 4);
  header.writeBigUInt64LE(BigInt(offset), 8);
  header.writeBigUInt64LE(BASE + BigInt(offset), 16);
  header.writeBigUInt64LE(BASE + BigInt(offset), 24);
  header.writeBigUInt64LE(BigInt(sizeBytes), 32);
  header.writeBigUInt64LE(BigInt(sizeBytes), 40);
  return header;
}

/** The bytes of an ELF file. Without `type` it is a shared object (3), else 2 for fixed address. */
export function makeElf(fixture: ElfFixture): Buffer {
  const interpreter = Buffer.from(
    fixture.interpreter === undefined ? "" : `${fixture.interpreter}\0`,
  );
  let strings = "\0";
  const tags: [bigint, bigint][] = [];
  const addText = (tag: bigint, text: string | undefined): void => {
    if (text === undefined) return;
    tags.push([tag, BigInt(Buffer.byteLength(strings))]);
    strings += `${text}\0`;
  };
  for (const name of fixture.needed ?? []) addText(1n, name);
  addText(14n, fixture.soname);
  addText(15n, fixture.rpath);
  addText(29n, fixture.runpath);
  if (fixture.flags1 !== undefined) tags.push([0x6fff_fffbn, fixture.flags1]);

  const segmentCount = 2 + (fixture.interpreter === undefined ? 0 : 1);
  const interpreterStart = 64 + segmentCount * 56;
  const dynamicStart = interpreterStart + interpreter.length;
  const dynamicSize = (tags.length + 3) * 16;
  const stringsStart = dynamicStart + dynamicSize;
  const stringBytes = Buffer.from(strings);
  tags.push([5n, BASE + BigInt(stringsStart)], [10n, BigInt(stringBytes.length)], [0n, 0n]);
  const dynamic = Buffer.alloc(dynamicSize);
  for (const [index, [tag, value]] of tags.entries()) {
    dynamic.writeBigUInt64LE(tag, index * 16);
    dynamic.writeBigUInt64LE(value, index * 16 + 8);
  }

  const header = Buffer.alloc(64);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  header.writeUInt16LE(fixture.type ?? 3, 16);
  header.writeUInt16LE(fixture.machine ?? 62, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(segmentCount, 56);
  const total = stringsStart + stringBytes.length;
  const segments = [segment(1, 0, total), segment(2, dynamicStart, dynamicSize)];
  if (fixture.interpreter !== undefined) {
    segments.push(segment(3, interpreterStart, interpreter.length));
  }
  return Buffer.concat([header, ...segments, interpreter, dynamic, stringBytes]);
}
