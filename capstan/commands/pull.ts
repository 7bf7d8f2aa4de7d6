/**
 * `capstan pull NAME`: brings an image from a registry to this machine. Neighbours:
 * `../registry/pull.ts` does the work.
 */
import { progressFor } from "../console/progress.ts";
import { pullImage } from "../registry/pull.ts";
import { fullName, parseReference } from "../registry/reference.ts";
import { abortOnSignals } from "../run/signals.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { insecureOption } from "./source-options.ts";

const notes = `Ctrl-C leaves the image as it was; the next pull continues where this one stopped.
Registries on this machine may speak plain HTTP, others with --insecure only.`;

/** The command as data. */
export const pullCommand: CommandDefinition = {
  name: "pull",
  summary: "get an image from a registry",
  parameters: "<name>",
  options: [insecureOption, { flags: "--quiet", description: "show no progress" }],
  notes,
  examples: [
    "capstan pull nginx:1.25",
    "capstan pull ghcr.io/owner/app@sha256:…",
    "capstan pull localhost:5000/app",
  ],
  run: pull,
};

async function pull({ args: [name = ""], options, env }: CommandInput): Promise<number> {
  const reference = parseReference(name);
  const image = await abortOnSignals((signal) =>
    pullImage(reference, {
      host: env,
      insecure: options.insecure === true,
      progress: progressFor(options),
      signal,
    }),
  );
  const result = { name: fullName(image.reference), digest: image.manifest.digest };
  if (options.json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
  else process.stdout.write(`${result.digest}\n`);
  return 0;
}
