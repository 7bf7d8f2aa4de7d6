/**
 * The files that every guest gets: users, hosts, name resolution, time zone, empty directories.
 *
 * The host's own files are taken where it has them, so that names and times look as on the host;
 * otherwise a minimal one is made up. Files with secrets (/etc/shadow) are never taken along.
 *
 * Neighbours: `collect.ts` calls this after everything else, so that what was added on purpose
 * stays as it is.
 */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { emptyDirectory, neutralAttributes } from "../image/tree.ts";
import { type GuestFiles, isFileNode } from "./guest-files.ts";

const PASSWD = `root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`;
const GROUP = "root:x:0:\nnogroup:x:65534:\n";
const HOSTS = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
/** The guest's name unless its network tells another: `kernel/linux/system-info.ts`. */
const HOST_NAME = "osv";
const NSSWITCH = `passwd:    files
group:     files
shadow:    files
hosts:     files dns
networks:  files
protocols: files
services:  files
`;

/** Files that every guest has: the host's, or if it has none, these. */
export const baselineFiles: readonly (readonly [path: string, text: string])[] = [
  ["/etc/passwd", PASSWD],
  ["/etc/group", GROUP],
  ["/etc/hosts", HOSTS],
  ["/etc/nsswitch.conf", NSSWITCH],
  ["/etc/resolv.conf", ""],
];

/** Taken along if the host has them: small, and read by the C library or by many programs. */
const welcome = [
  "/etc/localtime",
  "/etc/timezone",
  "/etc/protocols",
  "/etc/services",
  "/etc/host.conf",
  "/etc/hostname",
  "/etc/os-release",
];

/** Directories that programs expect; the guest's kernel may put other file systems there. */
export const baselineDirectories: readonly (readonly [path: string, mode: number])[] = [
  ["/dev", 0o755],
  ["/etc", 0o755],
  ["/home", 0o755],
  ["/proc", 0o555],
  ["/root", 0o700],
  ["/run", 0o755],
  ["/sys", 0o555],
  ["/tmp", 0o1777],
  ["/var", 0o755],
  ["/var/tmp", 0o1777],
];

/**
 * An /etc/hosts in which the guest finds its own name. Programs look it up when they start, and
 * would wait for a name server that does not know it, or does not answer. Debian's address for this.
 */
export function withOwnName(hosts: string): string {
  const names = hosts
    .split("\n")
    .flatMap((line) => line.replace(/#.*/, "").trim().split(/\s+/).slice(1));
  if (names.includes(HOST_NAME)) return hosts;
  return `${hosts}${hosts === "" || hosts.endsWith("\n") ? "" : "\n"}127.0.1.1\t${HOST_NAME}\n`;
}

/** Where a file cannot stay: other file systems cover these directories in the guest. */
const COVERED = /^\/(run|tmp|dev|proc|sys)\//;

/**
 * Takes a file from the host; if it is a symbolic link into a directory that the guest covers (like
 * /etc/resolv.conf -> /run/...), its contents become a regular file.
 */
function takeFromHost(files: GuestFiles, path: string): boolean {
  let real: string;
  try {
    real = realpathSync(path);
    if (!statSync(real).isFile()) return false;
    if (COVERED.test(real)) {
      files.addText(path, readFileSync(real, "utf8"));
      return true;
    }
    // Reading tells whether we may; stat does not.
    readFileSync(real);
  } catch {
    return false;
  }
  return files.add(path) !== undefined;
}

function textOfHost(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Adds everything that all guests get and that is not there yet. */
export function addBaseline(files: GuestFiles): void {
  for (const [path, mode] of baselineDirectories) {
    files.addMissing(path, emptyDirectory(neutralAttributes(mode)));
  }
  for (const [path, text] of baselineFiles) {
    if (isFileNode(files.resolve(path))) continue;
    if (path === "/etc/hosts") files.addText(path, withOwnName(textOfHost(path) ?? text));
    else if (!takeFromHost(files, path)) files.addText(path, text);
  }
  for (const path of welcome) {
    if (files.resolve(path) === undefined) takeFromHost(files, path);
  }
}
