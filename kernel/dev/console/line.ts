/**
 * A line (a serial port, a console port) and who takes its input as it arrives: a terminal.
 *
 * Locks: a line's input lock may be held while the receiver is called; the receiver may then append
 * to the line's output. Neighbours: `console/tty` is a receiver; `virtio/console-port` and
 * `console/serial-line` are lines.
 */
import { OutputRing } from "./output-ring";

export abstract class InputReceiver {
  /**
   * Takes input, in interrupt context.
   * @returns how many of the `length` bytes at `bytes` were taken; the line keeps the others and
   * offers them again when `resume` is called on it
   */
  abstract receive(bytes: usize, length: usize): usize;

  /** The other end closed (true) or opened (false) the line. */
  abstract setHungUp(hungUp: bool): void;

  /** The window at the other end has this size now. */
  abstract setSize(columns: u16, rows: u16): void;
}

export abstract class TerminalLine {
  /** Where output goes. */
  abstract output(): OutputRing;

  /** Sends all input to `receiver` from now on. */
  abstract attach(receiver: InputReceiver): void;

  /** The receiver has room for input again. */
  abstract resume(): void;
}
