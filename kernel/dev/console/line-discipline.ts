/**
 * What a terminal does with each byte typed: special characters, line editing, echo
 * (termios(3), c_iflag and c_lflag). The results are bytes in an `InputQueue`, bytes to echo and
 * signals to send; the terminal moves them on.
 *
 * Not locked: the terminal's lock guards it. Neighbours: `console/tty`, `console/input-queue`.
 */
import { heapAllocate } from "../../mm/heap";
import { END_OF_FILE, InputQueue } from "./input-queue";
import { MAX_EXPANSION, OutputProcessor } from "./output-processor";
import {
  characterOf,
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  ECHONL,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNCR,
  INLCR,
  ISIG,
  ISTRIP,
  IUCLC,
  IUTF8,
  IXANY,
  IXON,
  NOFLSH,
  setDefaultTermios,
  SIGINT,
  SIGQUIT,
  SIGTSTP,
  Termios,
  TERMIOS2_BYTES,
  VEOF,
  VEOL,
  VEOL2,
  VERASE,
  VINTR,
  VKILL,
  VLNEXT,
  VQUIT,
  VREPRINT,
  VSTART,
  VSTOP,
  VSUSP,
  VWERASE,
} from "./termios";

const BACKSPACE: u8 = 0x08;
const TAB: u8 = 0x09;
const NEWLINE: u8 = 0x0a;
const RETURN: u8 = 0x0d;
const SPACE: u8 = 0x20;
const CARET: u8 = 0x5e;
const DELETE: u8 = 0x7f;

/** Echo kept until the terminal takes it; what does not fit is not echoed. */
const ECHO_BYTES: u32 = 1024;
/** One place is kept for the end of a line that has become too long. */
const RESERVED_FOR_END: u32 = 1;

export class LineDiscipline {
  settings: Termios;
  input: InputQueue = new InputQueue();
  output: OutputProcessor = new OutputProcessor();
  /** Output is stopped (^S). */
  stopped: bool = false;
  /** Bytes to echo since the last `takeEcho`. */
  echoAddress: usize = 0;
  echoLength: u32 = 0;
  /** Signals to send, one bit a signal number. */
  signals: u32 = 0;
  /** A signal key asks that unsent output be dropped. */
  flushOutput: bool = false;
  /** The next byte is taken literally (^V). */
  private literal: bool = false;
  /** Column at which the line being typed starts on the screen. */
  private lineColumn: u32 = 0;

  constructor() {
    this.settings = changetype<Termios>(heapAllocate(TERMIOS2_BYTES));
  }

  /** @returns false without memory */
  allocate(): bool {
    this.echoAddress = heapAllocate(ECHO_BYTES + MAX_EXPANSION);
    if (changetype<usize>(this.settings) == 0 || this.echoAddress == 0) return false;
    setDefaultTermios(this.settings);
    return this.input.allocate();
  }

  /** Makes it that of a fresh terminal again, with no input. */
  reset(): void {
    setDefaultTermios(this.settings);
    this.input.flush();
    this.stopped = false;
    this.literal = false;
    this.lineColumn = 0;
    this.output.column = 0;
    this.signals = 0;
    this.echoLength = 0;
  }

  private hasLocal(flag: u32): bool {
    return (this.settings.localFlags & flag) != 0;
  }

  private hasInput(flag: u32): bool {
    return (this.settings.inputFlags & flag) != 0;
  }

  /** True if `byte` is the special character `index`, which is not switched off. */
  private isSpecial(byte: u8, index: u32): bool {
    return byte != 0 && byte == characterOf(this.settings, index);
  }

  isCanonical(): bool {
    return this.hasLocal(ICANON);
  }

  /** True if a read in the current mode would find at least `minimum` bytes, or a line. */
  isReadable(minimum: u32): bool {
    if (this.isCanonical()) return this.input.lineStart != this.input.head;
    return this.input.count() >= minimum;
  }

  /**
   * Takes one byte from the line.
   * @returns false if there is no room for it now; offer it again later
   */
  receive(byte: u8): bool {
    if (this.hasInput(ISTRIP)) byte &= 0x7f;
    if (this.hasInput(IUCLC) && this.hasLocal(IEXTEN) && byte >= 0x41 && byte <= 0x5a) byte += 0x20;
    if (this.literal) {
      if (!this.acceptsMore()) return false;
      this.literal = false;
      this.store(byte, true);
      return true;
    }
    if (this.hasLocal(ISIG) && this.handleSignalKey(byte)) return true;
    if (this.hasInput(IXON) && this.handleFlowKey(byte)) return true;
    if (byte == RETURN) {
      if (this.hasInput(IGNCR)) return true;
      if (this.hasInput(ICRNL)) byte = NEWLINE;
    } else if (byte == NEWLINE && this.hasInput(INLCR)) {
      byte = RETURN;
    }
    if (!this.isCanonical()) {
      if (this.input.room() == 0) return false;
      this.store(byte, false);
      return true;
    }
    return this.receiveCanonical(byte);
  }

  /** False if the queue is full of lines that wait to be read. */
  private acceptsMore(): bool {
    if (this.input.room() > RESERVED_FOR_END) return true;
    return this.isCanonical() && this.input.lineStart == this.input.head;
  }

  private handleSignalKey(byte: u8): bool {
    let signal: i32 = 0;
    if (this.isSpecial(byte, VINTR)) signal = SIGINT;
    else if (this.isSpecial(byte, VQUIT)) signal = SIGQUIT;
    else if (this.isSpecial(byte, VSUSP)) signal = SIGTSTP;
    else return false;
    if (!this.hasLocal(NOFLSH)) {
      this.input.flush();
      this.flushOutput = true;
      this.echoLength = 0;
    }
    this.stopped = false;
    this.signals |= (<u32>1) << signal;
    if (this.hasLocal(ECHO)) this.echo(byte);
    return true;
  }

  private handleFlowKey(byte: u8): bool {
    if (this.isSpecial(byte, VSTART)) {
      this.stopped = false;
      return true;
    }
    if (this.isSpecial(byte, VSTOP)) {
      this.stopped = true;
      return true;
    }
    if (this.stopped && this.hasInput(IXANY)) this.stopped = false;
    return false;
  }

  private receiveCanonical(byte: u8): bool {
    const extended = this.hasLocal(IEXTEN);
    if (this.isSpecial(byte, VERASE)) {
      this.eraseCharacter(byte);
      return true;
    }
    if (extended && this.isSpecial(byte, VWERASE)) {
      this.eraseWord(byte);
      return true;
    }
    if (this.isSpecial(byte, VKILL)) {
      this.eraseLine(byte);
      return true;
    }
    if (extended && this.isSpecial(byte, VLNEXT)) {
      this.literal = true;
      if (this.hasLocal(ECHO) && this.hasLocal(ECHOCTL)) {
        this.emit(CARET);
        this.emit(BACKSPACE);
      }
      return true;
    }
    if (extended && this.isSpecial(byte, VREPRINT) && this.hasLocal(ECHO)) {
      this.echo(byte);
      this.emit(NEWLINE);
      this.lineColumn = this.output.column;
      for (let at = this.input.lineStart; at != this.input.tail; at++) this.echo(this.input.at(at));
      return true;
    }
    const endOfFile = this.isSpecial(byte, VEOF);
    const endOfLine =
      byte == NEWLINE || this.isSpecial(byte, VEOL) || (extended && this.isSpecial(byte, VEOL2));
    if (endOfFile || endOfLine) {
      if (this.input.room() == 0) return false;
      if (byte == NEWLINE) {
        if (this.hasLocal(ECHO) || this.hasLocal(ECHONL)) this.emit(NEWLINE);
      } else if (endOfLine && this.hasLocal(ECHO)) {
        this.echo(byte);
      }
      this.input.putEnd(endOfFile ? END_OF_FILE : byte);
      return true;
    }
    if (!this.acceptsMore()) return false;
    this.store(byte, false);
    return true;
  }

  /** Echoes and stores an ordinary byte; what is too much for the line is dropped. */
  private store(byte: u8, literally: bool): void {
    if (this.hasLocal(ECHO)) {
      if (this.input.tail == this.input.lineStart) this.lineColumn = this.output.column;
      if (byte == NEWLINE && !literally) this.emit(NEWLINE);
      else this.echo(byte);
    }
    if (this.isCanonical() && this.input.room() <= RESERVED_FOR_END) return;
    this.input.put(byte);
  }

  /** True if the echo should be taken before more input is given. */
  isEchoPending(): bool {
    return this.echoLength > ECHO_BYTES / 2;
  }

  /** Echoes a byte, control characters as ^X. */
  private echo(byte: u8): void {
    if (this.hasLocal(ECHOCTL) && isControl(byte) && byte != TAB) {
      this.emit(CARET);
      this.emit(byte ^ 0x40);
    } else {
      this.emit(byte);
    }
  }

  /** Sends a byte to the screen, with output processing. */
  private emit(byte: u8): void {
    if (this.echoLength + MAX_EXPANSION > ECHO_BYTES) return;
    this.echoLength += this.output.process(
      byte,
      this.settings,
      this.echoAddress + <usize>this.echoLength,
    );
  }

  /** True if `byte` continues a UTF-8 character. */
  private isContinuation(byte: u8): bool {
    return this.hasInput(IUTF8) && (byte & 0xc0) == 0x80;
  }

  private eraseCharacter(key: u8): void {
    if (this.input.tail == this.input.lineStart) return;
    if (this.hasLocal(ECHO) && !this.hasLocal(ECHOE)) this.echo(key);
    this.removeCharacter();
  }

  private eraseWord(key: u8): void {
    if (this.input.tail == this.input.lineStart) return;
    if (this.hasLocal(ECHO) && !this.hasLocal(ECHOE)) this.echo(key);
    let inWord = false;
    while (this.input.tail != this.input.lineStart) {
      const wordByte = isWordByte(this.input.at(this.input.tail - 1));
      if (inWord && !wordByte) break;
      if (wordByte) inWord = true;
      this.removeCharacter();
    }
  }

  private eraseLine(key: u8): void {
    const erases = this.hasLocal(ECHOKE) && this.hasLocal(ECHOE);
    if (this.hasLocal(ECHO) && this.hasLocal(ECHOK) && erases) {
      while (this.input.tail != this.input.lineStart) this.removeCharacter();
      return;
    }
    this.input.tail = this.input.lineStart;
    if (!this.hasLocal(ECHO)) return;
    this.echo(key);
    if (this.hasLocal(ECHOK)) this.emit(NEWLINE);
  }

  /** Takes back the last character of the line, and its picture on the screen. */
  private removeCharacter(): void {
    let last = this.input.tail - 1;
    while (last != this.input.lineStart && this.isContinuation(this.input.at(last))) last--;
    const byte = this.input.at(last);
    if (this.hasLocal(ECHO) && this.hasLocal(ECHOE)) {
      const after = this.columnAt(this.input.tail);
      const before = this.columnAt(last);
      for (let column = before; column < after; column++) {
        this.emit(BACKSPACE);
        if (byte == TAB) continue;
        this.emit(SPACE);
        this.emit(BACKSPACE);
      }
    }
    this.input.tail = last;
  }

  /** The column of the screen at which the byte at `position` of the line being typed stands. */
  private columnAt(position: u32): u32 {
    let column = this.lineColumn;
    for (let at = this.input.lineStart; at != position; at++) {
      const byte = this.input.at(at);
      if (byte == TAB) column = (column | 7) + 1;
      else if (isControl(byte)) column += this.hasLocal(ECHOCTL) ? 2 : 0;
      else if (!this.isContinuation(byte)) column++;
    }
    return column;
  }

  /** The settings were replaced; `before` are the old local flags. */
  settingsChanged(before: u32): void {
    if (!this.hasInput(IXON)) this.stopped = false;
    if (((before ^ this.settings.localFlags) & ICANON) == 0) return;
    this.literal = false;
    if (this.isCanonical()) this.input.finishAll();
    else this.input.lineStart = this.input.head;
  }
}

function isControl(byte: u8): bool {
  return byte < SPACE || byte == DELETE;
}

/** Words, for ^W, are letters, digits and underscores, and everything beyond ASCII. */
function isWordByte(byte: u8): bool {
  if (byte >= 0x80 || byte == 0x5f) return true;
  if (byte >= 0x30 && byte <= 0x39) return true;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
