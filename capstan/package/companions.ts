/**
 * Files that go with a library: data that it opens at run time and cannot work without, or works
 * worse. No list of dependencies in the ELF file names them.
 *
 * This is data: for each library a pattern and what to add. Paths that the host does not have are
 * passed over.
 *
 * Neighbours: `collect.ts` applies the table to all libraries of a program.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { GuestFiles } from "./guest-files.ts";
import type { LibraryClosure } from "./libraries.ts";

/** What a companion may depend on. */
export interface CompanionContext {
  readonly files: GuestFiles;
  readonly libraries: LibraryClosure;
  /** The guest's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Path of the library that matched. */
  readonly library: string;
}

interface Companion {
  /** Matches the library's name. */
  readonly library: RegExp;
  readonly reason: string;
  add(context: CompanionContext): void | Promise<void>;
}

/** Where certificate authorities are kept, by distribution. */
export const certificatePaths = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Where time zones are kept, tzset(3). */
export const timeZones = "/usr/share/zoneinfo";

const opensslPaths = [
  "/usr/lib/ssl/openssl.cnf",
  "/usr/lib/ssl/cert.pem",
  "/usr/lib/ssl/certs",
  "/etc/ssl/openssl.cnf",
  "/etc/pki/tls/openssl.cnf",
];

/** The compiled description of a terminal, in the places where ncurses looks, terminfo(5). */
function addTerminal({ files, env }: CompanionContext): void {
  const terminal = env.TERM;
  if (terminal === undefined || !/^[\w.+-]+$/.test(terminal)) return;
  const directories = ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"];
  const chosen = env.TERMINFO === undefined ? directories : [env.TERMINFO, ...directories];
  const paths = chosen.map((directory) => join(directory, terminal.charAt(0), terminal));
  files.addAll(paths.filter((path) => existsSync(path)));
}

/** Locales that the environment asks for, locale(7); `C` and `POSIX` are built in. */
async function addLocales({ files, env }: CompanionContext): Promise<void> {
  const wanted = new Set<string>();
  for (const [name, value] of Object.entries(env)) {
    if (/^(LANG|LANGUAGE|LC_[A-Z]+)$/.test(name) && !/^(|C|POSIX)$/.test(value)) wanted.add(value);
  }
  if (wanted.size === 0) return;
  // Locales made with locale-gen are together in one archive.
  files.add("/usr/lib/locale/locale-archive");
  for (const locale of wanted) {
    if (locale.includes("/")) continue;
    const normal = locale.replace(/\.([\w-]+)$/, (_, charset: string) => {
      return `.${charset.toLowerCase().replace(/-/g, "")}`;
    });
    for (const name of new Set([locale, normal])) {
      const path = join("/usr/lib/locale", name);
      if (existsSync(path)) await files.addTree(path);
    }
  }
}

/** The time zone that the environment asks for, tzset(3). */
function addTimeZone({ files, env }: CompanionContext): void {
  const zone = env.TZ?.replace(/^:/, "") ?? "";
  if (/^[\w+-]+(\/[\w+-]+)*$/.test(zone)) files.add(join(timeZones, zone));
}

/**
 * Libraries that glibc opens by itself: name service switch (separate files before glibc 2.34) and
 * unwinding when a thread is cancelled or calls pthread_exit.
 */
function addGlibcModules({ libraries }: CompanionContext): void {
  for (const name of ["libnss_files.so.2", "libnss_dns.so.2", "libgcc_s.so.1"]) {
    libraries.addByName(name);
  }
}

const companions: readonly Companion[] = [
  { library: /^libc\.so\.6$/, reason: "opened by glibc", add: addGlibcModules },
  { library: /^libc\.so\.6$/, reason: "setlocale(3)", add: addLocales },
  { library: /^libc\.so\.6$/, reason: "tzset(3)", add: addTimeZone },
  {
    library: /^libssl\.so|^libgnutls\.so|^libnss3\.so/,
    reason: "TLS needs the certificate authorities",
    add: ({ files }) => files.addAll(certificatePaths),
  },
  {
    library: /^libcrypto\.so/,
    reason: "OpenSSL's settings and optional algorithms",
    async add({ files, library }) {
      files.addAll(opensslPaths);
      await files.addTree(join(dirname(library), "ossl-modules"));
    },
  },
  {
    library: /^lib(tinfo|ncurses|ncursesw|readline|edit)\.so/,
    reason: "ncurses describes terminals in files",
    add: addTerminal,
  },
  {
    library: /^libreadline\.so/,
    reason: "key bindings",
    add: ({ files }) => files.addAll(["/etc/inputrc"]),
  },
  {
    library: /^libmagic\.so/,
    reason: "file types",
    add: ({ files }) => files.addAll(["/usr/share/misc/magic.mgc", "/etc/magic"]),
  },
  {
    library: /^lib(tcl|tk)\d/,
    reason: "Tcl's library is written in Tcl",
    async add({ files }) {
      await files.addTree("/usr/share/tcltk", { followLinks: true });
    },
  },
];

/** Adds the companions of all libraries found so far, and of those that this brings in. */
export async function addCompanions(
  files: GuestFiles,
  libraries: LibraryClosure,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const done = new Set<string>();
  // A Set's iteration also visits what is added meanwhile.
  for (const library of libraries.files) {
    const name = library.slice(library.lastIndexOf("/") + 1);
    for (const companion of companions) {
      const key = `${companion.reason} ${name}`;
      if (!companion.library.test(name) || done.has(key)) continue;
      done.add(key);
      await companion.add({ files, libraries, env, library });
    }
  }
}
