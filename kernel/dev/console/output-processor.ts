/**
 * Output processing of a terminal (termios(3), c_oflag): line ends and tabs, and the column the
 * cursor is in, which erasing a tab needs.
 *
 * Neighbours: `console/tty` for what programs write, `console/line-discipline` for echo.
 */
import { IUTF8, OCRNL, OLCUC, ONLCR, ONLRET, ONOCR, OPOST, Termios, XTABS } from "./termios";

/** The most bytes that one byte can become. */
export const MAX_EXPANSION: u32 = 8;

const BACKSPACE: u8 = 0x08;
const TAB: u8 = 0x09;
const NEWLINE: u8 = 0x0a;
const RETURN: u8 = 0x0d;
const SPACE: u8 = 0x20;
const TAB_WIDTH: u32 = 8;

export class OutputProcessor {
  /** Column of the cursor, from 0. */
  column: u32 = 0;

  /**
   * Writes what `byte` becomes to `out`, at most MAX_EXPANSION bytes.
   * @returns how many
   */
  process(byte: u8, settings: Termios, out: usize): u32 {
    const flags = settings.outputFlags;
    if ((flags & OPOST) == 0) {
      store<u8>(out, byte);
      return 1;
    }
    switch (byte) {
      case NEWLINE:
        if (flags & ONLRET) this.column = 0;
        if (flags & ONLCR) {
          this.column = 0;
          store<u8>(out, RETURN);
          store<u8>(out, NEWLINE, 1);
          return 2;
        }
        break;
      case RETURN:
        if ((flags & ONOCR) != 0 && this.column == 0) return 0;
        this.column = 0;
        if (flags & OCRNL) byte = NEWLINE;
        break;
      case TAB: {
        const width = TAB_WIDTH - (this.column & (TAB_WIDTH - 1));
        this.column += width;
        if ((flags & XTABS) != XTABS) break;
        memory.fill(out, SPACE, width);
        return width;
      }
      case BACKSPACE:
        if (this.column > 0) this.column--;
        break;
      default:
        if (byte < SPACE || byte == 0x7f) break;
        if ((flags & OLCUC) != 0 && byte >= 0x61 && byte <= 0x7a) byte -= 0x20;
        // Bytes after the first of a UTF-8 character take no column of their own.
        if ((settings.inputFlags & IUTF8) == 0 || (byte & 0xc0) != 0x80) this.column++;
    }
    store<u8>(out, byte);
    return 1;
  }
}
