/**
 * What a benchmark is: an experiment that fills one or several rows of the table. Experiments with
 * a guest run on both guests in turn; others look at files or at capstan itself. Later work adds
 * rows by adding an experiment to `experiments/index.ts`.
 */
import type { BenchGuest } from "./guests/guest.ts";
import type { MachineFlags } from "./guests/machine.ts";
import type { LinuxKernel } from "./linux/debian-kernel.ts";
import type { Better } from "./statistics.ts";

/** A row of the table. */
export interface RowDefinition {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly better: Better;
  /** What the project wants to reach, for the reader: `≥ 25×`, `≤ 6 MB`. */
  readonly goal?: string;
}

/** Values by row id. */
export type Values = Readonly<Record<string, number>>;

/** What experiments may use besides a guest. */
export interface BenchContext {
  readonly kernelPath: string;
  readonly linux: LinuxKernel;
  /** The flags of both guests. */
  readonly flags: MachineFlags;
  /** For files that are made on the way. */
  readonly buildFolder: string;
  readonly qemuPath: string;
  readonly say: (text: string) => void;
}

/** An experiment that measures a guest. */
export interface GuestExperiment {
  readonly kind: "guest";
  readonly rows: readonly RowDefinition[];
  /** How often it is repeated at most; rows that hardly vary need one run. */
  readonly mostRuns?: number;
  /** It is measured only when `--only` names it: its figures need many runs to say something. */
  readonly isOptional?: boolean;
  /** Its values are times that the guest takes itself: with `--instructions` they are counts. */
  readonly isCountable?: boolean;
  readonly measure: (guest: BenchGuest, context: BenchContext) => Promise<Values>;
}

/** An experiment without a guest. */
export interface HostExperiment {
  readonly kind: "host";
  readonly rows: readonly RowDefinition[];
  readonly measure: (context: BenchContext) => Promise<{ ours: Values; linux?: Values }>;
}

export type Experiment = GuestExperiment | HostExperiment;
