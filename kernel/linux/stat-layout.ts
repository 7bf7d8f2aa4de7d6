/**
 * The structures in which the ABI reports facts about files: struct stat (144 bytes), struct statx
 * (256 bytes) and struct statfs (120 bytes) of x86-64, filled from the file systems' `Stat`.
 *
 * Layouts: stat(2), statx(2), statfs(2); asm/stat.h, linux/stat.h, asm/statfs.h.
 */
import { majorOf, minorOf } from "../fs/constants";
import { FileSystemStat, Stat } from "../fs/stat";
import { copyOut, scratch } from "./user-memory";

@unmanaged
class LinuxStat {
  device: u64;
  inode: u64;
  linkCount: u64;
  mode: u32;
  user: u32;
  group: u32;
  padding: u32;
  nodeDevice: u64;
  sizeBytes: i64;
  blockSizeBytes: i64;
  blocks512: i64;
  accessSeconds: i64;
  accessNs: u64;
  modifySeconds: i64;
  modifyNs: u64;
  changeSeconds: i64;
  changeNs: u64;
  reserved0: u64;
  reserved1: u64;
  reserved2: u64;
}

@unmanaged
class LinuxStatx {
  mask: u32;
  blockSizeBytes: u32;
  attributes: u64;
  linkCount: u32;
  user: u32;
  group: u32;
  mode: u16;
  padding: u16;
  inode: u64;
  sizeBytes: u64;
  blocks512: u64;
  attributesMask: u64;
  accessSeconds: i64;
  accessNs: u64;
  birthSeconds: i64;
  birthNs: u64;
  changeSeconds: i64;
  changeNs: u64;
  modifySeconds: i64;
  modifyNs: u64;
  nodeMajor: u32;
  nodeMinor: u32;
  deviceMajor: u32;
  deviceMinor: u32;
  mountId: u64;
}

@unmanaged
class LinuxStatfs {
  type: u64;
  blockSizeBytes: u64;
  blocks: u64;
  blocksFree: u64;
  blocksAvailable: u64;
  files: u64;
  filesFree: u64;
  id: u64;
  nameMax: u64;
  fragmentBytes: u64;
  flags: u64;
}

const STATX_BYTES: usize = 256;
const STATFS_BYTES: usize = 120;
/** The basic fields and the birth time (statx(2), stx_mask). */
const STATX_BASIC_AND_BIRTH: u32 = 0xfff;

/** ST_VALID: the flags of statfs(2) are filled in. */
const ST_VALID: u64 = 0x20;

/** Writes struct stat to the application; 0 or -EFAULT. Uses `scratch`. */
export function writeStat(stat: Stat, userBuffer: usize): i64 {
  const address = scratch();
  const out = changetype<LinuxStat>(address);
  out.device = stat.device;
  out.inode = stat.inode;
  out.linkCount = stat.linkCount;
  out.mode = stat.mode;
  out.user = stat.uid;
  out.group = stat.gid;
  out.padding = 0;
  out.nodeDevice = stat.nodeDevice;
  out.sizeBytes = <i64>stat.sizeBytes;
  out.blockSizeBytes = stat.blockSizeBytes;
  out.blocks512 = <i64>stat.blocks512;
  out.accessSeconds = stat.accessSeconds;
  out.accessNs = stat.accessNs;
  out.modifySeconds = stat.modifySeconds;
  out.modifyNs = stat.modifyNs;
  out.changeSeconds = stat.changeSeconds;
  out.changeNs = stat.changeNs;
  out.reserved0 = 0;
  out.reserved1 = 0;
  out.reserved2 = 0;
  return copyOut(userBuffer, address, offsetof<LinuxStat>());
}

/** Writes struct statx to the application; 0 or -EFAULT. Uses `scratch`. */
export function writeStatx(stat: Stat, userBuffer: usize): i64 {
  const address = scratch();
  memory.fill(address, 0, STATX_BYTES);
  const out = changetype<LinuxStatx>(address);
  out.mask = STATX_BASIC_AND_BIRTH;
  out.blockSizeBytes = stat.blockSizeBytes;
  out.linkCount = stat.linkCount;
  out.user = stat.uid;
  out.group = stat.gid;
  out.mode = <u16>stat.mode;
  out.inode = stat.inode;
  out.sizeBytes = stat.sizeBytes;
  out.blocks512 = stat.blocks512;
  out.accessSeconds = stat.accessSeconds;
  out.accessNs = stat.accessNs;
  out.birthSeconds = stat.birthSeconds;
  out.birthNs = stat.birthNs;
  out.changeSeconds = stat.changeSeconds;
  out.changeNs = stat.changeNs;
  out.modifySeconds = stat.modifySeconds;
  out.modifyNs = stat.modifyNs;
  out.nodeMajor = majorOf(stat.nodeDevice);
  out.nodeMinor = minorOf(stat.nodeDevice);
  out.deviceMajor = majorOf(stat.device);
  out.deviceMinor = minorOf(stat.device);
  return copyOut(userBuffer, address, STATX_BYTES);
}

/** Writes struct statfs to the application; 0 or -EFAULT. Uses `scratch`. */
export function writeStatfs(stat: FileSystemStat, device: u64, userBuffer: usize): i64 {
  const address = scratch();
  memory.fill(address, 0, STATFS_BYTES);
  const out = changetype<LinuxStatfs>(address);
  out.type = stat.type;
  out.blockSizeBytes = stat.blockSizeBytes;
  out.blocks = stat.blocks;
  out.blocksFree = stat.blocksFree;
  out.blocksAvailable = stat.blocksFree;
  out.files = stat.files;
  out.filesFree = stat.filesFree;
  out.id = device;
  out.nameMax = 255;
  out.fragmentBytes = stat.blockSizeBytes;
  out.flags = stat.flags | ST_VALID;
  return copyOut(userBuffer, address, STATFS_BYTES);
}
