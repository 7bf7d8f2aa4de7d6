/**
 * `capstan rmi NAME...`: removes images of this machine. Neighbours: `../registry/store.ts`.
 */
import { formatBytes } from "../console/progress.ts";
import { fullName, parseReference } from "../registry/reference.ts";
import { ImageStore } from "../registry/store.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const rmiCommand: CommandDefinition = {
  name: "rmi",
  summary: "remove images from this machine",
  parameters: "<names...>",
  options: [],
  notes: "Layers that another image has stay. Machines that run do not need the image any more.",
  examples: ["capstan rmi nginx:1.25", "capstan rmi web localhost:5000/web:2"],
  run: rmi,
};

async function rmi({ args, options, env }: CommandInput): Promise<number> {
  const store = new ImageStore(env);
  const references = args.map(parseReference);
  // All names are looked up before anything is removed.
  for (const reference of references) store.get(reference);
  const removed = references.map((reference) => ({
    name: fullName(reference),
    freedBytes: store.remove(reference),
  }));
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(removed)}\n`);
    return 0;
  }
  for (const { name, freedBytes } of removed) {
    process.stdout.write(`removed ${name}, ${formatBytes(freedBytes)} free\n`);
  }
  return 0;
}
