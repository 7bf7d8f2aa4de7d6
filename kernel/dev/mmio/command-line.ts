/**
 * Words of the kernel command line that announce virtio-mmio devices:
 *
 *     virtio_mmio.device=SIZE[KMG]@BASE:IRQ[:ID]
 *
 * Virtual I/O Device (VIRTIO) version 1.2, section 4.2.2 leaves discovery to the platform; machine
 * monitors without ACPI or device tree (QEMU microvm, Firecracker) write these words. They append
 * them to the whole line, so they also come after `--` and the program's arguments.
 *
 * Neighbours: `mmio/discovery` uses it; pure text, tested in Node.
 */

/** The words' beginning. */
export const DEVICE_WORD: string = "virtio_mmio.device=";

/** What a word says. `next` is where to go on looking. */
export class MmioAnnouncement {
  sizeBytes: u64 = 0;
  base: u64 = 0;
  irq: u32 = 0;
  next: usize = 0;
}

/** Position in the text while it is parsed. */
let cursor: usize = 0;
let end: usize = 0;

/**
 * Finds the next announcement at or after byte `from`; words that do not parse are skipped.
 * @returns false if there is no more
 */
export function nextAnnouncement(
  text: usize,
  length: usize,
  from: usize,
  out: MmioAnnouncement,
): bool {
  let position = from;
  while (position < length) {
    while (position < length && load<u8>(text + position) == 0x20) position++;
    let wordEnd = position;
    while (wordEnd < length && load<u8>(text + wordEnd) != 0x20) wordEnd++;
    if (isDeviceWord(text + position, wordEnd - position)) {
      cursor = text + position + <usize>DEVICE_WORD.length;
      end = text + wordEnd;
      out.next = wordEnd;
      if (parse(out)) return true;
    }
    position = wordEnd;
  }
  return false;
}

function isDeviceWord(word: usize, length: usize): bool {
  if (length < <usize>DEVICE_WORD.length) return false;
  for (let i = 0, n = DEVICE_WORD.length; i < n; i++) {
    if (load<u8>(word + <usize>i) != <u8>DEVICE_WORD.charCodeAt(i)) return false;
  }
  return true;
}

function parse(out: MmioAnnouncement): bool {
  let size = number();
  if (failed) return false;
  const suffix: u8 = cursor < end ? load<u8>(cursor) | 0x20 : 0;
  if (suffix == 0x6b) size <<= 10;
  else if (suffix == 0x6d) size <<= 20;
  else if (suffix == 0x67) size <<= 30;
  if (suffix == 0x6b || suffix == 0x6d || suffix == 0x67) cursor++;
  if (!skip(0x40)) return false;
  const base = number();
  if (failed || !skip(0x3a)) return false;
  const irq = number();
  if (failed || irq > 0xffff) return false;
  out.sizeBytes = size;
  out.base = base;
  out.irq = <u32>irq;
  return true;
}

function skip(character: u8): bool {
  if (cursor >= end || load<u8>(cursor) != character) return false;
  cursor++;
  return true;
}

/** Set by `number` when there were no digits or too many. */
let failed: bool = false;

/** Reads a decimal, or with 0x hexadecimal, number. */
function number(): u64 {
  let radix: u64 = 10;
  if (end - cursor > 2 && load<u8>(cursor) == 0x30 && (load<u8>(cursor + 1) | 0x20) == 0x78) {
    radix = 16;
    cursor += 2;
  }
  const start = cursor;
  let value: u64 = 0;
  failed = true;
  while (cursor < end) {
    const digit = digitValue(load<u8>(cursor));
    if (<u64>digit >= radix) break;
    if (value > (u64.MAX_VALUE - digit) / radix) return 0;
    value = value * radix + digit;
    cursor++;
  }
  failed = cursor == start;
  return value;
}

function digitValue(character: u8): u8 {
  if (character >= 0x30 && character <= 0x39) return character - 0x30;
  const lower = character | 0x20;
  if (lower >= 0x61 && lower <= 0x66) return lower - 0x61 + 10;
  return 255;
}
