/**
 * `capstan images`: the images of this machine. Neighbours: `../registry/store.ts` keeps them.
 */
import { formatBytes } from "../console/progress.ts";
import { fullName, shortName } from "../registry/reference.ts";
import { ImageStore, type StoredImage } from "../registry/store.ts";
import { formatTable } from "../text/table.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const imagesCommand: CommandDefinition = {
  name: "images",
  summary: "list the images of this machine",
  parameters: "",
  options: [],
  notes: "SIZE is what the compressed layers take; layers that images share lie on the disk once.",
  examples: ["capstan images", "capstan images --json"],
  run: images,
};

async function images({ options, env }: CommandInput): Promise<number> {
  const store = new ImageStore(env);
  const rows = store.list().map((image) => describe(store, image));
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(rows)}\n`);
    return 0;
  }
  if (rows.length === 0) {
    process.stderr.write("capstan: no images yet; capstan pull and capstan import make them\n");
    return 0;
  }
  const lines = rows.map(({ shortName: name, digest, sizeBytes, stored }) => [
    name,
    digest.slice("sha256:".length, "sha256:".length + 12),
    formatBytes(sizeBytes),
    stored.slice(0, 16).replace("T", " "),
  ]);
  process.stdout.write(formatTable([["NAME", "DIGEST", "SIZE", "STORED (UTC)"], ...lines]));
  return 0;
}

function describe(store: ImageStore, image: StoredImage) {
  const { manifest } = store.describe(image);
  return {
    name: fullName(image.reference),
    shortName: shortName(image.reference),
    digest: image.manifest.digest,
    sizeBytes: manifest.layers.reduce((sum, { size }) => sum + size, 0),
    stored: new Date(image.storedMs).toISOString(),
  };
}
