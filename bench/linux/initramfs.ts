/**
 * Writes an initial RAM disk for Linux: a cpio archive in the "newc" format.
 * @see Linux, Documentation/driver-api/early-userspace/buffer-format.rst
 */

/** An entry of the archive. */
export interface InitramfsEntry {
  /** Path without a leading slash. */
  readonly path: string;
  /** File type and permissions, as in st_mode. */
  readonly mode: number;
  readonly content?: Buffer;
  /** Major and minor number of a device node. */
  readonly device?: readonly [number, number];
}

const directory = 0o040755;
const executable = 0o100755;
const regular = 0o100644;
const console: InitramfsEntry = { path: "dev/console", mode: 0o020600, device: [5, 1] };

/** The archive for a guest whose /init is the program, with further files beside it. */
export function initramfs(program: Buffer, files: Readonly<Record<string, Buffer>>): Buffer {
  return cpioArchive([
    { path: "dev", mode: directory },
    console,
    { path: "tmp", mode: directory },
    { path: "init", mode: executable, content: program },
    ...Object.entries(files).map(([path, content]) => {
      return { path: path.replace(/^\//, ""), mode: regular, content };
    }),
  ]);
}

/** A cpio archive of the entries, in their order. */
export function cpioArchive(entries: readonly InitramfsEntry[]): Buffer {
  const parts = [...entries, { path: "TRAILER!!!", mode: 0 }].flatMap((entry, index) => {
    const { content = Buffer.alloc(0) } = entry;
    const name = Buffer.from(`${entry.path}\0`, "utf8");
    const header = Buffer.from(headerOf(entry, index + 1, name.length, content.length), "latin1");
    return [padded(Buffer.concat([header, name])), padded(content)];
  });
  return Buffer.concat(parts);
}

function headerOf(entry: InitramfsEntry, inode: number, nameBytes: number, fileBytes: number) {
  const [major, minor] = entry.device ?? [0, 0];
  // inode, mode, uid, gid, nlink, mtime, filesize, dev (2), rdev (2), namesize, check
  const fields = [inode, entry.mode, 0, 0, 1, 0, fileBytes, 0, 0, major, minor, nameBytes, 0];
  return `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
}

/** Every part begins at a multiple of four bytes. */
function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
