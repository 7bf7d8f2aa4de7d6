/**
 * Mounts the root and the system's file systems at boot.
 */
import { BlockDevice } from "../dev/block";

/**
 * Mounts the image on `root` at "/", writable in memory, and /dev, /proc, /sys, /tmp, /run,
 * /dev/shm over it.
 * @param root the disk with the EROFS image; null starts with an empty root in memory
 * @returns 0 or a negative error
 */
export function initFs(_root: BlockDevice | null): i64 {
  abort("unwritten");
  return 0;
}
