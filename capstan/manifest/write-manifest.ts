/**
 * Writes the signed manifest of an image file that was just built.
 * Neighbours: `manifest.ts` describes, `signing.ts` signs.
 */
import { rmSync } from "node:fs";
import type { DiskImage } from "../disk/disk-image.ts";
import { lookInsideDisk } from "../disk/look-inside.ts";
import { writeWhole } from "../disk/output-file.ts";
import { Pacer } from "../image/erofs/pacer.ts";
import { writingImage } from "../image/write-error.ts";
import { describeImage, type ImageManifest } from "./manifest.ts";
import { manifestPathOf } from "./manifest-path.ts";
import { packedFiles } from "./packed-files.ts";
import { signingKey, signManifest } from "./signing.ts";

/** How a manifest is written. */
export interface ManifestOptions {
  /** The output is the disk, in some format, and nothing else. */
  readonly isDisk: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Describes a disk that was, or is about to be, written. @throws the signal's reason */
export async function describeDisk(disk: DiskImage, signal: AbortSignal): Promise<ImageManifest> {
  const inside = lookInsideDisk(disk);
  const { root } = inside;
  if (root === undefined) throw new RangeError("a disk without a file system has no manifest");
  const pacer = new Pacer(signal);
  return await describeImage({ ...inside, root }, () => pacer.pause());
}

/**
 * Signs what describes a disk, and writes it beside the image file that the disk was written to.
 * @throws UserError, the signal's reason
 */
export async function writeManifest(
  described: ImageManifest,
  imagePath: string,
  { isDisk, env, signal }: ManifestOptions,
): Promise<void> {
  // That of an earlier image would be wrong about this one, if the signal comes now.
  const path = manifestPathOf(imagePath);
  writingImage(path, () => rmSync(path, { force: true }));
  const manifest = isDisk
    ? described
    : { ...described, packed: await packedFiles(imagePath, signal) };
  const text = `${JSON.stringify(signManifest(manifest, signingKey(env)), null, 1)}\n`;
  await writeWhole(path, signal, async (output) => {
    output.append(Buffer.from(text));
  });
}
