/**
 * QEMU's command line for a machine, as a pure function. File descriptors that QEMU inherits are
 * named here and filled in by `qemu.ts`.
 *
 * Choices, measured with QEMU 7.2 under TCG (time to the first instruction of the kernel):
 * - `microvm` without ACPI starts 3 ms sooner (18 ms instead of 21 ms); its devices are announced
 *   on the kernel command line instead. Without RTC and PIC there is less to emulate. The PIT
 *   stays: under TCG it is the only clock that the TSC can be calibrated against.
 * - `q35` without SMM, SATA, SMBus, USB and VMware port starts in 50 ms instead of 63 ms.
 * - `force-legacy=false` gives virtio 1.x on MMIO; QEMU's default there is still the legacy layout.
 */

import { join } from "node:path";
import { installationRoot } from "../home.ts";
import type { MachineSpec } from "./hypervisor.ts";
import type { NetworkBackend, NetworkSpec, PortForward } from "./network.ts";

/** File descriptors of the QEMU process; each is one end of a socket pair that capstan holds. */
export const qemuFd = {
  control: 3,
  serial: 4,
  stdin: 5,
  stdout: 6,
  stderr: 7,
  terminal: 5,
  signals: 8,
} as const;

const joinBridge = join(installationRoot(), "capstan/hypervisor/join-bridge.sh");

/** The variable that tells `join-bridge.sh` which bridge. */
export const bridgeVariable = "CAPSTAN_BRIDGE";

/**
 * The argument vector after the program's name.
 * @param isRoot QEMU may make devices; otherwise its own helper must, where it is allowed to
 */
export function qemuArguments(spec: MachineSpec, isRoot = false): string[] {
  return [
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ...machineArguments(spec),
    ...["-m", memoryArgument(spec.memoryBytes), "-smp", String(spec.cpus)],
    ...(spec.bootDisk === undefined
      ? kernelArguments(spec)
      : diskArguments(spec, spec.bootDisk.path, spec.bootDisk.format)),
    ...["-device", device(spec, "virtio-rng")],
    ...channelArguments(spec),
    ...(spec.network === undefined ? [] : networkArguments(spec, spec.network, isRoot)),
    ...(spec.gdbPort === undefined ? [] : ["-gdb", `tcp:127.0.0.1:${spec.gdbPort}`, "-S"]),
  ];
}

function kernelArguments({ kernelPath, commandLine, initrdPath, ...spec }: MachineSpec): string[] {
  return [
    ...["-kernel", kernelPath, "-append", commandLine],
    ...(initrdPath === undefined ? [] : ["-initrd", initrdPath]),
    ...(spec.rootImagePath === undefined ? [] : diskArguments(spec, spec.rootImagePath, "raw")),
  ];
}

const machineOptions = {
  microvm: "microvm,acpi=off,rtc=off,pic=off,pit=on,isa-serial=on",
  q35: "q35,smm=off,sata=off,smbus=off,usb=off,vmport=off",
  pc: "pc,smm=off,usb=off,vmport=off",
} as const;

function machineArguments(spec: MachineSpec): string[] {
  const cpu = spec.accelerator === "tcg" ? "max" : "host";
  const modern = spec.machine === "microvm" ? ["-global", "virtio-mmio.force-legacy=false"] : [];
  const machine = machineOptions[spec.machine];
  const accelerator = spec.accelerator + (spec.hasOneThread === true ? ",thread=single" : "");
  return ["-M", machine, "-accel", accelerator, "-cpu", cpu, ...modern];
}

/** QEMU takes whole kibibytes. */
function memoryArgument(bytes: number): string {
  return `${Math.floor(bytes / 1024)}K`;
}

/** The name of a virtio device on the machine's bus, with extra properties. */
function device(spec: Pick<MachineSpec, "machine">, name: string, ...properties: string[]): string {
  const bus = spec.machine === "microvm" ? ["device"] : ["pci", "disable-legacy=on"];
  const [suffix, ...defaults] = bus;
  return [`${name}-${suffix}`, ...defaults, ...properties].join(",");
}

function diskArguments(spec: Pick<MachineSpec, "machine">, path: string, format: string): string[] {
  // A comma in a file name is doubled in QEMU's option syntax.
  const file = path.replaceAll(",", ",,");
  return [
    "-drive",
    `if=none,id=root,format=${format},readonly=on,file=${file}`,
    "-device",
    device(spec, "virtio-blk", "drive=root"),
  ];
}

/** A card, what it is connected with, and who listens. */
function networkArguments(spec: MachineSpec, network: NetworkSpec, isRoot: boolean): string[] {
  const { backend, ip, mac, pcap } = network;
  const hasPairs = backend.kind === "tap" && backend.queues > 1;
  const mine = [...(mac === undefined ? [] : [`mac=${mac}`]), ...(hasPairs ? ["mq=on"] : [])];
  const capture = `filter-dump,id=capture,netdev=net,file=${pcap?.replaceAll(",", ",,")}`;
  return [
    ...["-netdev", netdev(backend, ip, pcap !== undefined, isRoot)],
    ...["-device", device(spec, "virtio-net", "netdev=net", ...mine)],
    ...(pcap === undefined ? [] : ["-object", capture]),
  ];
}

/**
 * What the card is connected with.
 * @param isCaptured each frame is to be as on a wire: without the header of offloads in front
 */
function netdev(
  backend: NetworkBackend,
  ip: string | undefined,
  isCaptured: boolean,
  isRoot: boolean,
): string {
  switch (backend.kind) {
    case "tap":
      return [
        `tap,id=net,ifname=${backend.name},script=no,downscript=no`,
        ...(backend.queues > 1 ? [`queues=${backend.queues}`] : []),
        ...(isCaptured ? ["vnet_hdr=off"] : []),
      ].join(",");
    case "bridge":
      // The helper wants a list of allowed bridges from root, too.
      if (!isRoot) return `bridge,id=net,br=${backend.name}`;
      return [
        `tap,id=net,script=${joinBridge.replaceAll(",", ",,")},downscript=no`,
        ...(isCaptured ? ["vnet_hdr=off"] : []),
      ].join(",");
    case "user":
      return `user,id=net${forwardArguments(backend.forwards, ip)}`;
    case "switch": {
      const path = backend.socketPath.replaceAll(",", ",,");
      return `stream,id=net,server=off,addr.type=unix,addr.path=${path}`;
    }
  }
}

/** Ports of the host that QEMU's NAT leads to an address behind it. */
export function forwardArguments(forwards: readonly PortForward[], ip: string | undefined): string {
  // NAT leads to IPv4 addresses; where only one of IPv6 is set, DHCP gives the usual one.
  const guest = ip === undefined || ip.startsWith("[") ? "" : (ip.split("/")[0] ?? "");
  return forwards
    .map(({ protocol, hostAddress, hostPort, guestPort }) => {
      return `,hostfwd=${protocol}:${hostAddress}:${hostPort}-${guest}:${guestPort}`;
    })
    .join("");
}

function channelArguments(spec: MachineSpec): string[] {
  const socket = (id: string, fd: number): string[] => ["-chardev", `socket,id=${id},fd=${fd}`];
  const port = (name: string): string[] => [
    "-device",
    `virtserialport,chardev=${name},name=${name}`,
  ];
  const always = [
    ...[
      ...socket("control", qemuFd.control),
      "-device",
      "isa-debugcon,iobase=0xe9,chardev=control",
    ],
    ...[...socket("serial", qemuFd.serial), "-serial", "chardev:serial"],
  ];
  // Port 0 is kept for a console, also when there is none.
  const serial = (ports: number): string[] => {
    const count = ports + (spec.takesSignals === true ? 1 : 0);
    return ["-device", device(spec, "virtio-serial", `max_ports=${count}`)];
  };
  const signals =
    spec.takesSignals === true ? [...socket("signals", qemuFd.signals), ...port("signals")] : [];
  switch (spec.console) {
    case "serial":
      return [...always, ...(signals.length === 0 ? [] : serial(1)), ...signals];
    case "hvc":
      return [
        ...always,
        ...socket("console", qemuFd.terminal),
        ...serial(1),
        ...["-device", "virtconsole,chardev=console,name=console"],
        ...signals,
      ];
    case "ports":
      return [
        ...always,
        ...socket("stdin", qemuFd.stdin),
        ...socket("stdout", qemuFd.stdout),
        ...socket("stderr", qemuFd.stderr),
        ...serial(4),
        ...[...port("stdin"), ...port("stdout"), ...port("stderr")],
        ...signals,
      ];
  }
}
