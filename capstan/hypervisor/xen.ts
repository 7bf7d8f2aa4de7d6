/**
 * Runs a machine under Xen: an HVM domain, whose device model is QEMU, so that it has the virtio
 * disk and the serial line that the kernel knows. `xl create -p` makes it paused, `xl console`
 * connects, `xl unpause` lets it run; the console ends with the domain.
 * @see xl.cfg(5), xl(1)
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTool } from "./command.ts";
import type { Hypervisor, MachineEnding, MachineSpec, RunningMachine } from "./hypervisor.ts";
import { serialMachine } from "./serial-machine.ts";

/** The domain's configuration file. */
export function xlConfiguration(spec: MachineSpec, name: string): string {
  const { network, rootImagePath, initrdPath } = spec;
  const disk =
    rootImagePath === undefined
      ? []
      : [
          "-drive",
          `if=none,id=root,format=raw,readonly=on,file=${rootImagePath.replaceAll(",", ",,")}`,
          "-device",
          "virtio-blk-pci,disable-legacy=on,drive=root",
        ];
  const card = [
    "model=virtio-net",
    ...(network?.backend.kind === "bridge" ? [`bridge=${network.backend.name}`] : []),
    ...(network?.mac === undefined ? [] : [`mac=${network.mac}`]),
  ].join(",");
  const settings: [string, string | number | readonly string[]][] = [
    ["name", name],
    ["type", "hvm"],
    ["memory", Math.ceil(spec.memoryBytes / 2 ** 20)],
    ["vcpus", spec.cpus],
    ["kernel", spec.kernelPath],
    ...(initrdPath === undefined ? [] : [["ramdisk", initrdPath] as [string, string]]),
    ["cmdline", spec.commandLine],
    ["serial", "pty"],
    ["vga", "none"],
    ["on_poweroff", "destroy"],
    ["on_reboot", "destroy"],
    ["on_crash", "destroy"],
    ["device_model_args_hvm", disk],
    ...(network === undefined ? [] : [["vif", [card]] as [string, string[]]]),
  ];
  return settings.map(([key, value]) => `${key} = ${literal(value)}\n`).join("");
}

/** A value in xl's syntax: strings in quotation marks with C's escapes, lists in brackets. */
function literal(value: string | number | readonly string[]): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return `"${value.replace(/[\\"]/g, "\\$&")}"`;
  return `[ ${value.map(literal).join(", ")} ]`;
}

/** Xen, driven by the `xl` at a path, as a hypervisor. */
export function xen(xl: string): Hypervisor {
  return { start: (spec) => start(xl, spec) };
}

async function start(xl: string, spec: MachineSpec): Promise<RunningMachine> {
  const folder = mkdtempSync(join(tmpdir(), "capstan-"));
  const name = `capstan-${randomBytes(6).toString("hex")}`;
  const clear = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const file = join(folder, "domain.cfg");
    writeFileSync(file, xlConfiguration(spec, name));
    await runTool(xl, ["create", "-p", file]);
    const kill = (): void => void runTool(xl, ["destroy", name]).catch(() => {});
    const stdio = ["pipe", "pipe", "inherit"] as const;
    const console = spawn(xl, ["console", "-t", "serial", name], { stdio: [...stdio] });
    const ended = new Promise<MachineEnding>((resolve) => {
      console.once("error", (error) => {
        resolve({ status: null, signal: null, diagnostics: error.message });
      });
      console.once("close", (status, signal) => resolve({ status, signal, diagnostics: "" }));
    });
    const machine = serialMachine({
      pid: 0,
      input: console.stdin,
      output: console.stdout,
      ended,
      // The last but one column of `xl list`: r, b, p, s, c, d (xl(1)).
      status: async () => (await runTool(xl, ["list", name])).trim().split(/\s+/).at(-2) ?? "",
      requestStop: async () => false,
      kill,
    });
    void ended.then(clear);
    // The console is read from here on: what a domain that ends at once has said is not lost.
    try {
      await once(console, "spawn");
      await runTool(xl, ["unpause", name]);
    } catch (error) {
      kill();
      throw error;
    }
    return machine;
  } catch (error) {
    clear();
    throw error;
  }
}
