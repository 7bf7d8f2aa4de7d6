/**
 * What a source of an application is, and what it comes to: the files of an image and how its
 * first program is started.
 *
 * Every kind of source (a program of the host, a directory, an image ...) is a `SourceKind` in a
 * file of its own; `resolve.ts` lists them and picks one. Neighbours: `../run/prepare.ts` turns a
 * resolved source into an image on disk, `../commands/` take sources from users.
 */
import type { FsTree } from "../image/tree.ts";
import type { RegistryOptions } from "../registry/client.ts";

/** What the user named: a program of this machine after `--`, or a source in words. */
export type SourceRequest =
  | { readonly kind: "program"; readonly program: string; readonly args: readonly string[] }
  | {
      readonly kind: "source";
      /** `.`, `nginx:1.25`, `deb:redis-server`, `oci:./layout` ...; empty for the current directory. */
      readonly text: string;
      /** Words after the source: arguments of its program, or another command in an image. */
      readonly args: readonly string[];
    };

/** All that the result depends on besides the request. */
export interface SourceOptions extends RegistryOptions {
  /** Absolute host directory in which relative paths are understood. */
  readonly cwd: string;
  /** Variables that the user set (`--env`); they win over those of the source. */
  readonly env: Readonly<Record<string, string>>;
  /** The host's TERM when the program gets a terminal. */
  readonly terminalType?: string;
  /** Extra files or directories, `HOST` or `HOST:GUEST`. */
  readonly add: readonly string[];
  /** Replaces the entry point of an image (`--entrypoint`). */
  readonly entrypoint?: string;
  /** Replaces the user of an image: `NAME`, `UID`, `UID:GID` (`--user`). */
  readonly user?: string;
  /** Replaces the working directory (`--workdir`). */
  readonly workdir?: string;
  /** Takes the place of all that a source would start by itself. */
  readonly command?: readonly string[];
  /** Names of the config sets of a package to boot (`--boot`). */
  readonly boot?: readonly string[];
  /** Names of packages that a package gets besides those that it requires (`--require`). */
  readonly require?: readonly string[];
}

/** Who a program runs as. */
export interface LaunchUser {
  readonly uid: number;
  readonly gid: number;
}

/** A port on which the program is said to listen. */
export interface ExposedPort {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
}

/** How the first program of a guest is started. */
export interface Launch {
  /** Whether `executable` is the name of a program linked with the kernel. */
  readonly isAppliance?: boolean;
  /** Absolute guest path of an ELF program; scripts have been replaced by their interpreters. */
  readonly executable: string;
  readonly argv0: string;
  /** argv[1] and on. */
  readonly args: readonly string[];
  /** Absolute guest directory to start in. */
  readonly cwd: string;
  /** The program's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly user: LaunchUser;
  readonly ports: readonly ExposedPort[];
  /** Signal that asks the program to end, `SIGTERM` unless the source says otherwise. */
  readonly stopSignal: string;
  /** Guest directories that hold data to be kept (an image's volumes). */
  readonly volumes: readonly string[];
}

/** Where an application came from. */
export interface Origin {
  /** Name of the kind of source. */
  readonly kind: string;
  /** What the user would type to name it again. */
  readonly name: string;
  /** Digest of what it was made from (`sha256:...`), where there is one. */
  readonly digest?: string;
}

/** A source, resolved. */
export interface ResolvedSource {
  readonly tree: FsTree;
  readonly launch: Launch;
  readonly origin: Origin;
  /** Things the user may want to know, one sentence each. */
  readonly warnings: readonly string[];
}

/** One kind of source. */
export interface SourceKind {
  /** For messages and `Origin.kind`. */
  readonly name: string;
  /** Prefix that names the kind without doubt: `deb` for `deb:nginx`. */
  readonly scheme?: string;
  /** Whether a text without a known prefix is of this kind. */
  recognises(text: string, options: SourceOptions): boolean;
  /**
   * Resolves a source.
   * @param text as typed, without the prefix
   * @throws UserError when that is impossible
   */
  resolve(text: string, args: readonly string[], options: SourceOptions): Promise<ResolvedSource>;
}

/** What a launch has unless its source says otherwise. */
export const launchDefaults = {
  user: { uid: 0, gid: 0 },
  ports: [],
  stopSignal: "SIGTERM",
  volumes: [],
} as const satisfies Partial<Launch>;
