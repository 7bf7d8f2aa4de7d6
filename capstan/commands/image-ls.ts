/** `capstan image ls IMAGE [PATH]`: lists the files in an image of any format. */
import { withFilesOf } from "../disk/look-inside.ts";
import { decodeDevice } from "../image/erofs/format.ts";
import type { ErofsImage } from "../image/erofs/reader.ts";
import { childrenOf, findInImage, type ImageFile, walkImage } from "../image/image-files.ts";
import { formatTable } from "../text/table.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const imageLsCommand: CommandDefinition = {
  name: "image ls",
  summary: "list the files in an image",
  parameters: "<image> [path]",
  options: [{ flags: "-R, --recursive", description: "list everything below" }],
  notes: "IMAGE is a file of any disk format, or an EROFS file system.",
  examples: ["capstan image ls app.qcow2", "capstan image ls -R app.vmdk /etc"],
  completes: "file",
  run: list,
};

/** First letters of a line, as ls(1) has them. */
const letters = {
  file: "-",
  directory: "d",
  symlink: "l",
  character: "c",
  block: "b",
  fifo: "p",
  socket: "s",
} as const;

async function list({ args, options }: CommandInput): Promise<number> {
  const [path = "", inner = "/"] = args;
  return withFilesOf(path, (image) => {
    const files = filesAt(image, inner, options.recursive === true);
    const text =
      options.json === true
        ? `${JSON.stringify(files.map((file) => facts(image, file)))}\n`
        : formatTable(files.map((file) => row(image, file)));
    process.stdout.write(text);
    return 0;
  });
}

function filesAt(image: ErofsImage, path: string, isRecursive: boolean): ImageFile[] {
  const file = findInImage(image, path, path.endsWith("/"));
  if (isRecursive) return [...walkImage(image, file)];
  return file.inode.kind === "directory" ? childrenOf(image, file) : [file];
}

function row(image: ErofsImage, { path, inode }: ImageFile): string[] {
  const { kind, uid, gid, sizeBytes } = inode;
  const isDevice = kind === "character" || kind === "block";
  const { major, minor } = decodeDevice(inode.startBlockOrDevice);
  const date = new Date(Number(inode.mtimeNs / 1_000_000n)).toISOString();
  return [
    letters[kind] + permissions(inode.mode),
    `${uid}:${gid}`.padStart(5),
    (isDevice ? `${major}, ${minor}` : String(sizeBytes)).padStart(10),
    date.slice(0, 16).replace("T", " "),
    kind === "symlink" ? `${path} -> ${image.readLink(inode)}` : path,
  ];
}

/** Nine letters, with set-user-id, set-group-id and sticky, as ls(1) has them. */
function permissions(mode: number): string {
  const special = [
    { bit: 0o4000, letter: "s" },
    { bit: 0o2000, letter: "s" },
    { bit: 0o1000, letter: "t" },
  ];
  return special
    .map(({ bit, letter }, index) => {
      const three = (mode >> (6 - 3 * index)) & 7;
      const isExecutable = (three & 1) !== 0;
      const plain = isExecutable ? "x" : "-";
      const marked = isExecutable ? letter : letter.toUpperCase();
      return (
        ((three & 4) === 0 ? "-" : "r") +
        ((three & 2) === 0 ? "-" : "w") +
        ((mode & bit) === 0 ? plain : marked)
      );
    })
    .join("");
}

function facts(image: ErofsImage, { path, inode }: ImageFile) {
  const { kind, mode, uid, gid, sizeBytes, linkCount } = inode;
  const target = kind === "symlink" ? { target: image.readLink(inode) } : {};
  const mtimeMs = Number(inode.mtimeNs / 1_000_000n);
  const modified = new Date(mtimeMs).toISOString();
  return { path, kind, mode, uid, gid, sizeBytes, linkCount, modified, ...target };
}
