/**
 * Tells a process from another one that later got the same number. A record with a process id is
 * only as good as this: after a crash or a reboot the number may belong to anybody.
 * Used by `store.ts`.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Field 22 of /proc/PID/stat, counted after the name in parentheses (proc(5)). */
const START_TIME_FIELD = 22 - 3;

/**
 * What stays the same while a process lives, and differs from any other process with its number:
 * the time of its start, and on Linux the host's boot.
 * @returns null when there is no such process
 */
export function processIdentity(pid: number): string | null {
  return process.platform === "linux" ? identityOnLinux(pid) : identityByPs(pid);
}

function identityOnLinux(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; only its parent does not know yet.
    if (fields[0] === "Z") return null;
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${boot} ${fields[START_TIME_FIELD]}`;
  } catch {
    return null;
  }
}

function identityByPs(pid: number): string | null {
  try {
    const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "latin1",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return text.trim() || null;
  } catch {
    return null;
  }
}
