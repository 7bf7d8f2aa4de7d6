/**
 * Images by name as sources: those of this machine, and what registries have. An image that is here
 * is not looked for anywhere else; `capstan pull` gets a newer one.
 *
 * Neighbours: `../../registry/` stores and pulls, `image.ts` resolves.
 */
import { UserError } from "../../errors.ts";
import { openManifest } from "../../oci/image-files.ts";
import { pullImage } from "../../registry/pull.ts";
import {
  parseReference,
  type Reference,
  shortName,
  tryParseReference,
} from "../../registry/reference.ts";
import { ImageStore, type StoredImage } from "../../registry/store.ts";
import type { ResolvedSource, SourceKind, SourceOptions } from "../source.ts";
import { imageSource } from "./image.ts";

async function storedSource(
  { reference, manifest }: StoredImage,
  args: readonly string[],
  options: SourceOptions,
): Promise<ResolvedSource> {
  const { files } = new ImageStore(options.host);
  return imageSource(openManifest(files, manifest), shortName(reference), args, options);
}

async function resolveNamed(
  reference: Reference,
  args: readonly string[],
  options: SourceOptions,
): Promise<ResolvedSource> {
  const known = new ImageStore(options.host).find(reference);
  return storedSource(known ?? (await pullImage(reference, options)), args, options);
}

/** Images of this machine. */
export const storedImageKind: SourceKind = {
  name: "image",
  recognises(text, { host }) {
    const reference = tryParseReference(text);
    return reference !== undefined && new ImageStore(host).find(reference) !== undefined;
  },
  resolve: (text, args, options) => resolveNamed(parseReference(text), args, options),
};

/** Images that a registry may have; asked when nothing on this machine has the name. */
export const registryImageKind: SourceKind = {
  name: "image",
  scheme: "docker",
  recognises: (text) => tryParseReference(text) !== undefined,
  async resolve(text, args, options) {
    const reference = parseReference(text);
    try {
      return await resolveNamed(reference, args, options);
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== "RegistryUnreachable") throw error;
      throw new UserError({
        code: "SourceNotFound",
        what: `cannot find ${text}`,
        why: `no directory, image, package or program here has this name; ${error.what}: ${error.why}`,
        fix: "check the name; write -- before a program of this machine: capstan run -- ls",
        exitStatus: 127,
        cause: error,
      });
    }
  },
};
