/**
 * Terminals: the line discipline of termios(3) between a line (serial port, virtio console) and the
 * application.
 *
 * Neighbours: `console/termios` has the flags and ABI layouts; `linux/` registers who gets signals.
 */
import { CharacterDevice } from "../character";

/** Receives the signal that a terminal key asks for (SIGINT 2, SIGQUIT 3, SIGTSTP 20, SIGWINCH 28). */
export type TtySignalHandler = (signal: i32) => void;

/** Registers the receiver of terminal signals; called in interrupt context, must not sleep. */
export function setTtySignalHandler(handler: TtySignalHandler): void {}

/** The terminal that is the application's console (per `console=serial` or `console=hvc`), or null. */
export function consoleTty(): CharacterDevice | null {
  return null;
}
