/**
 * Chooses how guest instructions are executed. A present /dev/kvm proves little: nested and
 * paravirtual hosts have one that cannot run a guest kernel. So the probe guest is really booted
 * with the accelerator, and the answer is kept until QEMU or the host's boot changes.
 *
 * Neighbours: `probe-guest.ts` (what is booted), `commands/run.ts` (the user).
 */
import { spawn } from "node:child_process";
import {
  accessSync,
  constants,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { Accelerator } from "./hypervisor.ts";
import { probeElf, probeSuccessStatus } from "./probe-guest.ts";

/** What the user may ask for. */
export type AcceleratorChoice = Accelerator | "auto";

/** What a probe found. */
export interface ProbeResult {
  readonly works: boolean;
  /** Why it does not work, for the user. */
  readonly reason: string;
}

/** What the choice depends on; tests replace parts of it. */
export interface AcceleratorHost {
  readonly platform: NodeJS.Platform;
  readonly architecture: NodeJS.Architecture;
  readonly qemuPath: string;
  /** Folder for the remembered answer. */
  readonly cacheFolder: string;
  readonly probe: (accelerator: Accelerator) => Promise<ProbeResult>;
}

const probeLimitMs = 3000;

/** The present host with its real probe. */
export function thisHost(qemuPath: string, cacheFolder: string): AcceleratorHost {
  return {
    platform: process.platform,
    architecture: process.arch,
    qemuPath,
    cacheFolder,
    probe: (accelerator) => bootProbe(qemuPath, accelerator),
  };
}

/**
 * The accelerator to use.
 * @throws UserError `AcceleratorUnusable` when the user insists on one that does not work
 */
export async function chooseAccelerator(
  choice: AcceleratorChoice,
  host: AcceleratorHost,
): Promise<Accelerator> {
  if (choice === "tcg") return "tcg";
  const candidate = choice === "auto" ? nativeAccelerator(host) : choice;
  if (candidate === null) return "tcg";
  const result = await rememberedProbe(candidate, host);
  if (result.works) return candidate;
  if (choice === "auto") return "tcg";
  throw new UserError({
    code: "AcceleratorUnusable",
    what: `the accelerator ${candidate} cannot be used`,
    why: result.reason,
    fix: "use --accel auto or --accel tcg (slower, works everywhere)",
  });
}

/** The accelerator that the host's system may have for x86-64 guests. */
function nativeAccelerator(host: AcceleratorHost): Accelerator | null {
  if (host.architecture !== "x64") return null;
  if (host.platform === "linux") return "kvm";
  return host.platform === "darwin" ? "hvf" : null;
}

async function rememberedProbe(
  accelerator: Accelerator,
  host: AcceleratorHost,
): Promise<ProbeResult> {
  const file = join(host.cacheFolder, `accelerator-${accelerator}.json`);
  const key = cacheKey(host);
  const known = readCache(file, key);
  if (known !== null) return known;
  const result = await host.probe(accelerator);
  try {
    mkdirSync(host.cacheFolder, { recursive: true });
    writeFileSync(file, JSON.stringify({ key, ...result }));
  } catch {
    // The next run probes again; nothing else is lost.
  }
  return result;
}

/** Changes with the QEMU binary, the host's boot and the rights to /dev/kvm. */
function cacheKey(host: AcceleratorHost): string {
  const { size, mtimeMs } = statSync(host.qemuPath);
  const boot = host.platform === "linux" ? readBootId() : release();
  const user = process.getuid?.() ?? 0;
  const groups = process.getgroups?.().join(",") ?? "";
  return [host.qemuPath, size, mtimeMs, boot, canOpenKvm(), user, groups].join(" ");
}

function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return release();
  }
}

function canOpenKvm(): boolean {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function readCache(file: string, key: string): ProbeResult | null {
  try {
    const kept: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof kept !== "object" || kept === null) return null;
    if (!("key" in kept && "works" in kept && "reason" in kept) || kept.key !== key) return null;
    const { works, reason } = kept;
    return typeof works === "boolean" && typeof reason === "string" ? { works, reason } : null;
  } catch {
    return null;
  }
}

/** Boots the probe guest; the limit also covers a guest that the accelerator leaves hanging. */
async function bootProbe(qemuPath: string, accelerator: Accelerator): Promise<ProbeResult> {
  if (accelerator === "kvm" && !canOpenKvm()) {
    return { works: false, reason: "/dev/kvm does not exist or may not be opened by this user" };
  }
  const kernel = join(tmpdir(), `capstan-probe-${process.pid}.elf`);
  writeFileSync(kernel, probeElf());
  try {
    return await runProbe(qemuPath, accelerator, kernel);
  } finally {
    rmSync(kernel, { force: true });
  }
}

function runProbe(qemuPath: string, accelerator: Accelerator, kernel: string) {
  const args = [
    ...["-M", "microvm,acpi=off,rtc=off", "-accel", accelerator, "-cpu", "host", "-m", "16M"],
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ...["-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-kernel", kernel],
  ];
  return new Promise<ProbeResult>((resolve) => {
    const child = spawn(qemuPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    let messages = "";
    let reason = `a test guest did not finish within ${probeLimitMs / 1000} s`;
    const limit = setTimeout(() => child.kill("SIGKILL"), probeLimitMs);
    child.stderr.on("data", (chunk: Buffer) => {
      messages += chunk.toString("utf8");
      // After this message QEMU would wait for a debugger for ever.
      if (!messages.includes("KVM internal error")) return;
      reason = "a test guest stopped with a KVM internal error (nested or paravirtual host?)";
      child.kill("SIGKILL");
    });
    child.on("error", (error) => {
      clearTimeout(limit);
      resolve({ works: false, reason: error.message });
    });
    child.on("close", (status) => {
      clearTimeout(limit);
      const works = status === probeSuccessStatus;
      if (status !== null && !works) reason = messages.trim() || `QEMU ended with status ${status}`;
      resolve({ works, reason: works ? "" : reason });
    });
  });
}
