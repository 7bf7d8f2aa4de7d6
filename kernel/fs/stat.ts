/**
 * What is known about a file without opening it: the source of stat(2) and statx(2), and the
 * changes that chmod, chown and utimensat ask for. Plain data; made with `new`, ended with `free`.
 */

/** Attributes of a file (inode(7)). */
export class Stat {
  /** Number of the file system's device (st_dev). */
  device: u64 = 0;
  inode: u64 = 0;
  /** File type and permissions. */
  mode: u32 = 0;
  linkCount: u32 = 1;
  uid: u32 = 0;
  gid: u32 = 0;
  /** Device number of a device node (st_rdev). */
  nodeDevice: u64 = 0;
  sizeBytes: u64 = 0;
  /** Preferred size of one read or write (st_blksize). */
  blockSizeBytes: u32 = 4096;
  /** Space taken, in units of 512 bytes (st_blocks). */
  blocks512: u64 = 0;
  accessSeconds: i64 = 0;
  accessNs: u32 = 0;
  modifySeconds: i64 = 0;
  modifyNs: u32 = 0;
  changeSeconds: i64 = 0;
  changeNs: u32 = 0;
  birthSeconds: i64 = 0;
  birthNs: u32 = 0;
}

// Which fields of an `AttributeChange` count.
export const CHANGE_MODE: u32 = 1;
export const CHANGE_UID: u32 = 2;
export const CHANGE_GID: u32 = 4;
export const CHANGE_ACCESS_TIME: u32 = 8;
export const CHANGE_MODIFY_TIME: u32 = 16;

/** What `Vnode.setAttributes` shall change; `valid` says which fields are meant. */
export class AttributeChange {
  /** CHANGE_* bits. */
  valid: u32 = 0;
  /** Permission bits only; the file type cannot change. */
  mode: u32 = 0;
  uid: u32 = 0;
  gid: u32 = 0;
  accessSeconds: i64 = 0;
  accessNs: u32 = 0;
  modifySeconds: i64 = 0;
  modifyNs: u32 = 0;
}

/** Facts about a mounted file system for statfs(2). */
export class FileSystemStat {
  /** Magic number (f_type). */
  type: u64 = 0;
  blockSizeBytes: u64 = 4096;
  blocks: u64 = 0;
  blocksFree: u64 = 0;
  files: u64 = 0;
  filesFree: u64 = 0;
  /** ST_RDONLY (1) and other mount flags. */
  flags: u64 = 0;
}
