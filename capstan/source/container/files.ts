/**
 * Images that lie in files as sources: `./layout`, `./image.tar`, `oci:PATH:NAME`,
 * `docker-archive:PATH:NAME`. Neighbours: `image-files.ts` opens them, `image.ts` resolves them.
 */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../../errors.ts";
import type { SourceKind } from "../source.ts";
import { imageSource } from "./image.ts";
import { archiveFiles, directoryFiles, isImagePath, openImageFiles } from "./image-files.ts";

/** An image in files, with a scheme. */
function imageFilesKind(scheme: string): SourceKind {
  return {
    name: "image",
    scheme,
    recognises: (text, { cwd }) => isImagePath(resolve(cwd, splitName(text, cwd).path)),
    resolve(text, args, options) {
      const { path, name } = splitName(text, options.cwd);
      const absolute = resolve(options.cwd, path);
      const stats = statSync(absolute, { throwIfNoEntry: false });
      if (stats === undefined) {
        throw new UserError({
          code: "ImageNotFound",
          what: `cannot find the image ${text}`,
          why: `there is no file or directory ${absolute}`,
          fix: `check the path; the form is ${scheme}:PATH or ${scheme}:PATH:NAME`,
        });
      }
      const files = stats.isDirectory() ? directoryFiles(absolute) : archiveFiles(absolute);
      return imageSource(openImageFiles(files, name), text, args, options);
    },
  };
}

/** `PATH[:NAME]`; a path with colons that exists is meant as it is. */
function splitName(text: string, cwd: string): { path: string; name: string | undefined } {
  const colon = text.lastIndexOf(":");
  if (colon <= 0 || existsSync(resolve(cwd, text))) return { path: text, name: undefined };
  return { path: text.slice(0, colon), name: text.slice(colon + 1) };
}

/** What skopeo(1) calls the same things; capstan looks for itself which of them it is. */
export const imageFileKinds: readonly SourceKind[] = ["oci", "oci-archive", "docker-archive"].map(
  imageFilesKind,
);
