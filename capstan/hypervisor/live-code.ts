/**
 * Programs that replace machine code while other processors execute it, and what emulation makes of
 * it.
 *
 * A processor sees an aligned store to code as a whole or not at all, and such programs rely on that
 * (Intel SDM vol. 3, 9.1.3). QEMU's translator reads an instruction byte by byte, while another
 * processor's thread replaces it: the first bytes may be old and the rest new. A Java program then
 * ends with SIGSEGV, once in ten to a hundred runs. When all processors share one thread of the
 * host, none of them runs while code is translated. `test/programs/torn-code.c` shows both.
 *
 * Neighbours: `../commands/run-plan.ts` asks, `qemu-arguments.ts` tells QEMU.
 */
import type { FsTree } from "../image/tree.ts";
import type { MachineSpec } from "./hypervisor.ts";

/** The virtual machines of languages that do so: Java's and .NET's. */
const libraries = ["libjvm.so", "libcoreclr.so"];

/** Whether there may be a program in an image that replaces code which runs. */
export function replacesLiveCode(tree: FsTree): boolean {
  let isThere = false;
  tree.forEachNode((node) => {
    if (node.kind !== "directory" || isThere) return;
    isThere = libraries.some((name) => node.children.has(name));
  });
  return isThere;
}

/** Whether QEMU must execute a machine's processors in turn, for the programs in its image. */
export function needsOneThread(
  { accelerator, cpus }: Pick<MachineSpec, "accelerator" | "cpus">,
  tree: FsTree,
): boolean {
  return accelerator === "tcg" && cpus > 1 && replacesLiveCode(tree);
}
