/**
 * Runs a machine with VMware Workstation or Player, by `vmrun`: a .vmx file beside a VMDK disk; its
 * serial line is a UNIX socket.
 * @see VMware, "Using vmrun to Control Virtual Machines"
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FatalError } from "../errors.ts";
import { runTool } from "./command.ts";
import type { Hypervisor, MachineSpec, RunningMachine } from "./hypervisor.ts";
import { serialMachine } from "./serial-machine.ts";
import { connectSerial, endOf } from "./serial-socket.ts";

/** The machine's configuration file. */
export function vmxFile(spec: MachineSpec, serialPath: string): string {
  if (spec.bootDisk === undefined) throw new FatalError("VMware boots from disks only");
  const { network } = spec;
  const card =
    network === undefined
      ? [["ethernet0.present", "FALSE"]]
      : [
          ["ethernet0.present", "TRUE"],
          ["ethernet0.virtualDev", "vmxnet3"],
          ["ethernet0.connectionType", network.backend.kind === "bridge" ? "bridged" : "nat"],
          ...(network.mac === undefined
            ? [["ethernet0.addressType", "generated"]]
            : [
                ["ethernet0.addressType", "static"],
                ["ethernet0.address", network.mac],
              ]),
        ];
  const settings = [
    [".encoding", "UTF-8"],
    ["config.version", "8"],
    ["virtualHW.version", "14"],
    ["displayName", "capstan"],
    ["guestOS", "other-64"],
    ["memsize", String(Math.ceil(spec.memoryBytes / 2 ** 22) * 4)],
    ["numvcpus", String(spec.cpus)],
    ["pciBridge0.present", "TRUE"],
    ["sata0.present", "TRUE"],
    ["sata0:0.present", "TRUE"],
    ["sata0:0.fileName", spec.bootDisk.path],
    ["serial0.present", "TRUE"],
    ["serial0.fileType", "pipe"],
    ["serial0.fileName", serialPath],
    ["serial0.pipe.endPoint", "server"],
    ["serial0.startConnected", "TRUE"],
    ...card,
  ];
  return settings.map(([key, value]) => `${key} = "${value}"\n`).join("");
}

/** VMware, driven by the vmrun at a path, as a hypervisor. */
export function vmware(vmrun: string): Hypervisor {
  return { start: (spec) => start(vmrun, spec) };
}

async function start(vmrun: string, spec: MachineSpec): Promise<RunningMachine> {
  const folder = mkdtempSync(join(tmpdir(), "capstan-"));
  const vmx = join(folder, "capstan.vmx");
  const serialPath = join(folder, "serial");
  const kill = (): void => void runTool(vmrun, ["-T", "ws", "stop", vmx, "hard"]).catch(() => {});
  const clear = async (): Promise<void> => rmSync(folder, { recursive: true, force: true });
  try {
    writeFileSync(vmx, vmxFile(spec, serialPath));
    await runTool(vmrun, ["-T", "ws", "start", vmx, "nogui"]);
    const socket = await connectSerial(serialPath);
    return serialMachine({
      pid: 0,
      input: socket,
      output: socket,
      ended: endOf(socket, clear),
      status: async () => {
        const running = (await runTool(vmrun, ["-T", "ws", "list"])).split("\n");
        return running.includes(vmx) ? "running" : "ended";
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
