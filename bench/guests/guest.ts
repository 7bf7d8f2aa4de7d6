/**
 * A guest to measure: boots a program and tells what it printed and when. Two kinds exist, with the
 * same VMM, flags, memory and binaries: `linux.ts` and `ours.ts`.
 */

/** The network that a guest's card is connected to. */
export interface GuestNetwork {
  /** Words before a command that is to run in the network's namespace. */
  readonly prefix: readonly string[];
  /** The tap device that is the other end of the guest's card. */
  readonly tap: string;
  /** The UNIX socket of a wire between the two (`bench/network/wire.ts`). */
  readonly wirePath?: string | undefined;
  /** Further properties of the card, `,NAME=VALUE` each (`qemu-system-x86_64 -device virtio-net,help`). */
  readonly cardOptions?: string | undefined;
  /** The guest's address, in a network of 24 bits. */
  readonly address: string;
}

/** A program to boot. */
export interface BootRequest {
  /** A static program of the host. */
  readonly program: string;
  readonly args?: readonly string[];
  /** The program of our kernel's own that takes the program's place in our guest. */
  readonly appliance?: string;
  /** Files of the host that the program reads, by guest path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly memoryMiB?: number;
  /**
   * `kernel` (default): microvm, and the VMM loads the kernel. `disk`: q35; our guest starts from
   * its disk through the BIOS, Linux is still loaded by the VMM, which favours it.
   */
  readonly from?: "kernel" | "disk";
  readonly timeoutMs?: number;
  /** Directories and files of the host, `HOST:GUEST`; only with a network. */
  readonly add?: readonly string[];
  /** Gives the guest a network card. */
  readonly network?: GuestNetwork;
  /** Further words for the kernel's command line; only our guest has such. */
  readonly kernelOptions?: readonly string[];
  /** Further words for QEMU. */
  readonly qemuOptions?: readonly string[];
  /** Ends the machine. */
  readonly signal?: AbortSignal;
  /** Called when a line has arrived, with the VMM's process id. */
  readonly onLine?: (line: string, pid: number) => void;
}

/** What a boot came to. */
export interface BootResult {
  /** Lines that the program printed. */
  readonly lines: readonly string[];
  /** Values of the lines `result NAME VALUE`. */
  readonly results: ReadonlyMap<string, number>;
  /** From the start of the VMM's process to the arrival of the program's first line. */
  readonly firstLineMs: number | null;
  /** Whether the program reached its end. */
  readonly finished: boolean;
  /** What the guest said otherwise, to explain a failure. */
  readonly diagnostics: string;
}

/** A guest to measure. */
export interface BenchGuest {
  readonly name: "linux" | "ours";
  boot(request: BootRequest): Promise<BootResult>;
}
