/**
 * Speaks to a registry: requests with authentication, over TLS unless the registry is on this
 * machine or the user allows otherwise. OCI distribution specification 1.1; the token flow is the
 * one of the Distribution project (spec/auth/token.md), RFC 6750 and RFC 7617.
 *
 * Neighbours: `pull.ts` and `push.ts` know what to ask for; `credentials.ts` who asks.
 */
import * as z from "zod";
import { systemErrorCode, UserError } from "../errors.ts";
import type { WorkOptions } from "../work.ts";
import { type Credentials, findCredentials } from "./credentials.ts";

/** Options of work with a registry. */
export interface RegistryOptions extends WorkOptions {
  /** Whether registries other than this machine may be spoken to without TLS. */
  readonly insecure?: boolean;
}

/** What a client needs of a command's options. */
export type ClientOptions = Omit<RegistryOptions, "progress">;

/** One request. */
export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  /** Below `/v2/`, or a whole URL that the registry gave. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Blob | Uint8Array<ArrayBuffer>;
  /** Repository for which permission may be needed, and whether to write there. */
  readonly repository?: string;
  readonly writes?: boolean;
}

/** docker.io is a name; the registry behind it has another one. */
const ENDPOINTS: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };

const tokenSchema = z.object({ token: z.string().optional(), access_token: z.string().optional() });

const errorsSchema = z.object({
  errors: z.array(z.object({ code: z.string(), message: z.string().default("") })),
});

/** A client of one registry. */
export class RegistryClient {
  readonly registry: string;
  readonly #options: ClientOptions;
  readonly #credentials: Credentials | undefined;
  readonly #isLogin: boolean;
  readonly #tokens = new Map<string, string>();
  #origin: string | undefined;

  /** `credentials` are those of a login that is being tried; else the kept ones are used. */
  constructor(registry: string, options: ClientOptions, credentials?: Credentials) {
    this.registry = registry;
    this.#options = options;
    this.#isLogin = credentials !== undefined;
    this.#credentials = credentials ?? findCredentials(registry, options.host);
  }

  /**
   * Sends a request, with authentication if the registry wants it.
   * @throws UserError `RegistryUnreachable`, `AccessDenied`; other statuses are the caller's
   */
  async send(request: RegistryRequest): Promise<Response> {
    const url = new URL(request.path, `${await this.#findOrigin()}/v2/`);
    const scope = scopeOf(request);
    const known = this.#tokens.get(scope);
    const first = await this.#fetch(url, request, known);
    if (first.status !== 401) return first;
    await first.body?.cancel();
    const authorization = await this.#authorize(first.headers.get("www-authenticate"), scope);
    if (authorization === undefined) throw this.#denied("the registry wants a login");
    this.#tokens.set(scope, authorization);
    const second = await this.#fetch(url, request, authorization);
    if (second.status === 401 || second.status === 403) {
      throw this.#denied(await explain(second));
    }
    return second;
  }

  /** The error for an answer that was not expected. */
  async unexpected(response: Response, what: string): Promise<UserError> {
    return new UserError({
      code: "RegistryFailed",
      what,
      why: `${this.registry} answered: ${await explain(response)}`,
      fix:
        response.status >= 500
          ? "the registry has a problem of its own: try again later"
          : "check the name, and whether you may use it (capstan login)",
    });
  }

  /** https, or http where that is allowed and https is not spoken. */
  async #findOrigin(): Promise<string> {
    if (this.#origin !== undefined) return this.#origin;
    const host = ENDPOINTS[this.registry] ?? this.registry;
    const mayBePlain = this.#options.insecure === true || isLoopback(this.registry);
    const schemes = mayBePlain ? ["https", "http"] : ["https"];
    let reason: unknown;
    for (const scheme of schemes) {
      try {
        const response = await this.#call(new URL(`${scheme}://${host}/v2/`), { method: "GET" });
        await response.body?.cancel();
        this.#origin = `${scheme}://${host}`;
        return this.#origin;
      } catch (error) {
        reason = error;
        // It does speak https: a password must not go there in plain text.
        if (isCertificateError(error)) break;
      }
    }
    throw this.#unreachable(reason);
  }

  async #fetch(
    url: URL,
    { method, headers, body }: RegistryRequest,
    authorization: string | undefined,
  ): Promise<Response> {
    try {
      return await this.#call(url, {
        method,
        headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
        ...(body === undefined ? {} : { body }),
      });
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  /** fetch(), stopped by the command's signal. */
  #call(url: URL, init: RequestInit): Promise<Response> {
    const { signal } = this.#options;
    return fetch(url, { ...init, ...(signal === undefined ? {} : { signal }) });
  }

  /** The value of the Authorization header that answers a challenge. */
  async #authorize(challenge: string | null, scope: string): Promise<string | undefined> {
    const { scheme, parameters } = parseChallenge(challenge ?? "");
    const credentials = this.#credentials;
    if (scheme === "basic") {
      return credentials?.kind === "password" ? basic(credentials) : undefined;
    }
    const realm = parameters.get("realm");
    if (scheme !== "bearer" || realm === undefined) return undefined;
    const url = new URL(realm);
    const service = parameters.get("service");
    const wanted = parameters.get("scope") ?? scope;
    const response = await this.#requestToken(url, service, wanted);
    if (!response.ok) throw this.#denied(await explain(response));
    const { token, access_token } = tokenSchema.parse(await response.json());
    const value = token ?? access_token;
    return value === undefined ? undefined : `Bearer ${value}`;
  }

  async #requestToken(url: URL, service: string | undefined, scope: string): Promise<Response> {
    const credentials = this.#credentials;
    try {
      if (credentials?.kind === "token") {
        const form = new URLSearchParams({
          grant_type: "refresh_token",
          refresh_token: credentials.refreshToken,
          client_id: "capstan",
          ...(service === undefined ? {} : { service }),
          ...(scope === "" ? {} : { scope }),
        });
        return await this.#call(url, { method: "POST", body: form });
      }
      if (service !== undefined) url.searchParams.set("service", service);
      if (scope !== "") url.searchParams.set("scope", scope);
      const headers = credentials === undefined ? {} : { authorization: basic(credentials) };
      return await this.#call(url, { method: "GET", headers });
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  #denied(why: string): UserError {
    return new UserError({
      code: "AccessDenied",
      what: `${this.registry} does not let you in`,
      why,
      fix: this.#isLogin
        ? "check the user and the password"
        : `check the name of the image, or log in: capstan login ${this.registry}`,
    });
  }

  #unreachable(error: unknown): UserError {
    this.#options.signal?.throwIfAborted();
    if (error instanceof UserError) return error;
    if (isCertificateError(error)) return untrusted(this.registry, error);
    const isPlain = !isLoopback(this.registry) && this.#options.insecure !== true;
    return new UserError({
      code: "RegistryUnreachable",
      what: `cannot reach the registry ${this.registry}`,
      why: reasonOf(error),
      fix: isPlain
        ? "check the network and the name; --insecure allows a registry without TLS"
        : "check the network and the name, and that the registry runs",
      cause: error,
    });
  }
}

/** Node says "fetch failed" and keeps the reason behind it; some reasons have a code only. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.message === "" ? (systemErrorCode(cause) ?? cause.name) : cause.message;
}

/** Whether a TLS connection failed because of who the other side says it is: tls(3), X509 codes. */
function isCertificateError(error: unknown): boolean {
  const code = systemErrorCode(error instanceof Error ? error.cause : undefined) ?? "";
  return /CERT|^UNABLE_TO_|^INVALID_CA$|^HOSTNAME_MISMATCH$/.test(code);
}

function untrusted(registry: string, error: unknown): UserError {
  return new UserError({
    code: "UntrustedCertificate",
    what: `cannot trust the registry ${registry}`,
    why: `its certificate is not accepted: ${reasonOf(error)}`,
    fix: "if it is yours, name a file with its certificate: NODE_EXTRA_CA_CERTS=FILE capstan ...",
    cause: error,
  });
}

function scopeOf({ repository, writes }: RegistryRequest): string {
  if (repository === undefined) return "";
  return `repository:${repository}:${writes === true ? "pull,push" : "pull"}`;
}

function basic({ user, password }: { readonly user: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** Whether a registry is on this machine. */
export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, "");
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}

/** `Bearer realm="...",service="..."` (RFC 9110, 11.6.1). */
export function parseChallenge(text: string): {
  scheme: string;
  parameters: ReadonlyMap<string, string>;
} {
  const [, scheme = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  const parameters = new Map<string, string>();
  for (const [, key = "", quoted, plain] of rest.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)) {
    parameters.set(key.toLowerCase(), quoted ?? plain ?? "");
  }
  return { scheme: scheme.toLowerCase(), parameters };
}

/** What an answer says, for people. */
async function explain(response: Response): Promise<string> {
  const status = `${response.status} ${response.statusText}`.trim();
  let body: unknown;
  try {
    body = JSON.parse(await response.text());
  } catch {
    return status;
  }
  const parsed = errorsSchema.safeParse(body);
  const [error] = parsed.success ? parsed.data.errors : [];
  return error === undefined ? status : `${error.message || error.code} (${status})`;
}
