/**
 * Images that lie in files as sources: `./layout`, `./image.tar`, `oci:PATH:NAME`,
 * `docker-archive:PATH:NAME`. Neighbours: `image-files.ts` opens them, `image.ts` resolves them.
 */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../../errors.ts";
import {
  archiveFiles,
  directoryFiles,
  isImagePath,
  type OpenedImage,
  openImageFiles,
} from "../../oci/image-files.ts";
import type { SourceKind, SourceOptions } from "../source.ts";
import { imageSource } from "./image.ts";

/** An image in files, with a scheme. */
function imageFilesKind(scheme: string): SourceKind {
  return {
    name: "image",
    scheme,
    recognises: (text, { cwd }) => isImagePath(resolve(cwd, splitName(text, cwd).path)),
    resolve: (text, args, options) =>
      imageSource(openImagePath(text, options.cwd), text, args, options),
  };
}

/** Opens `PATH[:NAME]`. Throws a UserError if there is no image. */
function openImagePath(text: string, cwd: string): OpenedImage {
  const { path, name } = splitName(text, cwd);
  const absolute = resolve(cwd, path);
  const stats = statSync(absolute, { throwIfNoEntry: false });
  if (stats === undefined) {
    throw new UserError({
      code: "ImageNotFound",
      what: `cannot find the image ${text}`,
      why: `there is no file or directory ${absolute}`,
      fix: "check the path; the form is oci:PATH or oci:PATH:NAME",
    });
  }
  const files = stats.isDirectory() ? directoryFiles(absolute) : archiveFiles(absolute);
  return openImageFiles(files, name);
}

/** Opens a source if it is an image in files; undefined for other sources. */
export function openImageSource(text: string, { cwd }: SourceOptions): OpenedImage | undefined {
  const [, scheme, rest] = /^([a-z-]+):(?:\/\/)?(.*)$/s.exec(text) ?? [];
  if (scheme !== undefined && SCHEMES.includes(scheme)) return openImagePath(rest ?? "", cwd);
  const isImage = isImagePath(resolve(cwd, splitName(text, cwd).path));
  return isImage ? openImagePath(text, cwd) : undefined;
}

/** `PATH[:NAME]`; a path with colons that exists is meant as it is. */
function splitName(text: string, cwd: string): { path: string; name: string | undefined } {
  const colon = text.lastIndexOf(":");
  if (colon <= 0 || existsSync(resolve(cwd, text))) return { path: text, name: undefined };
  return { path: text.slice(0, colon), name: text.slice(colon + 1) };
}

/** What skopeo(1) calls the same things; capstan looks for itself which of them it is. */
const SCHEMES: readonly string[] = ["oci", "oci-archive", "docker-archive"];

/** One kind for each of the schemes. */
export const imageFileKinds: readonly SourceKind[] = SCHEMES.map(imageFilesKind);
