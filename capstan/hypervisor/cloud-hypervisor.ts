/**
 * Runs a machine with Cloud Hypervisor: the whole machine in one request (`vm.create`), then
 * `vm.boot`. The serial line is on its own standard input and output.
 * @see Cloud Hypervisor, vmm/src/api/openapi/cloud-hypervisor.yaml
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
  return { start: (spec) => start(path, leash, spec) };
}

async function start(path: string, leash: Leash, spec: MachineSpec): Promise<RunningMachine> {
  const folder = mkdtempSync(join(tmpdir(), "capstan-"));
  const socketPath = join(folder, "api.sock");
  const forget = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const { child, ended } = await whenOpen(socketPath, () =>
      startVmm(path, ["--api-socket", socketPath], ["pipe", "pipe", "pipe"], leash),
    );
    const { stdin, stdout } = child;
    if (stdin === null || stdout === null) throw new FatalError("the VMM has no console");
    const kill = (): void => {
      child.kill("SIGKILL");
    };
    try {
      for (const request of cloudHypervisorRequests(spec)) await callApi(socketPath, request);
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
      status: async () =>
        stateOf(await callApi(socketPath, { method: "GET", path: `${API}/vm.info` })),
      // The guest does not listen to the power button yet.
      requestStop: async () => false,
      // A reset of the guest would start it again.
      afterExit: kill,
      kill,
    });
  } catch (error) {
    forget();
    throw error;
  }
}

/** `state` of VmInfo. */
function stateOf(answer: unknown): string {
  const hasState = typeof answer === "object" && answer !== null && "state" in answer;
  return hasState ? String(answer.state).toLowerCase() : "unknown";
}
