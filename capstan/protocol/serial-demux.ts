/**
 * Takes apart what a serial line carries when the control channel shares it (`control=serial`): a
 * record separator (0x1e, RFC 7464) begins a line for the control channel, all else is the console.
 * Used by `../hypervisor/serial-machine.ts`.
 */

const RECORD_SEPARATOR = 0x1e;
const LINE_FEED = 0x0a;

/** Pieces of a serial stream. */
export interface SerialPieces {
  readonly console: Buffer;
  /** Whole or partial lines of JSON, with their line breaks. */
  readonly control: Buffer;
}

/** Sorts the bytes of one line. */
export class SerialDemux {
  #isInRecord = false;

  /** Takes the next bytes; every byte but the separators comes back in one of the pieces. */
  push(bytes: Buffer): SerialPieces {
    const pieces = { console: [] as Buffer[], control: [] as Buffer[] };
    for (let at = 0; at < bytes.length; ) {
      const mark = bytes.indexOf(this.#isInRecord ? LINE_FEED : RECORD_SEPARATOR, at);
      const end = mark < 0 ? bytes.length : mark;
      if (this.#isInRecord) {
        // The line feed ends the record and belongs to it.
        pieces.control.push(bytes.subarray(at, mark < 0 ? end : end + 1));
      } else {
        pieces.console.push(bytes.subarray(at, end));
      }
      if (mark >= 0) this.#isInRecord = !this.#isInRecord;
      at = end + 1;
    }
    return { console: Buffer.concat(pieces.console), control: Buffer.concat(pieces.control) };
  }
}
