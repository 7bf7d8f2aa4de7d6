/**
 * Gets Debian's kernel for virtual machines and unpacks it, without root and without installing
 * it. Everything stays in `build/bench/`, so that this happens once.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { extractKernel } from "./bz-image.ts";

const metaPackage = "linux-image-cloud-amd64";

/** A Linux kernel to compare with. */
export interface LinuxKernel {
  /** The uncompressed ELF file. */
  readonly path: string;
  /** E.g. `6.1.0-56-cloud-amd64`. */
  readonly release: string;
  /** The drivers that a network card on virtio-mmio needs, in the order to load them in. */
  readonly modules: readonly string[];
  /** The same, with further modules by path in the kernel's tree, such as `net/bridge/bridge`. */
  readonly modulesWith: (names: readonly string[]) => readonly string[];
}

/** Those that a kernel has built in are no files, and left out; loaded in the order of need. */
const cardModules = [
  ...["drivers/virtio/virtio", "drivers/virtio/virtio_ring", "drivers/virtio/virtio_mmio"],
  ...["net/core/failover", "drivers/net/net_failover", "drivers/net/virtio_net"],
];

/**
 * Debian's current cloud kernel, as uncompressed ELF.
 * @param folder where it is kept
 * @throws Error that says what to do, when it cannot be had
 */
export function debianKernel(folder: string): LinuxKernel {
  mkdirSync(folder, { recursive: true });
  const known = readdirSync(folder).find((name) => name.startsWith("vmlinux-"));
  if (known !== undefined) {
    const release = known.slice("vmlinux-".length);
    return describe(folder, release);
  }
  const image = downloadImage(folder);
  const release = image.slice(image.lastIndexOf("vmlinuz-") + "vmlinuz-".length);
  writeFileSync(pathOf(folder, release), extractKernel(readFileSync(image)));
  return describe(folder, release);
}

function pathOf(folder: string, release: string): string {
  return join(folder, `vmlinux-${release}`);
}

function describe(folder: string, release: string): LinuxKernel {
  const tree = join(folder, "package/lib/modules", release, "kernel");
  const modulesWith = (names: readonly string[]): string[] => {
    const paths = [...cardModules, ...names].map((name) => join(tree, `${name}.ko`));
    return inLoadingOrder(paths.filter((path) => existsSync(path)));
  };
  return { path: pathOf(folder, release), release, modules: modulesWith([]), modulesWith };
}

/** Puts modules behind those that they depend on, which changes from kernel to kernel. */
function inLoadingOrder(paths: readonly string[]): string[] {
  const ordered = new Set<string>();
  const add = (path: string): void => {
    const text = readFileSync(path, "latin1");
    const depends = /\0depends=([^\0]*)\0/.exec(text)?.[1]?.split(",") ?? [];
    const needed = paths.filter((other) => depends.includes(basename(other, ".ko")));
    for (const other of needed) if (!ordered.has(other)) add(other);
    ordered.add(path);
  };
  for (const path of paths) add(path);
  return [...ordered];
}

/** Downloads and unpacks the package; returns the path of its bzImage. */
function downloadImage(folder: string): string {
  const tree = join(folder, "package");
  const boot = join(tree, "boot");
  if (!existsSync(boot)) {
    const run = (program: string, ...args: string[]): string =>
      execFileSync(program, args, {
        cwd: folder,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
    try {
      const depends = run("apt-cache", "depends", "--no-recommends", metaPackage);
      const name = /Depends: (linux-image-\S+-cloud-amd64)/.exec(depends)?.[1];
      if (name === undefined) throw new Error(`${metaPackage} names no kernel package`);
      run("apt-get", "download", name);
      const file = readdirSync(folder).find((each) => each.endsWith(".deb"));
      if (file === undefined) throw new Error(`apt-get downloaded no ${name}`);
      run("dpkg-deb", "-x", file, tree);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `the Linux kernel to compare with could not be had: ${reason}\n` +
          "On Debian or Ubuntu run apt-get update and try again. Elsewhere put an uncompressed " +
          `x86-64 kernel with PVH support into ${folder} as vmlinux-RELEASE.`,
      );
    }
  }
  const image = readdirSync(boot).find((name) => name.startsWith("vmlinuz-"));
  if (image === undefined) throw new Error(`no kernel in ${boot}; remove ${tree} and try again`);
  return join(boot, image);
}
