/**
 * TIOCGPTPEER (ioctl_tty(2)): opens the slave of a pseudo-terminal by its master, as openpty(3) does. The
 * file has the name under /dev/pts, by which ttyname(3) finds it.
 *
 * Neighbours: `ioctl.ts`, `dev/console/pty`, `fs/devpts`.
 */
import { PtyMaster } from "../dev/console/pty";
import { CharacterFile } from "../fs/character-file";
import { O_CLOEXEC } from "../fs/constants";
import { File } from "../fs/file";
import { FsContext } from "../fs/fs-context";
import { openPath, rootDentry } from "../fs/namespace";
import { ENOMEM, ENOTTY, isError } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { FD_CLOEXEC } from "./fd-table";
import { installFile } from "./install";

export const TIOCGPTPEER: u32 = 0x5441;
const PATH_BYTES: usize = 32;

/** @param flags O_* for the slave. @returns a descriptor, -ENOTTY if `file` is no master, or an error */
export function openPeer(file: File, flags: u32): i64 {
  if (!(file instanceof CharacterFile)) return -ENOTTY;
  const device = (file as CharacterFile).device;
  if (!(device instanceof PtyMaster)) return -ENOTTY;
  const path = heapAllocate(PATH_BYTES);
  if (path == 0) return -ENOMEM;
  const writer = new ByteWriter(path, PATH_BYTES);
  writer.writeString("/dev/pts/");
  writer.writeDecimal((device as PtyMaster).slave.index);
  const context = new FsContext(rootDentry(), rootDentry());
  const opened = openPath(context, null, path, writer.length, flags & ~O_CLOEXEC, 0);
  context.release();
  free(writer);
  heapFree(path);
  if (isError(opened)) return <i64>opened;
  return installFile(changetype<File>(opened), (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
}
