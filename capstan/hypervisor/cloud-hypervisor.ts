/**
 * Runs a machine with Cloud Hypervisor: the whole machine in one request (`vm.create`), then
 * `vm.boot`. The serial line is on its own standard input and output.
 * @see Cloud Hypervisor, vmm/src/api/openapi/cloud-hypervisor.yaml
 */
import { type ApiMonitor, startApiMachine } from "./api-machine.ts";
import type { ApiRequest } from "./api-socket.ts";
import type { Hypervisor, MachineSpec } from "./hypervisor.ts";
import { findLeash, type Leash } from "./leash.ts";

const API = "/api/v1";

/** The body of `vm.create` (VmConfig). */
export function cloudHypervisorConfiguration(spec: MachineSpec) {
  const { kernelPath, commandLine, initrdPath, rootImagePath, network } = spec;
  const tap = network?.backend.kind === "tap" ? network.backend.name : undefined;
  return {
    cpus: { boot_vcpus: spec.cpus, max_vcpus: spec.cpus },
    // Memory in units of 2 MiB, as Cloud Hypervisor wants it.
    memory: { size: Math.ceil(spec.memoryBytes / 2 ** 21) * 2 ** 21 },
    payload: {
      kernel: kernelPath,
      cmdline: commandLine,
      ...(initrdPath === undefined ? {} : { initramfs: initrdPath }),
    },
    ...(rootImagePath === undefined
      ? {}
      : { disks: [{ path: rootImagePath, readonly: true, image_type: "Raw" }] }),
    ...(tap === undefined
      ? {}
      : { net: [{ tap, ...(network?.mac === undefined ? {} : { mac: network.mac }) }] }),
    rng: { src: "/dev/urandom" },
    serial: { mode: "Tty" },
    console: { mode: "Off" },
  };
}

/** The requests that start a machine. */
export function cloudHypervisorRequests(spec: MachineSpec): ApiRequest[] {
  return [
    { method: "PUT", path: `${API}/vm.create`, body: cloudHypervisorConfiguration(spec) },
    { method: "PUT", path: `${API}/vm.boot` },
  ];
}

/** Cloud Hypervisor at a path as a hypervisor. */
export function cloudHypervisor(path: string, leash: Leash = findLeash()): Hypervisor {
  const monitor = (spec: MachineSpec): ApiMonitor => ({
    name: "Cloud Hypervisor",
    path,
    args: (socketPath) => ["--api-socket", socketPath],
    requests: cloudHypervisorRequests(spec),
    statusPath: `${API}/vm.info`,
    restarts: true,
  });
  return { start: (spec) => startApiMachine(monitor(spec), leash) };
}
