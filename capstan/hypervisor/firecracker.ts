/**
 * Runs a machine with Firecracker, through the API on its UNIX socket. The same settings in one
 * file (`--config-file`) are what `--dry-run` prints.
 *
 * Firecracker has a serial line as its only console, on its own standard input and output, and no
 * port for the control channel. Cards are tap devices; ports are not forwarded.
 * @see Firecracker, src/firecracker/swagger/firecracker.yaml
 */
import { type ApiMonitor, startApiMachine } from "./api-machine.ts";
import type { ApiRequest } from "./api-socket.ts";
import type { Hypervisor, MachineSpec } from "./hypervisor.ts";
import { findLeash, type Leash } from "./leash.ts";

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
  const monitor = (spec: MachineSpec): ApiMonitor => ({
    name: "Firecracker",
    path,
    args: (socketPath) => ["--api-sock", socketPath, "--level", "Error"],
    requests: firecrackerRequests(spec),
    statusPath: "/",
  });
  return { start: (spec) => startApiMachine(monitor(spec), leash) };
}
