/**
 * Files that a script or a piece of code on the command line names in its text.
 *
 *     python3 -c 'print(open("/etc/hostname").read())'      bash -c 'sort < words.txt'
 *
 * The text is cut into words at spaces, quotes and the like, whatever the language. A word that names
 * a regular file of the host, absolutely or from the current directory, is taken along. Directories
 * are not, nor names that the program puts together: `--add` is for those. Words of shell texts that
 * name commands bring those commands.
 *
 * Neighbours: `collect.ts` says which texts; `arguments.ts` handles arguments that are paths.
 */
import { readFileSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { type GuestFiles, isKernelPath } from "./guest-files.ts";

/** Longer texts are generated or packed; looking at them would take time and find little. */
const MAX_TEXT_BYTES = 1024 ** 2;
const MAX_WORDS = 5000;
/** A large file that is merely named may as well be left out; the limit keeps images small. */
const MAX_FILE_BYTES = 64 * 1024 ** 2;

const SHELLS = /^(ba|da|k|mk|z|a)?sh$|^busybox$/;

/** Whether a program is a shell, whose first argument may be a script. */
export function isShell(programPath: string): boolean {
  return SHELLS.test(basename(programPath));
}

/** The words of a text: any of them may be the name of a file. */
export function wordsInText(text: string): Set<string> {
  const words = new Set<string>();
  for (const word of text.split(/[\s"'`;|&<>(){}[\],=\0]+/)) {
    if (word === "" || word.length > 1024) continue;
    words.add(word);
    if (words.size === MAX_WORDS) break;
  }
  return words;
}

/** Words of shell texts that are commands of PATH as well, but mean the shell's own. */
const SHELL_WORDS = new Set(
  (
    "alias bg break case cd command continue declare do done echo elif else esac eval exec exit " +
    "export false fg fi for function getopts hash if in jobs kill let local printf pwd read return " +
    "select set shift source test then time trap true type ulimit umask unset until wait while"
  ).split(" "),
);

/**
 * The programs that a shell text runs, as far as its words tell: each word that is the name of an
 * executable in `searchPath` or in a directory that the text puts on PATH itself, and each word that
 * is an absolute path of one.
 * @param mayRun whether a file is a program
 */
export function commandsInText(
  text: string,
  searchPath: string,
  mayRun: (path: string) => boolean,
): string[] {
  const own = [...text.matchAll(/\bPATH=["']?([^\s"';]+)/g)].map(([, value]) => value ?? "");
  const places = [...own, searchPath].flatMap((list) => list.split(":"));
  const directories = places.filter((directory) => directory.startsWith("/"));
  const commands: string[] = [];
  for (const word of wordsInText(text)) {
    if (word.startsWith("/") && mayRun(word)) commands.push(word);
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(word) || SHELL_WORDS.has(word)) continue;
    const path = directories.map((directory) => resolve(directory, word)).find(mayRun);
    if (path !== undefined) commands.push(path);
  }
  return commands;
}

/** The text of a script; empty for a file that is large, binary or unreadable. */
export function scriptText(path: string): string {
  try {
    if (statSync(path).size > MAX_TEXT_BYTES) return "";
    const bytes = readFileSync(path);
    return bytes.includes(0) ? "" : bytes.toString("utf8");
  } catch {
    return "";
  }
}

/** Adds the files that a text names. Files that this process may not read are passed over. */
export function addLiterals(files: GuestFiles, text: string, cwd: string): void {
  for (const word of wordsInText(text)) {
    const path = resolve(cwd, word);
    if (isKernelPath(path)) continue;
    try {
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats?.isFile() !== true || stats.size > MAX_FILE_BYTES) continue;
      files.addReadable(path);
    } catch {
      // A name too long, a part that is no directory, a directory that is closed to us: no file.
    }
  }
}
