/**
 * Numbers of the Linux file ABI on x86-64: open(2), inode(7), poll(2), lseek(2), rename(2),
 * fcntl(2) seals. Used by every file system and by the system calls in `linux/`.
 */

// Access mode and flags of open(2).
export const O_RDONLY: u32 = 0;
export const O_WRONLY: u32 = 1;
export const O_RDWR: u32 = 2;
export const O_ACCMODE: u32 = 3;
export const O_CREAT: u32 = 0x40;
export const O_EXCL: u32 = 0x80;
export const O_NOCTTY: u32 = 0x100;
export const O_TRUNC: u32 = 0x200;
export const O_APPEND: u32 = 0x400;
export const O_NONBLOCK: u32 = 0x800;
export const O_DSYNC: u32 = 0x1000;
export const O_ASYNC: u32 = 0x2000;
export const O_DIRECT: u32 = 0x4000;
export const O_LARGEFILE: u32 = 0x8000;
export const O_DIRECTORY: u32 = 0x10000;
export const O_NOFOLLOW: u32 = 0x20000;
export const O_NOATIME: u32 = 0x40000;
export const O_CLOEXEC: u32 = 0x80000;
export const O_SYNC: u32 = 0x101000;
export const O_PATH: u32 = 0x200000;
/** The bit of O_TMPFILE beside O_DIRECTORY. */
export const O_TMPFILE_BIT: u32 = 0x400000;
export const O_TMPFILE: u32 = O_TMPFILE_BIT | O_DIRECTORY;

// File type in `mode` (inode(7)).
export const S_IFMT: u32 = 0xf000;
export const S_IFSOCK: u32 = 0xc000;
export const S_IFLNK: u32 = 0xa000;
export const S_IFREG: u32 = 0x8000;
export const S_IFBLK: u32 = 0x6000;
export const S_IFDIR: u32 = 0x4000;
export const S_IFCHR: u32 = 0x2000;
export const S_IFIFO: u32 = 0x1000;
export const S_ISUID: u32 = 0x800;
export const S_ISGID: u32 = 0x400;
export const S_ISVTX: u32 = 0x200;
/** Permission, set-id and sticky bits. */
export const S_PERMISSIONS: u32 = 0xfff;
/** Execute permission for owner, group and others. */
export const S_IXUGO: u32 = 0x49;

/** d_type of getdents64(2) is the file type of `mode`, shifted down. */
export const DT_SHIFT: u32 = 12;
export const DT_UNKNOWN: u32 = 0;

// Events of poll(2) and epoll(7).
export const POLLIN: u32 = 0x1;
export const POLLPRI: u32 = 0x2;
export const POLLOUT: u32 = 0x4;
export const POLLERR: u32 = 0x8;
export const POLLHUP: u32 = 0x10;
export const POLLNVAL: u32 = 0x20;
export const POLLRDNORM: u32 = 0x40;
export const POLLRDBAND: u32 = 0x80;
export const POLLWRNORM: u32 = 0x100;
export const POLLWRBAND: u32 = 0x200;
export const POLLRDHUP: u32 = 0x2000;

// Origins of lseek(2).
export const SEEK_SET: u32 = 0;
export const SEEK_CUR: u32 = 1;
export const SEEK_END: u32 = 2;
export const SEEK_DATA: u32 = 3;
export const SEEK_HOLE: u32 = 4;

// renameat2(2).
export const RENAME_NOREPLACE: u32 = 1;
export const RENAME_EXCHANGE: u32 = 2;
export const RENAME_WHITEOUT: u32 = 4;

// fallocate(2).
export const FALLOC_FL_KEEP_SIZE: u32 = 1;
export const FALLOC_FL_PUNCH_HOLE: u32 = 2;
export const FALLOC_FL_COLLAPSE_RANGE: u32 = 8;
export const FALLOC_FL_ZERO_RANGE: u32 = 0x10;

// Seals of memfd_create(2), fcntl(2).
export const F_SEAL_SEAL: u32 = 1;
export const F_SEAL_SHRINK: u32 = 2;
export const F_SEAL_GROW: u32 = 4;
export const F_SEAL_WRITE: u32 = 8;
export const F_SEAL_FUTURE_WRITE: u32 = 0x10;

/** Longest name of a directory entry, in bytes. */
export const NAME_MAX: usize = 255;
/** Longest path including the final zero, in bytes. */
export const PATH_MAX: usize = 4096;
/** Most symbolic links followed in one path walk (path_resolution(7)). */
export const SYMLINKS_MAX: u32 = 40;

/** Bytes of a page and of a page-cache frame. */
export const PAGE_BYTES: usize = 4096;
export const PAGE_SHIFT: u32 = 12;

/** Composes a device number as makedev(3) does. */
export function makeDevice(major: u32, minor: u32): u64 {
  return (
    ((<u64>major & 0xfff) << 8) |
    ((<u64>major & 0xfffff000) << 32) |
    (<u64>minor & 0xff) |
    ((<u64>minor & 0xffffff00) << 12)
  );
}

/** Major number of a device number. */
export function majorOf(device: u64): u32 {
  return <u32>((device >> 8) & 0xfff) | <u32>((device >> 32) & 0xfffff000);
}

/** Minor number of a device number. */
export function minorOf(device: u64): u32 {
  return <u32>(device & 0xff) | <u32>((device >> 12) & 0xffffff00);
}
