/**
 * A file opened with O_PATH: names a place in the file tree without opening the file itself
 * (open(2)). Everything but fstat, fchdir and use as base of a path fails with EBADF.
 */
import { EBADF, asError } from "../lib/errno";
import { NamedFile } from "./named-file";
import { DirectorySink } from "./vnode";

export class PathFile extends NamedFile {
  read(_buffer: usize, _length: usize): i64 {
    return -EBADF;
  }
  write(_buffer: usize, _length: usize): i64 {
    return -EBADF;
  }
  readAt(_buffer: usize, _length: usize, _offset: u64): i64 {
    return -EBADF;
  }
  writeAt(_buffer: usize, _length: usize, _offset: u64): i64 {
    return -EBADF;
  }
  seek(_offset: i64, _origin: u32): i64 {
    return -EBADF;
  }
  ioctl(_request: u32, _argument: usize): i64 {
    return -EBADF;
  }
  iterate(_sink: DirectorySink): i64 {
    return -EBADF;
  }
  pager(): usize {
    return asError(-EBADF);
  }
  truncate(_sizeBytes: u64): i64 {
    return -EBADF;
  }
  sync(_dataOnly: bool): i64 {
    return -EBADF;
  }
}
