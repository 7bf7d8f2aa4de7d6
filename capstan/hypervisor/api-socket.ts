/**
 * Speaks HTTP with a VMM over its UNIX socket: Firecracker's and Cloud Hypervisor's APIs. Every
 * request carries JSON or nothing. Neighbours: `firecracker.ts`, `cloud-hypervisor.ts`.
 */
import { existsSync, watch } from "node:fs";
import { request } from "node:http";
import { basename, dirname } from "node:path";
import { FatalError, UserError } from "../errors.ts";

/** How long a VMM may take to open its socket. */
const OPEN_LIMIT_MS = 5000;

/** A request that is to be made. */
export interface ApiRequest {
  readonly method: "GET" | "PUT";
  readonly path: string;
  readonly body?: object;
}

/**
 * Waits until the socket is there; `begin` starts the VMM and is called once nothing can be missed.
 * @param ended resolves when the VMM has ended instead
 */
export async function whenOpen<T extends { readonly ended: Promise<unknown> }>(
  socketPath: string,
  begin: () => Promise<T>,
): Promise<T> {
  const watcher = watch(dirname(socketPath));
  const appeared = new Promise<boolean>((resolve) => {
    watcher.on("change", (_, name) => {
      if (name === basename(socketPath)) resolve(true);
    });
    setTimeout(resolve, OPEN_LIMIT_MS, false).unref();
  });
  try {
    const vmm = await begin();
    const isEnded = vmm.ended.then(() => false);
    if (await Promise.race([appeared, isEnded])) return vmm;
    if (existsSync(socketPath)) return vmm;
    throw new FatalError(`the VMM did not open ${socketPath}`);
  } finally {
    watcher.close();
  }
}

/**
 * Makes a request.
 * @returns what came back, parsed; undefined for an empty body
 * @throws UserError `HypervisorFailed` with what the VMM said
 */
export function callApi(socketPath: string, call: ApiRequest): Promise<unknown> {
  const { method, path, body } = call;
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = {
    Accept: "application/json",
    ...(text === "" ? {} : { "Content-Type": "application/json" }),
    "Content-Length": Buffer.byteLength(text),
  };
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers }, (response) => {
      let answer = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        answer += piece;
      });
      response.on("end", () => {
        const { statusCode = 0 } = response;
        if (statusCode >= 300) reject(apiError(call, `status ${statusCode}: ${answer.trim()}`));
        else resolve(answer === "" ? undefined : JSON.parse(answer));
      });
    });
    sent.on("error", (error) => reject(apiError(call, error.message)));
    sent.end(text);
  });
}

function apiError({ method, path }: ApiRequest, why: string): UserError {
  return new UserError({
    code: "HypervisorFailed",
    what: `the hypervisor refused ${method} ${path}`,
    why,
    fix: "capstan run --dry-run shows what it is told; compare with the manual of its version",
  });
}
