/**
 * How the cache was told to run: memcached's own options (memcached(1)), as far as they mean something
 * here. Threads do not: requests are carried out where their packets arrive, on every processor.
 *
 * Neighbours: `main.ts` reads them from the command line, `stats-report.ts` shows them.
 */
import { equalsLiteral } from "../../lib/bytes";

const MEBIBYTE: u64 = 1 << 20;
const ITEM_MIN: u64 = 1024;
const ITEM_MAX: u64 = 128 << 20;

export class Settings {
  /** -p, -U: ports; 0 = not served. */
  tcpPort: u32 = 11211;
  udpPort: u32 = 0;
  /** -m */
  memoryBytes: u64 = 64 * MEBIBYTE;
  /** -I */
  itemBytes: u64 = MEBIBYTE;
  /** -f in hundredths */
  growthPercent: u32 = 125;
  /** -t: processors that the machine must have. */
  threads: u32 = 0;
  /** -M */
  keepsEverything: bool = false;
  /** -F */
  refusesFlush: bool = false;
  /** What was wrong: the words to say, and the option it is about. */
  problem: string = "";
  problemOption: usize = 0;
  problemBytes: usize = 0;

  /**
   * Takes one option.
   * @param option such as "-m", in kernel memory
   * @param value the word after it; 0 if there is none
   * @returns words taken: 1 or 2; 0 if it was not understood, and `problem` says why
   */
  take(option: usize, optionBytes: usize, value: usize, valueBytes: usize): u32 {
    this.problemOption = option;
    this.problemBytes = optionBytes;
    if (equalsLiteral(option, optionBytes, "-M")) {
      this.keepsEverything = true;
      return 1;
    }
    if (equalsLiteral(option, optionBytes, "-F")) {
      this.refusesFlush = true;
      return 1;
    }
    if (equalsLiteral(option, optionBytes, "-v") || equalsLiteral(option, optionBytes, "-vv"))
      return 1;
    if (optionBytes != 2 || load<u8>(option) != 0x2d)
      return this.refuse("is no option of this memcached");
    const letter = load<u8>(option + 1);
    if (letter == 0x6c || letter == 0x75 || letter == 0x63)
      return value != 0 ? 2 : this.refuse("needs a value"); // -l, -u, -c
    const scaled = value != 0 ? parseSize(value, valueBytes, letter) : u64.MAX_VALUE;
    if (scaled == u64.MAX_VALUE) return this.refuse("needs a number");
    switch (letter) {
      case 0x70: // -p
        if (scaled > 65535) return this.refuse("needs a port, 0 to 65535");
        this.tcpPort = <u32>scaled;
        return 2;
      case 0x55: // -U
        if (scaled > 65535) return this.refuse("needs a port, 0 to 65535");
        this.udpPort = <u32>scaled;
        return 2;
      case 0x6d: // -m, in megabytes
        if (scaled == 0 || scaled > 1 << 24) return this.refuse("needs a size in megabytes");
        this.memoryBytes = scaled * MEBIBYTE;
        return 2;
      case 0x49: // -I
        if (scaled < ITEM_MIN || scaled > ITEM_MAX)
          return this.refuse("needs a size from 1k to 128m");
        this.itemBytes = scaled;
        return 2;
      case 0x66: // -f, times 100
        if (scaled <= 100 || scaled > 1000) return this.refuse("needs a factor, more than 1");
        this.growthPercent = <u32>scaled;
        return 2;
      case 0x74: // -t
        if (scaled == 0 || scaled > 64) return this.refuse("needs a number of processors, 1 to 64");
        this.threads = <u32>scaled;
        return 2;
      default:
        return this.refuse("is no option of this memcached");
    }
  }

  private refuse(why: string): u32 {
    this.problem = why;
    return 0;
  }
}

/** A number with k, m or g behind it; for -f in hundredths; u64.MAX_VALUE if it is none. */
function parseSize(text: usize, bytes: usize, letter: u8): u64 {
  const isFactor = letter == 0x66;
  let value: u64 = 0;
  let digits: u32 = 0;
  let decimals: i32 = -1;
  for (let i: usize = 0; i < bytes; i++) {
    const byte = load<u8>(text + i);
    if (byte >= 0x30 && byte <= 0x39 && digits < 12) {
      if (decimals < 2) value = value * 10 + (byte - 0x30);
      if (decimals >= 0 && decimals < 2) decimals++;
      digits++;
    } else if (byte == 0x2e && isFactor && decimals < 0) decimals = 0;
    else if (i == bytes - 1 && digits > 0 && !isFactor) {
      const unit = byte | 0x20;
      if (unit == 0x6b) return value << 10;
      if (unit == 0x6d) return value << 20;
      if (unit == 0x67) return value << 30;
      return u64.MAX_VALUE;
    } else return u64.MAX_VALUE;
  }
  if (digits == 0) return u64.MAX_VALUE;
  if (isFactor) for (let i = max(decimals, 0); i < 2; i++) value *= 10;
  return value;
}
