/**
 * A registry for tests, in memory: tokens, Range, broken connections, damaged data. What a real one
 * does is tested with Debian's docker-registry. Neighbours: `registry.test.ts`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the registry does, and what it saw. */
export interface RegistryDouble {
  /** `127.0.0.1:PORT`. */
  readonly registry: string;
  /** Blobs and manifests by `blobs/DIGEST` and `manifests/TAG`. */
  readonly content: Map<string, Buffer>;
  /** Requests as `METHOD PATH`, with `bytes=N-` behind them where there was a range. */
  readonly requests: string[];
  /** Cuts the connection after so many bytes of each blob's answer. */
  cutAfterBytes: number | undefined;
  /** Whether a range is answered with the rest, or with everything. */
  honoursRanges: boolean;
  /** Wants a token, which it gives for this user and password. */
  login: { readonly user: string; readonly password: string } | undefined;
  close(): Promise<void>;
}

const TOKEN = "a-token";

/** Starts a registry on a free port of the loopback interface. */
export async function startRegistryDouble(): Promise<RegistryDouble> {
  const server = createServer((request, response) => answer(double, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const double: RegistryDouble = {
    registry: `127.0.0.1:${port}`,
    content: new Map(),
    requests: [],
    cutAfterBytes: undefined,
    honoursRanges: true,
    login: undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return double;
}

function answer(double: RegistryDouble, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", `http://${double.registry}`);
  const { range, authorization } = request.headers;
  double.requests.push([request.method, url.pathname, range].filter(Boolean).join(" "));
  if (url.pathname === "/token") {
    answerToken(double, authorization, url, response);
  } else if (double.login !== undefined && authorization !== `Bearer ${TOKEN}`) {
    const challenge = `Bearer realm="http://${double.registry}/token",service="test"`;
    response.writeHead(401, { "www-authenticate": challenge }).end();
  } else if (url.pathname === "/v2/") {
    response.end("{}");
  } else {
    const [, kind, name] = /\/(blobs|manifests)\/([^/]+)$/.exec(url.pathname) ?? [];
    answerContent(double, double.content.get(`${kind}/${name}`), range, kind, response);
  }
}

function answerToken(
  { login }: RegistryDouble,
  authorization: string | undefined,
  url: URL,
  response: ServerResponse,
): void {
  const wanted = Buffer.from(`${login?.user}:${login?.password}`).toString("base64");
  const isRight = authorization === `Basic ${wanted}` && url.searchParams.get("service") === "test";
  if (isRight) response.end(JSON.stringify({ token: TOKEN }));
  else response.writeHead(401).end();
}

function answerContent(
  double: RegistryDouble,
  content: Buffer | undefined,
  range: string | undefined,
  kind: string | undefined,
  response: ServerResponse,
): void {
  if (content === undefined) {
    response.writeHead(404).end(JSON.stringify({ errors: [{ code: "UNKNOWN", message: "no" }] }));
    return;
  }
  const start = double.honoursRanges ? Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0) : 0;
  const part = content.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, { "content-length": part.length });
  if (kind === "manifests" || double.cutAfterBytes === undefined) {
    response.end(part);
    return;
  }
  response.write(part.subarray(0, double.cutAfterBytes), () => response.destroy());
}
