/**
 * A double for Firecracker and Cloud Hypervisor: takes requests on a UNIX socket, writes them down,
 * and when it is told to start runs the same machine in QEMU, with the serial line on its own
 * standard input and output, as they have it. Run as a program by `hypervisors.test.ts`.
 *
 * Arguments: --api-sock PATH (Firecracker) or --api-socket PATH (Cloud Hypervisor)
 */
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";

interface Machine {
  kernel: string;
  commandLine: string;
  initrd?: string;
  disk?: string;
  memoryMib: number;
  cpus: number;
}

const [option = "", socketPath = ""] = process.argv.slice(2);
const isFirecracker = option === "--api-sock";
const record = process.env.DOUBLE_RECORD ?? "/dev/null";
const machine: Machine = { kernel: "", commandLine: "", memoryMib: 128, cpus: 1 };

createServer((request, response) => {
  let body = "";
  request.on("data", (piece) => {
    body += piece;
  });
  request.on("end", () => {
    const { method, url = "" } = request;
    const fields = body === "" ? {} : JSON.parse(body);
    appendFileSync(record, `${JSON.stringify({ method, url, body: fields })}\n`);
    if (process.env.DOUBLE_REFUSES !== undefined && url.includes(process.env.DOUBLE_REFUSES)) {
      response.writeHead(400).end('{"fault_message":"no such thing"}');
      return;
    }
    const isStart = isFirecracker ? takeFirecracker(url, fields) : takeCloud(url, fields);
    response.writeHead(204).end();
    if (isStart) runQemu();
  });
}).listen(socketPath);

function takeFirecracker(url: string, fields: Record<string, string & number>): boolean {
  if (url === "/boot-source") {
    machine.kernel = fields.kernel_image_path ?? "";
    machine.commandLine = fields.boot_args ?? "";
    if (fields.initrd_path !== undefined) machine.initrd = fields.initrd_path;
  }
  if (url.startsWith("/drives/")) machine.disk = fields.path_on_host ?? "";
  if (url === "/machine-config") {
    machine.memoryMib = fields.mem_size_mib ?? 0;
    machine.cpus = fields.vcpu_count ?? 0;
  }
  return url === "/actions" && fields.action_type === "InstanceStart";
}

interface VmConfig {
  readonly payload: {
    readonly kernel: string;
    readonly cmdline: string;
    readonly initramfs?: string;
  };
  readonly memory: { readonly size: number };
  readonly cpus: { readonly boot_vcpus: number };
  readonly disks?: readonly { readonly path: string }[];
}

function takeCloud(url: string, fields: unknown): boolean {
  if (url === "/api/v1/vm.create") {
    const { payload, memory, cpus, disks } = fields as VmConfig;
    machine.kernel = payload.kernel;
    machine.commandLine = payload.cmdline;
    if (payload.initramfs !== undefined) machine.initrd = payload.initramfs;
    machine.memoryMib = memory.size / 2 ** 20;
    machine.cpus = cpus.boot_vcpus;
    if (disks?.[0] !== undefined) machine.disk = disks[0].path;
  }
  return url === "/api/v1/vm.boot";
}

/** Firecracker has virtio on MMIO, Cloud Hypervisor on PCI; neither has the debug console. */
function runQemu(): void {
  const bus = isFirecracker ? "device" : "pci";
  const type = isFirecracker ? "microvm,acpi=off,rtc=off,pic=off,pit=on" : "q35";
  const qemu = spawn(
    "qemu-system-x86_64",
    [
      ...["-M", type, "-accel", "tcg", "-cpu", "max", "-nodefaults", "-no-reboot"],
      ...["-display", "none", "-global", "virtio-mmio.force-legacy=false"],
      ...["-m", `${machine.memoryMib}M`, "-smp", String(machine.cpus)],
      ...["-kernel", machine.kernel, "-append", machine.commandLine, "-serial", "stdio"],
      ...(machine.initrd === undefined ? [] : ["-initrd", machine.initrd]),
      ...["-drive", `if=none,id=root,format=raw,readonly=on,file=${machine.disk}`],
      ...["-device", `virtio-blk-${bus},drive=root`],
    ],
    { stdio: "inherit" },
  );
  process.on("SIGTERM", () => qemu.kill("SIGKILL"));
  qemu.on("exit", (status) => process.exit(status ?? 1));
}
