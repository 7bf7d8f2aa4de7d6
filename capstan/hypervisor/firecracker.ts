/**
 * Runs a machine with Firecracker, through the API on its UNIX socket. The same settings in one
 * file (`--config-file`) are what `--dry-run` prints.
 *
 * Firecracker has a serial line as its only console, on its own standard input and output, and no
 * port for the control channel. Cards are tap devices; ports are not forwarded.
 * @see Firecracker, src/firecracker/swagger/firecracker.yaml
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FatalError } from "../errors.ts";
import { type ApiRequest, callApi, whenOpen } from "./api-socket.ts";
import type { Hypervisor, MachineSpec, RunningMachine } from "./hypervisor.ts";
import { findLeash, type Leash } from "./leash.ts";
import { startVmm } from "./process.ts";
import { serialMachine } from "./serial-machine.ts";

/** The file for `--config-file` (FullVmConfiguration). */
export function firecrackerConfiguration(spec: MachineSpec) {
  const { kernelPath, commandLine, initrdPath, rootImagePath, network } = spec;
  const tap = network?.backend.kind === "tap" ? network.backend.name : undefined;
  return {
    "boot-source": {
      kernel_image_path: kernelPath,
      boot_args: commandLine,
      ...(initrdPath === undefined ? {} : { initrd_path: initrdPath }),
    },
    drives: [
      ...(rootImagePath === undefined
        ? []
        : [
            {
              drive_id: "root",
              path_on_host: rootImagePath,
              // As the root device, Firecracker would add its own root= to the command line.
              is_root_device: false,
              is_read_only: true,
            },
          ]),
    ],
    "machine-config": {
      vcpu_count: spec.cpus,
      mem_size_mib: Math.ceil(spec.memoryBytes / 2 ** 20),
    },
    "network-interfaces": [
      ...(tap === undefined
        ? []
        : [
            {
              iface_id: "eth0",
              host_dev_name: tap,
              ...(network?.mac === undefined ? {} : { guest_mac: network.mac }),
            },
          ]),
    ],
    entropy: {},
  };
}

/** The same as requests, in the order in which they are to be made; the last one starts it. */
export function firecrackerRequests(spec: MachineSpec): ApiRequest[] {
  const configuration = firecrackerConfiguration(spec);
  const put = (path: string, body: object): ApiRequest => ({ method: "PUT", path, body });
  return [
    put("/machine-config", configuration["machine-config"]),
    put("/boot-source", configuration["boot-source"]),
    ...configuration.drives.map((drive) => put(`/drives/${drive.drive_id}`, drive)),
    ...configuration["network-interfaces"].map((card) => {
      return put(`/network-interfaces/${card.iface_id}`, card);
    }),
    put("/entropy", configuration.entropy),
    put("/actions", { action_type: "InstanceStart" }),
  ];
}

/** Firecracker at a path as a hypervisor. */
export function firecracker(path: string, leash: Leash = findLeash()): Hypervisor {
  return { start: (spec) => start(path, leash, spec) };
}

async function start(path: string, leash: Leash, spec: MachineSpec): Promise<RunningMachine> {
  const folder = mkdtempSync(join(tmpdir(), "capstan-"));
  const socketPath = join(folder, "api.sock");
  const forget = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const args = ["--api-sock", socketPath, "--level", "Error"];
    const { child, ended } = await whenOpen(socketPath, () =>
      startVmm(path, args, ["pipe", "pipe", "pipe"], leash),
    );
    const { stdin, stdout } = child;
    if (stdin === null || stdout === null) throw new FatalError("Firecracker has no console");
    const kill = (): void => {
      child.kill("SIGKILL");
    };
    try {
      for (const request of firecrackerRequests(spec)) await callApi(socketPath, request);
    } catch (error) {
      kill();
      throw error;
    }
    void ended.then(forget);
    return serialMachine({
      pid: child.pid ?? 0,
      input: stdin,
      output: stdout,
      ended,
      status: async () => stateOf(await callApi(socketPath, { method: "GET", path: "/" })),
      // Ctrl-Alt-Del arrives at a keyboard controller that the guest does not listen to.
      requestStop: async () => false,
      kill,
    });
  } catch (error) {
    forget();
    throw error;
  }
}

/** `state` of InstanceInfo. */
function stateOf(answer: unknown): string {
  const hasState = typeof answer === "object" && answer !== null && "state" in answer;
  return hasState ? String(answer.state).toLowerCase() : "unknown";
}
