/**
 * A running machine whose only channel is a serial line: what all VMMs but QEMU have in common. The
 * control channel comes out of the line (`../protocol/serial-demux.ts`).
 */
import { PassThrough, type Readable, type Writable } from "node:stream";
import { ControlChannelReader } from "../protocol/control-channel.ts";
import { SerialDemux } from "../protocol/serial-demux.ts";
import type { MachineEnding, RunningMachine } from "./hypervisor.ts";

/** What a VMM does for such a machine. */
export interface SerialParts {
  readonly pid: number;
  readonly input: Writable;
  readonly output: Readable;
  readonly ended: Promise<MachineEnding>;
  readonly status: () => Promise<string>;
  readonly requestStop: () => Promise<boolean>;
  readonly kill: () => void;
  /** Called when the guest has reported its end, by VMMs that would let a reset start it again. */
  readonly afterExit?: () => void;
}

/** Puts the machine together. */
export function serialMachine(parts: SerialParts): RunningMachine {
  const { pid, input, ended, status, requestStop, kill } = parts;
  const stdout = new PassThrough();
  const control = new PassThrough();
  input.on("error", () => {});
  void sort(parts, stdout, control);
  return {
    pid,
    stdin: input,
    stdout,
    stderr: null,
    log: null,
    control,
    status,
    requestStop,
    // A serial line has no size.
    setTerminalSize: () => {},
    ended,
    kill,
  };
}

/** Reads no faster than the console is read. */
async function sort(
  { output, afterExit }: SerialParts,
  console: PassThrough,
  control: PassThrough,
): Promise<void> {
  const demux = new SerialDemux();
  const reader = new ControlChannelReader();
  try {
    for await (const bytes of output as AsyncIterable<Buffer>) {
      const pieces = demux.push(bytes);
      control.write(pieces.control);
      if (!console.write(pieces.console)) {
        await new Promise((resolve) => console.once("drain", resolve).once("close", resolve));
      }
      const events = reader.push(pieces.control);
      if (events.some(({ event }) => event === "exit" || event === "signal")) afterExit?.();
    }
  } catch {
    // A line that breaks has ended.
  }
  console.end();
  control.end();
}
