/**
 * Packages elsewhere: a web server or a directory, named by `--url` or CAPSTAN_REPO_URL.
 *
 *     URL/packages/index.yaml     the descriptions of all packages, one document each
 *     URL/packages/NAME.mpm       the archive
 *
 * The index is `for f in *.yaml; do echo ---; cat $f; done`. Neighbours: `repository.ts` takes in
 * what is fetched.
 */
import { createWriteStream, existsSync, mkdtempSync, rmSync } from "node:fs";
import { copyFile, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseAllDocuments } from "yaml";
import { UserError } from "../../errors.ts";
import { type PackageMetadata, packageSchema } from "./metadata.ts";
import { type PackageRepository, packageMissing } from "./repository.ts";

/** A place that has packages. */
export class RemotePackages {
  readonly #url: string;
  readonly #signal: AbortSignal | undefined;

  /**
   * @param url what the user gave, or undefined
   * @throws UserError `NoRemote` when neither the user nor the environment names one
   */
  constructor(url: string | undefined, host: NodeJS.ProcessEnv, signal?: AbortSignal) {
    const chosen = url ?? host.CAPSTAN_REPO_URL;
    if (chosen === undefined || chosen === "") {
      throw new UserError({
        code: "NoRemote",
        what: "cannot look for packages elsewhere",
        why: "no repository is named",
        fix: "give --url, or set CAPSTAN_REPO_URL, to a web address or a directory",
      });
    }
    this.#url = chosen.replace(/\/$/, "");
    this.#signal = signal;
  }

  /** Descriptions of the packages there, by name. Throws a UserError when that fails. */
  async list(): Promise<PackageMetadata[]> {
    const documents = parseAllDocuments(await this.#text("packages/index.yaml"));
    const found = "empty" in documents ? [] : [...documents];
    return found
      .flatMap((document) => {
        const parsed = packageSchema.safeParse(document.toJS());
        return parsed.success ? [parsed.data] : [];
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Brings a package and all that it requires, as far as they are not here.
   * @returns the names that were brought
   */
  async pull(name: string, repository: PackageRepository, isForced = true): Promise<string[]> {
    const brought: string[] = [];
    const pending = [name];
    const seen = new Set<string>();
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
      if (seen.has(next)) continue;
      seen.add(next);
      const isWanted = !repository.has(next) || (isForced && next === name);
      const metadata = isWanted ? await this.#fetch(next, repository) : repository.describe(next);
      if (isWanted) brought.push(next);
      pending.push(...metadata.require);
    }
    return brought;
  }

  async #fetch(name: string, repository: PackageRepository): Promise<PackageMetadata> {
    const folder = mkdtempSync(join(tmpdir(), "capstan-package-"));
    const file = join(folder, `${name}.mpm`);
    try {
      await this.#download(`packages/${name}.mpm`, file, name);
      return await repository.import(file);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #text(path: string): Promise<string> {
    if (!this.#isWeb) {
      const file = join(this.#url, path);
      if (!existsSync(file)) throw this.#failed(`there is no file ${file}`);
      return await readFile(file, "utf8");
    }
    return (await this.#get(path)).text();
  }

  async #download(path: string, target: string, name: string): Promise<void> {
    if (!this.#isWeb) {
      const file = join(this.#url, path);
      if (!existsSync(file)) throw packageMissing(name, this.#url);
      return copyFile(file, target);
    }
    const { body } = await this.#get(path);
    if (body === null) throw this.#failed(`${path} is empty`);
    const stop = this.#signal === undefined ? {} : { signal: this.#signal };
    await pipeline(Readable.from(body), createWriteStream(target), stop);
  }

  async #get(path: string): Promise<Response> {
    const url = `${this.#url}/${path}`;
    let response: Response;
    try {
      response = await fetch(url, this.#signal === undefined ? {} : { signal: this.#signal });
    } catch (error) {
      this.#signal?.throwIfAborted();
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw this.#failed(cause instanceof Error ? cause.message : String(cause));
    }
    if (!response.ok) throw this.#failed(`${url} answers ${response.status}`);
    return response;
  }

  get #isWeb(): boolean {
    return /^https?:/.test(this.#url);
  }

  #failed(why: string): UserError {
    return new UserError({
      code: "RemoteFailed",
      what: `cannot use the package repository ${this.#url}`,
      why,
      fix: "check --url or CAPSTAN_REPO_URL; it needs packages/index.yaml and packages/NAME.mpm",
    });
  }
}
