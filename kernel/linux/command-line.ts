/**
 * Decodes the kernel command line: options, then `--`, then the program's path and arguments.
 *
 * Words are separated by single blanks, so two blanks in a row enclose an empty word; a byte that
 * would disturb this is written %XX (two hexadecimal digits). Pure: works on bytes in memory.
 *
 * Neighbours: `init.ts`; `capstan/protocol` writes what is read here.
 */
import { ProgramStrings } from "./initial-stack";

/** Walks over the words of a command line. */
export class WordReader {
  /** The current word: `length` bytes at `address`, still encoded. */
  address: usize = 0;
  length: usize = 0;
  private position: usize;
  private end: usize;
  private finished: bool;

  constructor(text: usize, textBytes: usize) {
    this.position = text;
    this.end = text + textBytes;
    this.finished = textBytes == 0;
  }

  /** Goes to the next word; false after the last one. */
  next(): bool {
    if (this.finished) return false;
    this.address = this.position;
    while (this.position < this.end && load<u8>(this.position) != 0x20) this.position++;
    this.length = this.position - this.address;
    if (this.position == this.end) this.finished = true;
    else this.position++;
    return true;
  }

  /** True if the word is exactly `text` (ASCII). */
  is(text: string): bool {
    return this.length == <usize>text.length && this.startsWith(text);
  }

  /** True if the word begins with `text` (ASCII). */
  startsWith(text: string): bool {
    const length = <usize>text.length;
    if (this.length < length) return false;
    for (let i: usize = 0; i < length; i++) {
      if (load<u8>(this.address + i) != <u8>text.charCodeAt(<i32>i)) return false;
    }
    return true;
  }

  /**
   * Decodes the word from its byte `skip` on to `out` and adds a terminating zero.
   * @returns address after the zero
   */
  decode(skip: usize, out: usize): usize {
    let source = this.address + skip;
    const end = this.address + this.length;
    while (source < end) {
      let byte = load<u8>(source++);
      if (byte == 0x25 && end - source >= 2) {
        const high = hexDigit(load<u8>(source));
        const low = hexDigit(load<u8>(source + 1));
        if (high >= 0 && low >= 0) {
          byte = <u8>(high * 16 + low);
          source += 2;
        }
      }
      store<u8>(out++, byte);
    }
    store<u8>(out, 0);
    return out + 1;
  }
}

/** What the command line says about the program. Addresses lie in the block given to `parse`. */
export class ProgramCommand {
  program: ProgramStrings = new ProgramStrings();
  /** Working directory, zero-terminated; 0 if not given. */
  cwd: usize = 0;
  /** Whom the program runs as. */
  user: u32 = 0;
  group: u32 = 0;

  /** Bytes that `parse` may need for a command line of `textBytes` bytes. */
  static bufferBytes(textBytes: usize): usize {
    // Every word shrinks or stays and its blank becomes a zero; the path is stored twice.
    return textBytes * 2 + 64;
  }

  /**
   * Reads the command line into `buffer` (at least `bufferBytes`).
   * @returns false if it names no program
   */
  parse(text: usize, textBytes: usize, buffer: usize): bool {
    let out = buffer;
    const words = new WordReader(text, textBytes);
    let name: usize = 0;
    let found = false;
    while (words.next()) {
      if (words.is("--")) {
        found = words.next() && words.length != 0;
        break;
      }
      if (words.startsWith("cwd=")) {
        this.cwd = out;
        out = words.decode(4, out);
      } else if (words.startsWith("user=")) {
        this.takeUser(words);
      } else if (words.startsWith("argv0=")) {
        name = out;
        out = words.decode(6, out);
      }
    }
    if (found) out = this.takeProgram(words, name, out);
    __free(changetype<usize>(words));
    if (found) this.takeEnvironment(text, textBytes, out);
    return found;
  }

  /** Frees the object (not the buffer). */
  destroy(): void {
    __free(changetype<usize>(this.program));
    __free(changetype<usize>(this));
  }

  /** `user=UID:GID`, decimal. */
  private takeUser(words: WordReader): void {
    let value: u32 = 0;
    for (let i: usize = 5; i < words.length; i++) {
      const byte = load<u8>(words.address + i);
      if (byte == 0x3a) {
        this.user = value;
        value = 0;
      } else {
        value = value * 10 + <u32>(byte - 0x30);
      }
    }
    this.group = value;
  }

  private takeProgram(words: WordReader, name: usize, buffer: usize): usize {
    const program = this.program;
    let out = buffer;
    program.path = out;
    out = words.decode(0, out);
    program.pathBytes = out - program.path;
    program.strings = out;
    const first = name != 0 ? name : program.path;
    for (let i: usize = 0; ; i++) {
      const byte = load<u8>(first + i);
      store<u8>(out++, byte);
      if (byte == 0) break;
    }
    program.argumentCount = 1;
    // QEMU's microvm appends its device words after the program's arguments; an argument that
    // looks like one comes encoded (docs/guest-protocol.md).
    while (words.next() && !words.startsWith("virtio_mmio.")) {
      out = words.decode(0, out);
      program.argumentCount++;
    }
    return out;
  }

  /** Environment strings follow the arguments, so this is a second pass over the options. */
  private takeEnvironment(text: usize, textBytes: usize, buffer: usize): void {
    const program = this.program;
    let out = buffer;
    const words = new WordReader(text, textBytes);
    while (words.next() && !words.is("--")) {
      if (!words.startsWith("env=")) continue;
      out = words.decode(4, out);
      program.environmentCount++;
    }
    __free(changetype<usize>(words));
    program.stringsBytes = out - program.strings;
  }
}

/** Value of a hexadecimal digit, -1 if it is none. */
function hexDigit(byte: u8): i32 {
  if (byte >= 0x30 && byte <= 0x39) return <i32>byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? <i32>lower - 0x57 : -1;
}
