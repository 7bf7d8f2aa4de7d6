/**
 * `capstan push NAME [TARGET]`: brings an image of this machine to a registry. Neighbours:
 * `../registry/push.ts` does the work.
 */
import { progressFor } from "../console/progress.ts";
import { pushImage } from "../registry/push.ts";
import { fullName, parseReference } from "../registry/reference.ts";
import { ImageStore } from "../registry/store.ts";
import { abortOnSignals } from "../run/signals.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { insecureOption } from "./source-options.ts";

/** The command as data. */
export const pushCommand: CommandDefinition = {
  name: "push",
  summary: "put an image into a registry",
  parameters: "<name> [target]",
  options: [insecureOption, { flags: "--quiet", description: "show no progress" }],
  notes: `TARGET is the name in the registry; without it, NAME says where. What is not an image yet becomes
one with capstan import.`,
  examples: ["capstan push ghcr.io/owner/app:1", "capstan push web localhost:5000/web:2"],
  run: push,
};

async function push({ args, options, env }: CommandInput): Promise<number> {
  const [name = "", target = name] = args;
  const image = new ImageStore(env).get(parseReference(name));
  const reference = parseReference(target);
  const { digest, sentBytes } = await abortOnSignals((signal) =>
    pushImage(image, reference, {
      host: env,
      insecure: options.insecure === true,
      progress: progressFor(options),
      signal,
    }),
  );
  const result = { name: fullName(reference), digest, sentBytes };
  if (options.json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
  else process.stdout.write(`${digest}\n`);
  return 0;
}
