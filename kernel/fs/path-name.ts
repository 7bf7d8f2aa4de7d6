/**
 * From a dentry back to its path: getcwd(2), /proc/self/maps, /proc/self/fd.
 *
 * Neighbours: `dentry`, `mount`.
 */
import { ByteWriter } from "../lib/format";
import { heapAllocate, heapFree } from "../mm/heap";
import { PATH_MAX } from "./constants";
import { Dentry } from "./dentry";
import { mountOfRoot } from "./mount";
import { lockNames, unlockNames } from "./name-cache";

/**
 * Writes the absolute path of a dentry as seen from `root` (null: the system's root), with
 * " (deleted)" behind removed names if `markDeleted`. A file without a directory is written as its
 * bare name ("pipe:[7]").
 * @returns false if the dentry does not lie below `root` (getcwd then gives "(unreachable)"), or the
 * path is longer than PATH_MAX; the writer then got the part that is known
 */
export function writePathOf(
  dentry: Dentry,
  root: Dentry | null,
  out: ByteWriter,
  markDeleted: bool,
): bool {
  const buffer = heapAllocate(PATH_MAX);
  if (!buffer) return false;
  // Filled from the end: the walk goes from the file up to the root.
  let start = buffer + PATH_MAX;
  let isComplete = true;
  let entry = dentry;
  lockNames();
  while (entry != root) {
    const parent = entry.parent;
    if (!parent) {
      const mount = mountOfRoot(entry);
      const covers = mount ? mount.covers : null;
      if (covers) {
        entry = covers;
        continue;
      }
      isComplete = mount != null && root == null;
      if (mount == null) start = prepend(start, buffer, entry, 0);
      break;
    }
    const next = prepend(start, buffer, entry, 0x2f);
    if (!next) {
      isComplete = false;
      break;
    }
    start = next;
    entry = parent;
  }
  unlockNames();
  if (start == buffer + PATH_MAX) out.writeByte(0x2f);
  else out.writeBytes(start, buffer + PATH_MAX - start);
  heapFree(buffer);
  if (markDeleted && dentry.isDeleted) out.writeString(" (deleted)");
  return isComplete;
}

/** Puts the name, and a separator if not 0, in front of `start`; returns the new start, 0 if full. */
function prepend(start: usize, buffer: usize, entry: Dentry, separator: u8): usize {
  const length = <usize>entry.nameLength;
  if (start - buffer < length + 1) return 0;
  memory.copy(start - length, entry.nameBytes, length);
  if (!separator) return start - length;
  store<u8>(start - length - 1, separator);
  return start - length - 1;
}
