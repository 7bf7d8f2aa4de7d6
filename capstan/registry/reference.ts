/**
 * Names of images: `[REGISTRY/]PATH[:TAG][@DIGEST]`, with Docker's abbreviations: no registry means
 * docker.io, a single name there lies in `library/`, no tag means `latest`.
 * OCI distribution specification 1.1, "Pulling manifests".
 */
import { UserError } from "../errors.ts";

/** A name, taken apart and completed. */
export interface Reference {
  /** Host of the registry, with its port if it has one. */
  readonly registry: string;
  /** Name within the registry. */
  readonly path: string;
  readonly tag: string;
  /** `sha256:...`; wins over the tag. */
  readonly digest: string | undefined;
}

const DEFAULT_REGISTRY = "docker.io";

const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const REGISTRY = /^(?:[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*|\[[0-9a-fA-F:]+\])(?::\d+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Takes a name apart, or returns undefined if it is none. */
export function tryParseReference(text: string): Reference | undefined {
  const [named = "", digest, ...more] = text.split("@");
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined;
  const slash = named.indexOf("/");
  const first = slash === -1 ? "" : named.slice(0, slash);
  const hasRegistry = /[.:]/.test(first) || first === "localhost";
  const registry = hasRegistry ? first : DEFAULT_REGISTRY;
  const rest = hasRegistry ? named.slice(slash + 1) : named;
  const colon = rest.lastIndexOf(":");
  const path = colon === -1 ? rest : rest.slice(0, colon);
  const tag = colon === -1 ? "latest" : rest.slice(colon + 1);
  const isShort = registry === DEFAULT_REGISTRY && !path.includes("/");
  const whole = isShort ? `library/${path}` : path;
  if (!REGISTRY.test(registry) || !PATH.test(whole) || !TAG.test(tag)) return undefined;
  return { registry, path: whole, tag, digest };
}

/**
 * Takes a name apart.
 * @throws UserError `BadReference`
 */
export function parseReference(text: string): Reference {
  const reference = tryParseReference(text);
  if (reference !== undefined) return reference;
  throw new UserError({
    code: "BadReference",
    what: `${text === "" ? "''" : text} is no name of an image`,
    why: "names are lower case: [REGISTRY/]NAME[:TAG] or [REGISTRY/]NAME@sha256:DIGEST",
    fix: "for example: nginx:1.25, ghcr.io/owner/app, localhost:5000/app:2",
  });
}

/** The name in full; two names of the same image are the same text. */
export function fullName({ registry, path, tag, digest }: Reference): string {
  return `${registry}/${path}${digest === undefined ? `:${tag}` : `@${digest}`}`;
}

/** The name as people write it, without what goes without saying. */
export function shortName(reference: Reference): string {
  return fullName(reference).replace(/^docker\.io\/(library\/)?/, "");
}
