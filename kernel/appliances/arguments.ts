/**
 * What an appliance was told on the command line, and how it says that it cannot start.
 *
 * Neighbours: `start.ts` makes it; `linux/command-line` has decoded the words; `linux/machine-end`.
 */
import { stringLength } from "../lib/bytes";
import { ProgramStrings } from "../linux/initial-stack";
import { beginError, endWithError } from "../linux/machine-end";
import { reportPiece, reportPieceBytes } from "../linux/report";

const STATUS_WRONG_USAGE: i32 = 64; // EX_USAGE of sysexits.h(3head)

export class ApplianceArguments {
  /** @param program its argument strings, the first of which is the appliance's name */
  constructor(private program: ProgramStrings) {}

  /** Words after the name. */
  get count(): u32 {
    return this.program.argumentCount - 1;
  }

  /** Word number `index`, zero-terminated. */
  at(index: u32): usize {
    let address = this.program.strings;
    for (let i: u32 = 0; i <= index; i++) address += stringLength(address) + 1;
    return address;
  }

  lengthAt(index: u32): usize {
    return stringLength(this.at(index));
  }

  /** Ends the machine with a message. */
  fail(why: string): void {
    beginError();
    this.sayName();
    reportPiece(why);
    endWithError(STATUS_WRONG_USAGE);
  }

  /** Ends the machine with a message about one of the words. */
  failAt(index: u32, why: string): void {
    beginError();
    this.sayName();
    reportPieceBytes(this.at(index), this.lengthAt(index));
    reportPiece(" ");
    reportPiece(why);
    endWithError(STATUS_WRONG_USAGE);
  }

  private sayName(): void {
    const name = this.program.strings;
    reportPieceBytes(name, stringLength(name));
    reportPiece(": ");
  }
}
