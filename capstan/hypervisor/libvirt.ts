/**
 * Runs a machine under libvirt: a transient domain, made from XML by `virsh create`. It starts
 * paused, so that nothing of its serial line is missed.
 * @see https://libvirt.org/formatdomain.html
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTool } from "./command.ts";
import type { Hypervisor, MachineSpec, RunningMachine } from "./hypervisor.ts";
import { serialMachine } from "./serial-machine.ts";
import { connectSerial, endOf } from "./serial-socket.ts";

/** The domain. @param serialPath where libvirt is to offer the serial line */
export function libvirtXml(spec: MachineSpec, name: string, serialPath: string): string {
  const { kernelPath, commandLine, initrdPath, rootImagePath } = spec;
  const optional = (text: string | undefined, line: (value: string) => string): string =>
    text === undefined ? "" : `    ${line(escapeXml(text))}\n`;
  return `<domain type="${spec.accelerator === "kvm" ? "kvm" : "qemu"}">
  <name>${escapeXml(name)}</name>
  <memory unit="KiB">${Math.floor(spec.memoryBytes / 1024)}</memory>
  <vcpu>${spec.cpus}</vcpu>
  <os>
    <type arch="x86_64" machine="q35">hvm</type>
    <kernel>${escapeXml(kernelPath)}</kernel>
    <cmdline>${escapeXml(commandLine)}</cmdline>
${optional(initrdPath, (path) => `<initrd>${path}</initrd>`)}  </os>
  <features>
    <acpi/>
    <apic/>
  </features>
  <cpu mode="${spec.accelerator === "kvm" ? "host-passthrough" : "maximum"}"/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
${optional(
  rootImagePath,
  (path) => `<disk type="file" device="disk">
      <driver name="qemu" type="raw"/>
      <source file="${path}"/>
      <target dev="vda" bus="virtio"/>
      <readonly/>
    </disk>`,
)}${networkXml(spec)}    <serial type="unix">
      <source mode="bind" path="${escapeXml(serialPath)}"/>
      <target port="0"/>
    </serial>
    <rng model="virtio">
      <backend model="random">/dev/urandom</backend>
    </rng>
  </devices>
</domain>
`;
}

function networkXml({ network }: MachineSpec): string {
  if (network === undefined) return "";
  const { backend, mac } = network;
  const source =
    backend.kind === "bridge"
      ? `<interface type="bridge">\n      <source bridge="${escapeXml(backend.name)}"/>`
      : backend.kind === "tap"
        ? `<interface type="ethernet">\n      <target dev="${escapeXml(backend.name)}" managed="no"/>`
        : `<interface type="user">`;
  const address = mac === undefined ? "" : `\n      <mac address="${mac}"/>`;
  return `    ${source}${address}\n      <model type="virtio"/>\n    </interface>\n`;
}

function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** libvirt, driven by the `virsh` at a path, as a hypervisor. */
export function libvirt(virsh: string): Hypervisor {
  return { start: (spec) => start(virsh, spec) };
}

async function start(virsh: string, spec: MachineSpec): Promise<RunningMachine> {
  const folder = mkdtempSync(join(tmpdir(), "capstan-"));
  const name = `capstan-${randomBytes(6).toString("hex")}`;
  const serialPath = join(folder, "serial");
  const clear = async (): Promise<void> => rmSync(folder, { recursive: true, force: true });
  try {
    const file = join(folder, "domain.xml");
    writeFileSync(file, libvirtXml(spec, name, serialPath));
    await runTool(virsh, ["create", file, "--paused"]);
    const kill = (): void => void runTool(virsh, ["destroy", name]).catch(() => {});
    try {
      const socket = await connectSerial(serialPath);
      await runTool(virsh, ["resume", name]);
      return serialMachine({
        pid: 0,
        input: socket,
        output: socket,
        ended: endOf(socket, clear),
        status: async () => (await runTool(virsh, ["domstate", name])).trim(),
        // `virsh shutdown` presses a power button that the guest does not listen to yet.
        requestStop: async () => false,
        kill,
      });
    } catch (error) {
      kill();
      throw error;
    }
  } catch (error) {
    await clear();
    throw error;
  }
}
