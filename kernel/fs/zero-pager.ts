/**
 * Mapping /dev/zero: memory that starts as zeros. A private mapping copies on write, so one page
 * serves all of them; a shared mapping has pages of its own until it goes.
 *
 * Neighbour: `character-file`.
 */
import { ENOMEM, asError } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { kernelMemoryIsShort } from "./page-cache";
import { Pager } from "../vm/pager";
import { createMemoryVnode } from "./tmpfs/memory-file";
import { Vnode } from "./vnode";

class ZeroPager extends Pager {
  constructor(private store: Vnode) {
    super();
  }

  page(index: u64, forWrite: bool): i64 {
    return this.store.pageForMapping(index, forWrite, true);
  }

  cachedPage(index: u64): u64 {
    return this.store.pageInMemory(index, true);
  }

  sizeBytes(): u64 {
    return 0x7fff_ffff_ffff_f000;
  }

  writePath(out: ByteWriter): void {
    out.writeString("/dev/zero");
  }

  destroy(): void {
    this.store.release();
    free(this);
  }
}

/** A pager for one mapping of /dev/zero, with a reference, or -ENOMEM. */
export function zeroPager(): usize {
  if (kernelMemoryIsShort()) return asError(-ENOMEM);
  return changetype<usize>(new ZeroPager(createMemoryVnode()));
}
