/**
 * A hypervisor for tests: a machine whose guest is a function of the test. Used by tests of
 * sessions; no part of the tool.
 */
import { PassThrough } from "node:stream";
import type { TerminalSize } from "../console/terminal.ts";
import type { Hypervisor, MachineEnding, MachineSpec, RunningMachine } from "./hypervisor.ts";

/** The guest's side of a machine's channels. */
export interface GuestSide {
  readonly spec: MachineSpec;
  readonly stdin: PassThrough;
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  readonly log: PassThrough;
  readonly control: PassThrough;
  /** Signals that the host asked for. */
  readonly signals: number[];
  /** Sizes of the terminal that the host told. */
  readonly sizes: TerminalSize[];
  /** Ends the VMM's process, and with it all channels. */
  readonly end: (ending?: Partial<MachineEnding>) => void;
}

/** A hypervisor whose machines run the given guest. */
export function hypervisorDouble(guest: (side: GuestSide) => void): Hypervisor {
  return {
    start: async (spec): Promise<RunningMachine> => {
      const stdin = new PassThrough();
      const outputs = {
        stdout: new PassThrough(),
        stderr: new PassThrough(),
        log: new PassThrough(),
        control: new PassThrough(),
      };
      let resolveEnded: (ending: MachineEnding) => void = () => {};
      const ended = new Promise<MachineEnding>((resolve) => {
        resolveEnded = resolve;
      });
      const end = (ending: Partial<MachineEnding> = {}): void => {
        for (const stream of Object.values(outputs)) stream.end();
        resolveEnded({ status: 0, signal: null, diagnostics: "", ...ending });
      };
      const signals: number[] = [];
      const sizes: TerminalSize[] = [];
      setImmediate(guest, { spec, stdin, ...outputs, signals, sizes, end });
      const requestStop = async (signal: number): Promise<boolean> => {
        signals.push(signal);
        return true;
      };
      const kill = (): void => end({ status: null, signal: "SIGKILL" });
      return {
        pid: 1,
        stdin,
        ...outputs,
        status: async () => "running",
        requestStop,
        setTerminalSize: (size) => void sizes.push(size),
        ended,
        kill,
      };
    },
  };
}
