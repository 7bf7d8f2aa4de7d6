/**
 * The manifest of an image: what is in it, by hashes. It stands beside the image as
 * `IMAGE.manifest.json`, with a signature, and stays true when the image is converted.
 *
 * Neighbours: `signing.ts` signs it, `../commands/image-verify.ts` checks an image against it.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { sectorBytes } from "../disk/boot/partition-table.ts";
import { surveyDisk } from "../disk/content-id.ts";
import type { DiskInside } from "../disk/look-inside.ts";
import type { ErofsImage } from "../image/erofs/reader.ts";
import { contentsOf, findInImage, type ImageFile, walkImage } from "../image/image-files.ts";
import { uuidText } from "../image/uuid.ts";
import { packedFileSchema } from "./packed-files.ts";

const fileSchema = z.strictObject({
  path: z.string(),
  kind: z.string(),
  mode: z.number(),
  uid: z.number(),
  gid: z.number(),
  sizeBytes: z.number(),
  /** Of a file's contents, or of a symbolic link's target; absent for others. */
  sha256: z.string().optional(),
});

/** What a manifest says. */
export const manifestSchema = z.strictObject({
  version: z.literal(1),
  /** See `content-id.ts`: the disk's contents, whatever its format. */
  diskSha256: z.string(),
  /** The kernel as it lies on the disk, and what it is told; null on disks without a boot loader. */
  boot: z.strictObject({ kernelSha256: z.string(), configuration: z.string() }).nullable(),
  fileSystem: z.strictObject({ uuid: z.string(), files: z.array(fileSchema) }),
  /** The files of an output that is more than a disk, see `packed-files.ts`; absent for disks. */
  packed: z.array(packedFileSchema).optional(),
});

export type ImageManifest = z.infer<typeof manifestSchema>;
type FileEntry = z.infer<typeof fileSchema>;

async function fileEntry(
  image: ErofsImage,
  { path, inode }: ImageFile,
  pause: () => Promise<void>,
): Promise<FileEntry> {
  const { kind, mode, uid, gid, sizeBytes } = inode;
  const entry = { path, kind, mode, uid, gid, sizeBytes };
  if (kind !== "file" && kind !== "symlink") return entry;
  const hash = createHash("sha256");
  for (const piece of contentsOf(image, inode)) {
    hash.update(piece);
    await pause();
  }
  return { ...entry, sha256: hash.digest("hex") };
}

/**
 * Reads a whole image and describes it.
 * @param pause awaited often; may throw to stop
 */
export async function describeImage(
  inside: DiskInside & { readonly root: ErofsImage },
  pause: () => Promise<void>,
): Promise<ImageManifest> {
  const { disk, boot, root } = inside;
  const { hash } = await surveyDisk(disk, 64 * 1024, pause);
  const files: FileEntry[] = [];
  for (const file of walkImage(root, findInImage(root, "/", false))) {
    files.push(await fileEntry(root, file, pause));
    await pause();
  }
  let bootEntry: ImageManifest["boot"] = null;
  if (boot !== undefined) {
    const { kernelFirstSector, kernelSectors } = boot.parameters;
    const kernel = Buffer.alloc(kernelSectors * sectorBytes);
    disk.read(kernel, kernelFirstSector * sectorBytes);
    const kernelSha256 = createHash("sha256").update(kernel).digest("hex");
    bootEntry = { kernelSha256, configuration: boot.configuration };
  }
  const uuid = uuidText(root.superblock.uuid);
  return {
    version: 1,
    diskSha256: hash.toString("hex"),
    boot: bootEntry,
    fileSystem: { uuid, files },
  };
}

/** How an image differs from its manifest, one sentence each; empty if it does not. */
export function manifestDifferences(wanted: ImageManifest, found: ImageManifest): string[] {
  const differences: string[] = [];
  if (wanted.boot?.kernelSha256 !== found.boot?.kernelSha256) differences.push("another kernel");
  if (wanted.boot?.configuration !== found.boot?.configuration) {
    differences.push("another program, arguments or options are started");
  }
  const pending = new Map(found.fileSystem.files.map((file) => [file.path, file]));
  for (const file of wanted.fileSystem.files) {
    const there = pending.get(file.path);
    pending.delete(file.path);
    if (there === undefined) differences.push(`${file.path} is missing`);
    else if (there.sha256 !== file.sha256) differences.push(`${file.path} has other contents`);
    else if (JSON.stringify(there) !== JSON.stringify(file)) {
      differences.push(`${file.path} has other attributes`);
    }
  }
  for (const path of pending.keys()) differences.push(`${path} was added`);
  if (differences.length === 0 && wanted.diskSha256 !== found.diskSha256) {
    differences.push("the disk differs outside of files and kernel");
  }
  return differences;
}
