/**
 * Runs a machine with VirtualBox, by VBoxManage: it boots from a VDI disk, and its serial line is a
 * UNIX socket. NAT forwards ports as QEMU's user network does, with the same addresses.
 * @see Oracle VirtualBox User Guide, "VBoxManage"
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FatalError } from "../errors.ts";
import { runTool } from "./command.ts";
import type { Hypervisor, MachineSpec, RunningMachine } from "./hypervisor.ts";
import { serialMachine } from "./serial-machine.ts";
import { connectSerial, endOf } from "./serial-socket.ts";

/** Names and places of one machine. */
export interface VirtualBoxNames {
  readonly name: string;
  readonly folder: string;
  readonly serialPath: string;
}

/** The commands that make and start a machine, in order. */
export function virtualBoxCommands(spec: MachineSpec, names: VirtualBoxNames): string[][] {
  const { name, folder, serialPath } = names;
  if (spec.bootDisk === undefined) throw new FatalError("VirtualBox boots from disks only");
  const memory = String(Math.max(4, Math.ceil(spec.memoryBytes / 2 ** 20)));
  return [
    ["createvm", "--name", name, "--ostype", "Other_64", "--basefolder", folder, "--register"],
    [
      ...["modifyvm", name, "--memory", memory, "--cpus", String(spec.cpus), "--ioapic", "on"],
      ...["--boot1", "disk", "--audio-enabled", "off", "--graphicscontroller", "none"],
      ...["--uart1", "0x3F8", "4", "--uartmode1", "server", serialPath],
      ...networkArguments(spec),
    ],
    ["storagectl", name, "--name", "disk", "--add", "sata", "--controller", "IntelAhci"],
    [
      ...["storageattach", name, "--storagectl", "disk", "--port", "0", "--device", "0"],
      ...["--type", "hdd", "--medium", spec.bootDisk.path],
    ],
    ["startvm", name, "--type", "headless"],
  ];
}

function networkArguments({ network }: MachineSpec): string[] {
  if (network === undefined) return ["--nic1", "none"];
  const { backend, mac } = network;
  const card = ["--nictype1", "virtio"];
  const address = mac === undefined ? [] : ["--macaddress1", mac.replaceAll(":", "")];
  if (backend.kind === "bridge") {
    return ["--nic1", "bridged", "--bridgeadapter1", backend.name, ...card, ...address];
  }
  const forwards = "forwards" in backend ? backend.forwards : [];
  const rules = forwards.flatMap(({ protocol, hostAddress, hostPort, guestPort }) => {
    const rule = `${protocol}${hostPort},${protocol},${hostAddress},${hostPort},,${guestPort}`;
    return ["--natpf1", rule];
  });
  return ["--nic1", "nat", ...card, ...address, ...rules];
}

/** VirtualBox, driven by the VBoxManage at a path, as a hypervisor. */
export function virtualBox(manage: string): Hypervisor {
  return { start: (spec) => start(manage, spec) };
}

async function start(manage: string, spec: MachineSpec): Promise<RunningMachine> {
  const folder = mkdtempSync(join(tmpdir(), "capstan-"));
  const name = `capstan-${randomBytes(6).toString("hex")}`;
  const names = { name, folder, serialPath: join(folder, "serial") };
  const kill = (): void => void runTool(manage, ["controlvm", name, "poweroff"]).catch(() => {});
  const clear = async (): Promise<void> => {
    await runTool(manage, ["unregistervm", name, "--delete"]).catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const args of virtualBoxCommands(spec, names)) await runTool(manage, args);
    const socket = await connectSerial(names.serialPath);
    return serialMachine({
      pid: 0,
      input: socket,
      output: socket,
      ended: endOf(socket, clear),
      status: async () => {
        const text = await runTool(manage, ["showvminfo", name, "--machinereadable"]);
        return /^VMState="(.*)"$/m.exec(text)?.[1] ?? "unknown";
      },
      requestStop: async () => false,
      afterExit: kill,
      kill,
    });
  } catch (error) {
    kill();
    await clear();
    throw error;
  }
}
