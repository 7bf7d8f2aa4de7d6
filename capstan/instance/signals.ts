/**
 * Names of signals, as images and users write them, and their numbers on Linux for x86-64: those
 * of the guest, whatever the host is (signal(7)).
 */
import { UserError } from "../errors.ts";

const names =
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP " +
  "TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";
const numbers = new Map(names.split(" ").map((name, at) => [name, at + 1]));

/**
 * The number of a signal: `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`.
 * @throws UserError `BadSignal`
 */
export function signalNumber(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, "");
  const realTime = /^RTMIN\+(\d+)$/.exec(name);
  // The C library keeps 32 and 33 for itself (signal(7)).
  const number = realTime
    ? 34 + Number(realTime[1])
    : (numbers.get(name) ?? (/^\d+$/.test(name) ? Number(name) : 0));
  if (number >= 1 && number <= 64) return number;
  throw new UserError({
    code: "BadSignal",
    what: `there is no signal ${text}`,
    why: "it takes a name of signal(7) or a number from 1 to 64",
    fix: "for example: SIGTERM, INT, 15",
  });
}
