/**
 * Giving new files to the application: a descriptor for one file, or two descriptors written to an
 * int[2] of the application (pipe(2), socketpair(2)).
 */
import { File } from "../fs/file";
import { currentFiles, descriptorLimit } from "./held-file";
import { store32 } from "./user-memory";

/**
 * Gives `file` the lowest free descriptor; takes over the reference in any case.
 * @returns the descriptor, -EMFILE or -ENOMEM
 */
export function installFile(file: File, descriptorFlags: u32): i64 {
  const fd = currentFiles().install(file, 0, descriptorLimit(), descriptorFlags);
  if (fd < 0) file.release();
  return fd;
}

/**
 * Gives two files descriptors and writes them to `userFds`; takes over both references in any
 * case. After a failure no descriptor is left.
 * @returns 0, -EMFILE, -ENOMEM or -EFAULT
 */
export function installPair(first: File, second: File, flags: u32, userFds: usize): i64 {
  const files = currentFiles();
  const limit = descriptorLimit();
  const firstFd = files.reserve(0, limit);
  const secondFd = firstFd < 0 ? firstFd : files.reserve(0, limit);
  let error: i64 = secondFd < 0 ? secondFd : 0;
  if (error == 0) error = store32(userFds, <u32>firstFd);
  if (error == 0) error = store32(userFds + 4, <u32>secondFd);
  if (error == 0) {
    files.fill(firstFd, first, flags);
    files.fill(secondFd, second, flags);
    return 0;
  }
  if (secondFd >= 0) files.cancel(secondFd);
  if (firstFd >= 0) files.cancel(firstFd);
  first.release();
  second.release();
  return error;
}
