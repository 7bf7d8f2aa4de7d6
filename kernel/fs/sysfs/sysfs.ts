/** skeleton */
import { TmpfsFileSystem } from "../tmpfs/file-system";
import { FileSystem } from "../vnode";
export function createSysfs(): FileSystem {
  const fs = new TmpfsFileSystem();
  fs.makeRoot(0o555);
  return fs;
}
