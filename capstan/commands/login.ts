/**
 * `capstan login REGISTRY`: tries a user and password and keeps them. Neighbours:
 * `../registry/credentials.ts` keeps, `../registry/client.ts` tries.
 */
import { text } from "node:stream/consumers";
import { askLine } from "../console/ask.ts";
import { UserError } from "../errors.ts";
import { RegistryClient } from "../registry/client.ts";
import { keepCredentials } from "../registry/credentials.ts";
import { abortOnSignals } from "../run/signals.ts";
import { type CommandDefinition, type CommandInput, optionText } from "./command.ts";
import { insecureOption } from "./source-options.ts";

/** The command as data. */
export const loginCommand: CommandDefinition = {
  name: "login",
  summary: "keep a user and password for a registry",
  parameters: "[registry]",
  options: [
    { flags: "-u, --username <name>", description: "the user; asked for without it" },
    { flags: "--password-stdin", description: "read the password from standard input" },
    insecureOption,
  ],
  notes: `Without REGISTRY, docker.io is meant. The password is tried first, and kept in
~/.capstan/auth.json, readable for you only. What docker login has kept is used, too.`,
  examples: [
    "capstan login ghcr.io",
    "capstan login -u robot --password-stdin localhost:5000 < password",
  ],
  run: login,
};

async function login({ args, options, env }: CommandInput): Promise<number> {
  const [registry = "docker.io"] = args;
  const user = optionText(options, "username") ?? (await askLine("User: ", true));
  const password =
    options.passwordStdin === true
      ? (await text(process.stdin)).replace(/\r?\n$/, "")
      : await askLine("Password: ", false);
  if (user === "" || password === "") throw nothingGiven();
  await abortOnSignals(async (signal) => {
    const credentials = { kind: "password", user, password } as const;
    const insecure = options.insecure === true;
    const client = new RegistryClient(registry, { host: env, signal, insecure }, credentials);
    const response = await client.send({ method: "GET", path: "" });
    if (!response.ok) throw await client.unexpected(response, `cannot log in to ${registry}`);
    await response.body?.cancel();
  });
  keepCredentials(registry, { user, password }, env);
  if (options.json === true) process.stdout.write(`${JSON.stringify({ registry, user })}\n`);
  else process.stdout.write(`logged in to ${registry} as ${user}\n`);
  return 0;
}

function nothingGiven(): UserError {
  return new UserError({
    code: "WrongUsage",
    what: "cannot log in",
    why: "user or password is empty",
    fix: "give both: capstan login -u USER --password-stdin REGISTRY < FILE",
  });
}
