/**
 * Opening nodes that stand for something else: devices and fifos, on any file system.
 *
 * Neighbours: `character-file`, `fifo`, `block-vnode`.
 */
import { findCharacterDevice } from "../dev/character";
import { ENXIO, asError } from "../lib/errno";
import { S_IFCHR, S_IFIFO, S_IFMT, majorOf, minorOf } from "./constants";
import { openCharacterDevice } from "./character-file";
import { Dentry } from "./dentry";
import { openFifo } from "./fifo";
import { Vnode } from "./vnode";

/** Opens a device node or fifo. @returns a File with a reference, -ENXIO if nothing stands behind it */
export function openSpecial(vnode: Vnode, dentry: Dentry, flags: u32): usize {
  switch (vnode.mode & S_IFMT) {
    case S_IFCHR: {
      const number = vnode.nodeDevice();
      const device = findCharacterDevice(majorOf(number), minorOf(number));
      if (!device) return asError(-ENXIO);
      return openCharacterDevice(device, dentry, flags);
    }
    case S_IFIFO:
      return openFifo(vnode, dentry, flags);
    default:
      // Sockets (open(2)) and block devices, which devfs opens itself.
      return asError(-ENXIO);
  }
}
