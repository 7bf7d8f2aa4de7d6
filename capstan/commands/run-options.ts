/**
 * The options of `capstan run`: as data for the parser, and as typed values for the command.
 */

import { accelerators, machines } from "../config/run-defaults.ts";
import { UserError } from "../errors.ts";
import type { AcceleratorChoice } from "../hypervisor/accelerator.ts";
import type { MachineType } from "../hypervisor/hypervisor.ts";
import { type HypervisorName, hypervisorNames } from "../hypervisor/hypervisor-names.ts";
import { type NetworkSpec, parseNetwork } from "../hypervisor/network.ts";
import { checkName } from "../instance/store.ts";
import type { GuestConsole } from "../protocol/command-line.ts";
import { traceFamilies, traceNumbers } from "../run/trace-filter.ts";
import { parseChoice, parseCount, parseMemory, parseSeconds } from "../text/option-values.ts";
import { type CommandInput, type OptionDefinition, optionList, optionText } from "./command.ts";
import { sourceOptionDefinitions } from "./source-options.ts";

const bootChoices = ["kernel", "raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx"] as const;
const consoleNames = ["auto", "serial", "virtio"] as const;

/** Every option of `capstan run`. */
export const runOptionDefinitions: readonly OptionDefinition[] = [
  {
    flags: "-m, --memory <size>",
    setting: "memory",
    description: "memory of the machine: 6M, 1G, …",
    initial: "512M",
  },
  {
    flags: "-c, --cpus <count>",
    setting: "cpus",
    description: "processors of the machine",
    initial: "1",
  },
  ...sourceOptionDefinitions,
  {
    flags: "--accel <name>",
    setting: "accel",
    description: "auto (tries the hardware's, else tcg), kvm, hvf or tcg",
    initial: "auto",
    choices: accelerators,
  },
  {
    flags: "--machine <name>",
    setting: "machine",
    description: "hardware that QEMU emulates: microvm, q35 or pc (q35 with --boot-from a disk)",
    initial: "microvm",
    choices: machines,
  },
  {
    flags: "--console <name>",
    description: "auto, serial or virtio: what the program's terminal is",
    initial: "auto",
    choices: consoleNames,
  },
  {
    flags: "-p, --publish <host:guest>",
    description: "forward a port of this machine to the guest: 8080:80, 53:53/udp",
    repeats: true,
  },
  {
    flags: "-P, --publish-all",
    description: "forward the same port of this machine to each one that an image names",
  },
  {
    flags: "--net <name>",
    description: "user (NAT, needs no root), tap=NAME[,queues=COUNT], bridge=NAME or none",
  },
  {
    flags: "--ip <address/bits>",
    description: "the guest's address: ADDRESS/BITS[,GATEWAY] or dhcp",
  },
  { flags: "--mac <address>", description: "address of the network card" },
  { flags: "--pcap <file>", description: "write all packets to this file" },
  {
    flags: "--hypervisor <name>",
    setting: "hypervisor",
    description: `what runs the machine: ${hypervisorNames.join(", ")}`,
    initial: "qemu",
    choices: hypervisorNames,
  },
  {
    flags: "--boot-from <what>",
    description: "kernel, or a disk with a boot loader: raw, qcow2, vmdk, vdi, vhd or vhdx",
    initial: "kernel",
    choices: bootChoices,
  },
  { flags: "--dry-run", description: "print what the hypervisor would be told; start nothing" },
  { flags: "-d, --detach", description: "run in the background and print the instance's name" },
  { flags: "--name <name>", description: "name of the background instance" },
  { flags: "--rm", description: "delete the background instance when it has ended" },
  { flags: "--timeout <seconds>", description: "end the machine after this time" },
  { flags: "--verbose", description: "show the kernel's log and timings on stderr" },
  {
    flags: "--trace [filter]",
    needsEquals: true,
    description: `show system calls on stderr; filter: names or families (${traceFamilies.join(", ")})`,
  },
  { flags: "--quiet", description: "do not list system calls that were missing" },
  { flags: "--json", description: "print one JSON object about the run on stdout" },
  {
    flags: "--kernel <file>",
    setting: "kernel",
    description: "boot this kernel (an ELF file with a PVH entry)",
  },
  { flags: "--gdb [port]", description: "wait for gdb on this port of 127.0.0.1 (1234)" },
];

/** What is asked of a background instance. */
export interface DetachOptions {
  /** Undefined: one is made from the program's name. */
  readonly name: string | undefined;
  readonly removesItself: boolean;
}

/** The options as typed values. */
export interface RunOptions {
  /** Undefined: the program runs in the foreground. */
  readonly detach: DetachOptions | undefined;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly accel: AcceleratorChoice;
  readonly machine: MachineType;
  readonly hypervisor: HypervisorName;
  /** Format of the disk that the machine starts from; undefined: kernel and root image apart. */
  readonly bootFrom: string | undefined;
  readonly isDryRun: boolean;
  /** Undefined: chosen by whether capstan has a terminal. */
  readonly console: GuestConsole | undefined;
  readonly timeoutMs: number | undefined;
  readonly verbose: boolean;
  /** Numbers of the system calls to show, as `0-3,257`, "" for all; undefined: no trace. */
  readonly trace: string | undefined;
  readonly quiet: boolean;
  readonly json: boolean;
  readonly kernel: string | undefined;
  readonly gdbPort: number | undefined;
  /** Whether the ports that the source names are forwarded, too. */
  readonly publishesAll: boolean;
  /** Undefined: no network card. */
  readonly network: NetworkSpec | undefined;
}

const consoles = { auto: undefined, serial: "serial", virtio: "hvc" } as const;

/**
 * Reads the options.
 * @throws UserError when a value is not understood
 */
export function parseRunOptions(input: CommandInput): RunOptions {
  const { options } = input;
  const text = (name: string) => optionText(options, name);
  const list = (name: string) => optionList(options, name);
  const timeout = text("timeout");
  const bootFrom = parseChoice("--boot-from", text("bootFrom") ?? "kernel", bootChoices);
  const machine = parseChoice("--machine", text("machine") ?? "microvm", machines);
  const gdb = options.gdb === true ? "1234" : text("gdb");
  const consoleName = parseChoice("--console", text("console") ?? "auto", consoleNames);
  return {
    detach: parseDetach(options.detach === true, text("name"), options.rm === true),
    memoryBytes: parseMemory(text("memory") ?? "512M"),
    cpus: parseCount("--cpus", text("cpus") ?? "1", 1, 64),
    accel: parseChoice("--accel", text("accel") ?? "auto", accelerators),
    hypervisor: parseChoice("--hypervisor", text("hypervisor") ?? "qemu", hypervisorNames),
    bootFrom: bootFrom === "kernel" ? undefined : bootFrom,
    // No firmware starts from the disks of a microvm.
    machine: bootFrom !== "kernel" && machine === "microvm" ? "q35" : machine,
    isDryRun: options.dryRun === true,
    console: consoles[consoleName],
    timeoutMs: timeout === undefined ? undefined : parseSeconds("--timeout", timeout),
    verbose: options.verbose === true,
    trace: options.trace === undefined ? undefined : traceNumbers(text("trace") ?? "all"),
    quiet: options.quiet === true,
    json: options.json === true,
    kernel: text("kernel"),
    publishesAll: options.publishAll === true,
    network: parseNetwork({
      publish: list("publish"),
      net: text("net"),
      ip: text("ip"),
      mac: text("mac"),
      pcap: text("pcap"),
    }),
    gdbPort: gdb === undefined ? undefined : parseCount("--gdb", gdb, 1, 65535),
  };
}

function parseDetach(
  isDetached: boolean,
  name: string | undefined,
  removesItself: boolean,
): DetachOptions | undefined {
  if (isDetached) return { name: name === undefined ? undefined : checkName(name), removesItself };
  if (name === undefined && !removesItself) return undefined;
  throw new UserError({
    code: "WrongUsage",
    what: `${name === undefined ? "--rm" : "--name"} was not understood`,
    why: "only an instance in the background has a name and is kept when it ends",
    fix: "add -d, or leave the option out",
  });
}
