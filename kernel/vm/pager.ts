/**
 * Where the pages of a mapped file come from. File systems implement this; `vm/` calls it when an
 * application touches a mapping.
 */
import { ByteWriter } from "../lib/format";
import { Counted } from "../lib/object";

export abstract class Pager extends Counted {
  /**
   * The frame of page `index` of the file, with a reference taken for the caller. May sleep.
   * @param forWrite the caller will change the content (shared mapping): the page becomes dirty
   * @returns physical address, or a negative errno (-ENOMEM, -EIO …)
   */
  abstract page(index: u64, forWrite: bool): i64;

  /** Size of the file; pages wholly beyond it raise SIGBUS. */
  abstract sizeBytes(): u64;

  /**
   * The frame of page `index` with a reference taken if it is in memory and valid; 0 if not. Never
   * sleeps. Neighbouring pages are mapped with it, which saves faults.
   */
  cachedPage(_index: u64): u64 {
    return 0;
  }

  /** msync(2): writes `count` pages from `index` on back to the disk if changed; 0 or -EIO. */
  writeBack(_index: u64, _count: u64): i32 {
    return 0;
  }

  /**
   * The same number for all pagers of the same content, and only for those: an object's address.
   * Shared mappings of a file meet by it, whoever made them (futex(2), truncate(2)).
   */
  contentKey(): usize {
    return changetype<usize>(this);
  }

  /** Name shown in /proc/self/maps. */
  abstract writePath(out: ByteWriter): void;

  /** Facts for /proc/self/maps: device number and inode number. */
  device(): u64 {
    return 0;
  }

  inode(): u64 {
    return 0;
  }
}
