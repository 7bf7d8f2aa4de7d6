/**
 * Who the user is to a registry: what `capstan login` keeps, else what Docker's configuration has.
 *
 *     $CAPSTAN_ROOT/auth.json       { "auths": { "HOST": { "auth": base64 of USER:PASSWORD } } }
 *     $DOCKER_CONFIG/config.json    the same form, ~/.docker without DOCKER_CONFIG
 *
 * The file of capstan is readable for its owner only. Programs that keep passwords for Docker
 * (credential helpers) are asked as Docker asks them.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import * as z from "zod";
import { systemErrorCode, UserError } from "../errors.ts";
import { capstanHome } from "../home.ts";

/** What a registry is shown. */
export type Credentials =
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly refreshToken: string };

const fileSchema = z.object({
  auths: z
    .record(
      z.string(),
      z.object({ auth: z.string().optional(), identitytoken: z.string().optional() }),
    )
    .default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().optional(),
});

type AuthFile = z.infer<typeof fileSchema>;

const helperSchema = z.object({ Username: z.string(), Secret: z.string() });

/** Docker files its own registry under this name. */
const DOCKER_HUB_KEY = "https://index.docker.io/v1/";

function keysOf(registry: string): string[] {
  const hub = registry === "docker.io" ? [DOCKER_HUB_KEY, "index.docker.io"] : [];
  return [registry, `https://${registry}`, ...hub];
}

function readAuthFile(path: string): AuthFile {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return fileSchema.parse({});
    throw new UserError({
      code: "BadCredentialsFile",
      what: `cannot read ${path}`,
      why: error instanceof Error ? error.message : String(error),
      fix: "repair or remove the file, then use capstan login",
      cause: error,
    });
  }
}

function capstanFile(host: NodeJS.ProcessEnv): string {
  return join(capstanHome(host), "auth.json");
}

function dockerFile(host: NodeJS.ProcessEnv): string {
  const folder = host.DOCKER_CONFIG ?? join(host.HOME ?? homedir(), ".docker");
  return join(folder, "config.json");
}

/**
 * The credentials for a registry, or undefined.
 * @throws UserError when a file with credentials is damaged
 */
export function findCredentials(
  registry: string,
  host: NodeJS.ProcessEnv,
): Credentials | undefined {
  for (const path of [capstanFile(host), dockerFile(host)]) {
    const file = readAuthFile(path);
    for (const key of keysOf(registry)) {
      const found = fromEntry(file.auths[key]) ?? fromHelper(file, key, host);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function fromEntry(entry: AuthFile["auths"][string] | undefined): Credentials | undefined {
  if (entry?.identitytoken) return { kind: "token", refreshToken: entry.identitytoken };
  const text = Buffer.from(entry?.auth ?? "", "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon <= 0) return undefined;
  return { kind: "password", user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** docker-credential-helpers(1): the registry on standard input, JSON on standard output. */
function fromHelper(file: AuthFile, key: string, host: NodeJS.ProcessEnv): Credentials | undefined {
  const name = file.credHelpers[key] ?? file.credsStore;
  if (name === undefined) return undefined;
  const { stdout, status } = spawnSync(`docker-credential-${name}`, ["get"], {
    input: key,
    env: host,
    encoding: "utf8",
    timeout: 30_000,
  });
  if (status !== 0) return undefined;
  const answer = helperSchema.safeParse(JSON.parse(stdout));
  if (!answer.success) return undefined;
  const { Username: user, Secret: secret } = answer.data;
  return user === "<token>"
    ? { kind: "token", refreshToken: secret }
    : { kind: "password", user, password: secret };
}

/** Keeps credentials for a registry, or forgets them. Throws a UserError if that fails. */
export function keepCredentials(
  registry: string,
  credentials: { readonly user: string; readonly password: string } | undefined,
  host: NodeJS.ProcessEnv,
): void {
  const path = capstanFile(host);
  const { auths } = readAuthFile(path);
  delete auths[registry];
  if (credentials !== undefined) {
    const text = `${credentials.user}:${credentials.password}`;
    auths[registry] = { auth: Buffer.from(text).toString("base64") };
  }
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify({ auths }, null, 2)}\n`, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, path);
}
