/**
 * `capstan logout REGISTRY`: forgets what `capstan login` kept.
 */
import { keepCredentials } from "../registry/credentials.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const logoutCommand: CommandDefinition = {
  name: "logout",
  summary: "forget the user and password for a registry",
  parameters: "[registry]",
  options: [],
  notes: "Without REGISTRY, docker.io is meant. What docker login has kept stays.",
  examples: ["capstan logout ghcr.io"],
  run: logout,
};

async function logout({ args, options, env }: CommandInput): Promise<number> {
  const [registry = "docker.io"] = args;
  keepCredentials(registry, undefined, env);
  if (options.json === true) process.stdout.write(`${JSON.stringify({ registry })}\n`);
  return 0;
}
