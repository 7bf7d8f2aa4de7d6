/**
 * memfd_create(2): a file that lives in memory and has no name.
 */
import { F_SEAL_SEAL, O_LARGEFILE } from "../fs/constants";
import { File } from "../fs/file";
import { createMemoryFile } from "../fs/namespace";
import { EINVAL, ENAMETOOLONG, isError } from "../lib/errno";
import { FD_CLOEXEC } from "./fd-table";
import { installFile } from "./install";
import { copyInString, scratch } from "./user-memory";

const MFD_CLOEXEC: u32 = 1;
const MFD_ALLOW_SEALING: u32 = 2;
const MFD_NOEXEC_SEAL: u32 = 8;
const MFD_EXEC: u32 = 16;
/** Longest name with its zero: NAME_MAX less the prefix "memfd:". */
const NAME_CAPACITY: usize = 250;

/** memfd_create(2); huge pages (MFD_HUGETLB) are refused with EINVAL, as by a kernel without them. */
export function sysMemfdCreate(userName: usize, flags: u32): i64 {
  const known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC;
  if ((flags & ~known) != 0) return -EINVAL;
  if ((flags & (MFD_EXEC | MFD_NOEXEC_SEAL)) == (MFD_EXEC | MFD_NOEXEC_SEAL)) return -EINVAL;
  const name = scratch();
  const length = copyInString(userName, name, NAME_CAPACITY);
  if (length < 0) return length == -ENAMETOOLONG ? -EINVAL : length;
  const sealable = (flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL)) != 0;
  const made = createMemoryFile(name, <usize>length, sealable ? 0 : F_SEAL_SEAL);
  if (isError(made)) return <i64>made;
  const file = changetype<File>(made);
  file.flags |= O_LARGEFILE;
  return installFile(file, (flags & MFD_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
}
