/**
 * The hypervisors that capstan knows, as data: what each can do and how it is driven. The table in
 * `docs/hypervisors.md` is checked against it. The files of the hypervisors are imported when one
 * is used. Neighbours: `../commands/run-plan.ts` (the user), `find-program.ts`.
 */
import { UserError } from "../errors.ts";
import type { Hypervisor, MachineSpec } from "./hypervisor.ts";
import type { HypervisorName } from "./hypervisor-names.ts";
import type { NetworkSpec } from "./network.ts";

/** What is known of a hypervisor. */
export interface HypervisorFacts {
  readonly title: string;
  /** The program by which it is driven. */
  readonly program: string;
  /** Environment variable that names another one. */
  readonly variable: string;
  /** How to get it, for the message when it is missing. */
  readonly install: string;
  /** Kernel and root image apart, or one disk in this format. */
  readonly boots: "kernel" | { readonly diskFormat: string };
  /** Whether it has the streams of QEMU: standard streams apart, control channel, signals. */
  readonly hasStreams: boolean;
  readonly networks: readonly NetworkSpec["backend"]["kind"][];
  /** How it was tested, for the table. */
  readonly tested: string;
  readonly open: (programPath: string) => Promise<Hypervisor>;
  /** What it would be told, as text. */
  readonly describe: (spec: MachineSpec) => Promise<string>;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const lines = (commands: readonly (readonly string[])[]): string =>
  commands.map((words) => `${words.map(quote).join(" ")}\n`).join("");

/** A word as a POSIX shell reads it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** All hypervisors. */
export const hypervisors: Readonly<Record<HypervisorName, HypervisorFacts>> = {
  qemu: {
    title: "QEMU",
    program: "qemu-system-x86_64",
    variable: "CAPSTAN_QEMU",
    install:
      process.platform === "darwin"
        ? "brew install qemu"
        : "sudo apt-get install qemu-system-x86 (Debian, Ubuntu), " +
          "sudo dnf install qemu-system-x86 (Fedora) or the like",
    boots: "kernel",
    hasStreams: true,
    networks: ["user", "tap", "bridge", "switch"],
    tested: "machines run in every test",
    open: async (path) => (await import("./qemu.ts")).qemuHypervisor(path),
    describe: async (spec) => {
      const { qemuArguments } = await import("./qemu-arguments.ts");
      return lines([["qemu-system-x86_64", ...qemuArguments(spec)]]);
    },
  },
  firecracker: {
    title: "Firecracker",
    program: "firecracker",
    variable: "CAPSTAN_FIRECRACKER",
    install: "download it from the project's releases; it needs KVM",
    boots: "kernel",
    hasStreams: false,
    networks: ["tap"],
    tested: "requests against its API description; a double that runs the same machine in QEMU",
    open: async (path) => (await import("./firecracker.ts")).firecracker(path),
    describe: async (spec) =>
      json((await import("./firecracker.ts")).firecrackerConfiguration(spec)),
  },
  "cloud-hypervisor": {
    title: "Cloud Hypervisor",
    program: "cloud-hypervisor",
    variable: "CAPSTAN_CLOUD_HYPERVISOR",
    install: "download it from the project's releases; it needs KVM",
    boots: "kernel",
    hasStreams: false,
    networks: ["tap"],
    tested: "requests against its API description; a double that runs the same machine in QEMU",
    open: async (path) => (await import("./cloud-hypervisor.ts")).cloudHypervisor(path),
    describe: async (spec) =>
      json((await import("./cloud-hypervisor.ts")).cloudHypervisorConfiguration(spec)),
  },
  libvirt: {
    title: "libvirt",
    program: "virsh",
    variable: "CAPSTAN_VIRSH",
    install: "sudo apt-get install libvirt-clients libvirt-daemon-system, or the like",
    boots: "kernel",
    hasStreams: false,
    networks: ["user", "tap", "bridge"],
    tested: "a recording double",
    open: async (path) => (await import("./libvirt.ts")).libvirt(path),
    describe: async (spec) =>
      (await import("./libvirt.ts")).libvirtXml(spec, "capstan", "/run/capstan.serial"),
  },
  xen: {
    title: "Xen",
    program: "xl",
    variable: "CAPSTAN_XL",
    install: "install Xen on the host; capstan must run in its first domain, as root",
    boots: "kernel",
    hasStreams: false,
    networks: ["bridge"],
    tested: "a recording double",
    open: async (path) => (await import("./xen.ts")).xen(path),
    describe: async (spec) => (await import("./xen.ts")).xlConfiguration(spec, "capstan"),
  },
  virtualbox: {
    title: "VirtualBox",
    program: "VBoxManage",
    variable: "CAPSTAN_VBOXMANAGE",
    install: "install VirtualBox",
    boots: { diskFormat: "vdi" },
    hasStreams: false,
    networks: ["user", "bridge"],
    tested: "a recording double",
    open: async (path) => (await import("./virtualbox.ts")).virtualBox(path),
    describe: async (spec) => {
      const { virtualBoxCommands } = await import("./virtualbox.ts");
      const names = { name: "capstan", folder: ".", serialPath: "/run/capstan.serial" };
      return lines(virtualBoxCommands(spec, names).map((args) => ["VBoxManage", ...args]));
    },
  },
  vmware: {
    title: "VMware Workstation, Player",
    program: "vmrun",
    variable: "CAPSTAN_VMRUN",
    install: "install VMware Workstation or Player",
    boots: { diskFormat: "vmdk" },
    hasStreams: false,
    networks: ["user", "bridge"],
    tested: "a recording double",
    open: async (path) => (await import("./vmware.ts")).vmware(path),
    describe: async (spec) => (await import("./vmware.ts")).vmxFile(spec, "/run/capstan.serial"),
  },
};

/**
 * Refuses what a hypervisor cannot do, before anything is built.
 * @throws UserError `NotSupported`
 */
export function assertSupported(name: HypervisorName, network: NetworkSpec | undefined): void {
  const { title, networks } = hypervisors[name];
  const kind = network?.backend.kind;
  if (kind === undefined || networks.includes(kind)) return;
  const others = networks.filter((each) => each !== "switch");
  throw new UserError({
    code: "NotSupported",
    what: `${title} cannot connect a machine with the ${kind} network`,
    why: `it has: ${others.join(", ")}${kind === "user" ? "; ports (-p) need the user network" : ""}`,
    fix: `use --net ${others[0]}=NAME, or --hypervisor qemu`,
  });
}
