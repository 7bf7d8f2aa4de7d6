/**
 * readlink(2) of /proc/self/exe without a walk. Every program that is linked statically with glibc
 * asks for it before main(), and what the walk executes for the first time (a mount crossed, a
 * symbolic link followed, names of processes) would be a twentieth of all code that a small program
 * needs until its first output.
 *
 * Neighbours: `directory-entries.ts` (asks), `../fs/procfs/proc-link.ts` (the same for all processes).
 */
import { rootDentry } from "../fs/namespace";
import { writePathOf } from "../fs/path-name";
import { processProvider } from "../fs/procfs/provider";
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { fsContext } from "./path-argument";
import { copyIn, copyOut, scratch } from "./user-memory";

/** "/proc/self/exe" with its end, as two words. */
const FIRST_WORD: u64 = 0x65732f636f72702f;
const SECOND_WORD: u64 = 0x006578652f666c;
const PATH_BYTES: usize = 15;
const SECOND_MASK: u64 = 0x00ffffffffffffff;

/**
 * Writes the path of the program to the application's `buffer`, if `path` is the application's
 * "/proc/self/exe" and nothing hides /proc (chroot(2)).
 * @returns its length, 0 = another path: it must be walked; -EFAULT
 */
export function readOwnExecutable(path: usize, buffer: usize, capacity: usize): i64 {
  const words = scratch();
  if (copyIn(words, path, PATH_BYTES) < 0) return 0;
  if (load<u64>(words) != FIRST_WORD) return 0;
  if ((load<u64>(words + 8) & SECOND_MASK) != SECOND_WORD) return 0;
  if (fsContext().root != rootDentry()) return 0;
  const provider = processProvider();
  const executable = provider ? provider.executable(provider.currentPid()) : null;
  if (!executable) return 0;
  const out = new ByteWriter();
  writePathOf(executable, null, out, true);
  const length = min(out.length, capacity);
  const copied = copyOut(buffer, out.address, length);
  out.dispose();
  free(out);
  executable.release();
  return copied < 0 ? copied : <i64>length;
}
