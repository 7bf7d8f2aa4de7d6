/**
 * Runs QEMU with the flags that both guests share, and watches the serial console.
 *
 * The flags are QEMU's own defaults for microvm (with ACPI, RTC and PIC), because Linux boots
 * soonest with them; `capstan run` uses fewer devices, which a row of its own shows.
 */
import { spawn } from "node:child_process";
import { Socket } from "node:net";
import { findLeash } from "../../capstan/hypervisor/leash.ts";
import type { BootRequest, BootResult, GuestNetwork } from "./guest.ts";

/** How guest instructions are executed, the same for both guests. */
export interface MachineFlags {
  readonly qemuPath: string;
  readonly accelerator: string;
  /**
   * The guest's clock counts instructions: one takes 1 ns, whatever the host does meanwhile, and a
   * wait takes no time (QEMU's manual, -icount).
   */
  readonly countsInstructions: boolean;
  /** Number of processors; default 1. */
  readonly cpus?: number;
}

/** What differs between the guests. */
export interface GuestFiles {
  /** Absent when the guest starts from its disk. */
  readonly kernel?: { readonly path: string; readonly commandLine: string };
  readonly initrd?: string;
  readonly disk: string;
}

const defaultMemoryMiB = 256;
const defaultTimeoutMs = 120_000;

/** Boots a guest and stays with it to its end. */
export function bootMachine(
  flags: MachineFlags,
  files: GuestFiles,
  request: BootRequest,
): Promise<BootResult> {
  const leash = findLeash();
  const isPc = request.from === "disk";
  const { kernel } = files;
  const memory = `${request.memoryMiB ?? defaultMemoryMiB}M`;
  const [program = flags.qemuPath, ...args] = [
    ...leash.prefix,
    ...(request.network?.prefix ?? []),
    flags.qemuPath,
    ...["-M", isPc ? "q35" : "microvm", "-accel", flags.accelerator],
    ...[
      "-cpu",
      flags.accelerator === "tcg" ? "max" : "host",
      "-smp",
      `${flags.cpus ?? 1}`,
      "-m",
      memory,
    ],
    ...(flags.countsInstructions ? ["-icount", "shift=0,sleep=off"] : []),
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ...(isPc ? [] : ["-global", "virtio-mmio.force-legacy=false"]),
    ...["-drive", `if=none,id=root,format=raw,readonly=on,file=${files.disk}`],
    ...["-device", `virtio-blk-${isPc ? "pci" : "device"},drive=root`],
    ...(request.network === undefined ? [] : networkCard(request.network)),
    ...["-chardev", "socket,id=serial,fd=3", "-serial", "chardev:serial"],
    ...(kernel === undefined ? [] : ["-kernel", kernel.path, "-append", kernel.commandLine]),
    ...(files.initrd === undefined ? [] : ["-initrd", files.initrd]),
    ...(request.qemuOptions ?? []),
  ];
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    timeout: request.timeoutMs ?? defaultTimeoutMs,
    killSignal: "SIGKILL",
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  // Now the program has been executed (libuv waits for that); what Node took for it is no guest's time.
  const startMs = performance.now();
  leash.attach(child);
  const serial = child.stdio[3];
  if (!(serial instanceof Socket)) throw new Error("QEMU's serial channel was not opened");
  const console = new ConsoleReader(startMs, (line) => request.onLine?.(line, child.pid ?? 0));
  let errors = "";
  serial.on("error", () => {});
  serial.on("data", (bytes: Buffer) => console.push(bytes));
  child.stderr?.on("data", (bytes: Buffer) => {
    errors += bytes.toString("utf8");
  });
  return new Promise((resolve, reject) => {
    child.on("error", (error) => {
      if (error.name !== "AbortError") reject(error);
    });
    child.on("close", () => resolve(console.finish(errors)));
  });
}

function networkCard({ tap, wirePath, cardOptions = "" }: GuestNetwork): string[] {
  return [
    "-netdev",
    wirePath === undefined
      ? `tap,id=net,ifname=${tap},script=no,downscript=no`
      : `stream,id=net,server=off,addr.type=unix,addr.path=${wirePath}`,
    ...["-device", `virtio-net-device,netdev=net,mac=52:54:00:12:34:56${cardOptions}`],
  ];
}

/** Cuts the console's bytes into lines. Lines of the kernel (`[    0.1] …`) do not count. */
class ConsoleReader {
  readonly #startMs: number;
  readonly #onLine: (line: string) => void;
  readonly #lines: string[] = [];
  #noise = "";
  #rest = "";
  #firstLineMs: number | null = null;

  constructor(startMs: number, onLine: (line: string) => void) {
    this.#startMs = startMs;
    this.#onLine = onLine;
  }

  push(bytes: Buffer): void {
    const pieces = (this.#rest + bytes.toString("latin1")).split("\n");
    this.#rest = pieces.pop() ?? "";
    for (const piece of pieces) {
      const line = piece.replace(/\r/g, "");
      if (!/^(hello|result |sleeping|done|0x)/.test(line)) {
        this.#noise += `${line}\n`;
        continue;
      }
      this.#firstLineMs ??= performance.now() - this.#startMs;
      this.#lines.push(line);
      this.#onLine(line);
    }
  }

  finish(errors: string): BootResult {
    const results = new Map<string, number>();
    for (const line of this.#lines) {
      const [, name, value] = /^result (\S+) (\S+)$/.exec(line) ?? [];
      if (name !== undefined) results.set(name, Number(value));
    }
    return {
      lines: this.#lines,
      results,
      firstLineMs: this.#firstLineMs,
      finished: this.#lines.includes("done"),
      diagnostics: (errors + this.#noise + this.#rest).slice(-2000),
    };
  }
}
