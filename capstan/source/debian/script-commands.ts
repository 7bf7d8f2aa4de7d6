/**
 * Reads from a maintainer script the files that it would make. It is not run: of its commands those
 * count that stand for themselves, without anything that only a running shell knows.
 *
 *     logdir="/var/log/nginx"             remembered for $logdir
 *     mkdir -p /var/lib/x; install -d     directories
 *     ln -s TARGET LINK                   links
 *     cp FILE FILE; touch FILE            files
 *     chown USER:GROUP FILE; chmod        owners and modes
 *
 * Of `case "$1"` the branches of a first installation count, of every other `case` none. Conditions
 * are not looked at: therefore nothing that packages have brought is ever replaced, and a command
 * whose words are not all known is passed over.
 * Neighbours: `apply-commands.ts` does the commands; `../words.ts` splits lines as a shell does.
 */
import { splitWords } from "../words.ts";

/** A command of a script; paths are absolute. */
export type ScriptCommand =
  | { readonly does: "directory" | "file"; readonly path: string }
  | { readonly does: "link"; readonly target: string; readonly path: string }
  | { readonly does: "copy"; readonly source: string; readonly path: string }
  | {
      readonly does: "owner";
      /** `USER`, `USER:GROUP` or `:GROUP`. */
      readonly owner: string;
      readonly path: string;
      /** Everything below it, too. */
      readonly isRecursive: boolean;
    }
  | { readonly does: "mode"; readonly mode: number; readonly path: string };

/** Words of the shell's grammar that can stand before a command. */
const grammar = new Set(["if", "then", "else", "elif", "do", "!", "{", "(", "while", "until"]);

/** Options with a value of their own in the next word. */
const valued = new Set(["-m", "-o", "-g", "-t", "--mode", "--owner", "--group"]);

/** What dpkg calls preinst and postinst with when a package is new: deb-postinst(5). */
const installing = /\b(configure|install)\b/;

/** The commands of a script, in its order. */
export function commandsInScript(script: string): ScriptCommand[] {
  const variables = new Map<string, string>();
  /** The `case` around a command, and those around it: of what, and whether the branch counts. */
  const cases: { isOfAction: boolean; counts: boolean }[] = [];
  return simpleCommands(script).flatMap((text) => {
    const [, subject, label] = /^\s*case\s+(.+?)\s+in\s*$|^\s*(\S.*)\)$/s.exec(text) ?? [];
    const inner = cases.at(-1);
    if (subject !== undefined)
      cases.push({ isOfAction: /^"?\$\{?1\b/.test(subject), counts: false });
    else if (label !== undefined && inner !== undefined) {
      inner.counts = inner.isOfAction && installing.test(label);
    } else if (text.trim() === "esac") cases.pop();
    if (!cases.every(({ counts }) => counts)) return [];
    const words = splitWords(expand(text, variables));
    while (words?.[0] !== undefined && grammar.has(words[0])) words.shift();
    const [name = "", ...rest] = words ?? [];
    const [, variable, value = ""] = /^([A-Za-z_]\w*)=(.*)$/s.exec(name) ?? [];
    if (variable !== undefined && rest.length === 0) {
      if (isKnown(value)) variables.set(variable, value);
      else variables.delete(variable);
      return [];
    }
    return rest.every(isKnown) ? commandOf(name, rest) : [];
  });
}

/**
 * The pieces of a script that a shell would run one by one, and the labels of `case`, which keep
 * their bracket. Text in quotes is not cut.
 */
function simpleCommands(script: string): string[] {
  const joined = script.replace(/\\\n/g, " ").replace(/(^|\s)#.*/g, "$1");
  const label = /((?:^|;;|\bin)[ \t]*)\(?([\w"'*?.-]+(?:[ \t]*\|[ \t]*[\w"'*?.-]+)*)\)/gm;
  const labelled = joined.replace(label, (_all, before, labels) => {
    return `${before}\0${labels.replaceAll("|", ",")})\0`;
  });
  const pattern = /("(?:[^"\\]|\\.)*"|'[^']*'|\\.)|\n|;|&&|\|\|?|&(?!>)/gs;
  const text = labelled.replace(pattern, (_all, quoted) => quoted ?? "\0");
  return text.split("\0").map((each) => each.replace(/\s\d?>+\s*\S+/g, ""));
}

/** Puts in what is known of variables. */
function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:(\w+)|\{(\w+)\})/g, (all, plain, braced) => {
    return variables.get(plain ?? braced) ?? all;
  });
}

/** Whether a word means itself: no variables, commands or patterns are in it. */
function isKnown(word: string): boolean {
  return !/[$`*?[\]]/.test(word);
}

function commandOf(name: string, words: readonly string[]): ScriptCommand[] {
  const operands = words.filter((word, at) => {
    return !word.startsWith("-") && !valued.has(words[at - 1] ?? "");
  });
  const [first = "", second = ""] = operands;
  const paths = operands.filter((path) => path.startsWith("/"));
  const hasFlag = (letter: string): boolean => words.some((word) => isFlag(word, letter));
  const isPair = operands.length === 2 && second.startsWith("/");
  switch (name) {
    case "mkdir":
      return paths.map((path) => ({ does: "directory", path }));
    case "install":
      if (!hasFlag("d")) return [];
      return paths.flatMap((path) => [{ does: "directory", path }, ...installOptions(words, path)]);
    case "touch":
      return paths.map((path) => ({ does: "file", path }));
    case "ln":
      return isPair && hasFlag("s") ? [{ does: "link", target: first, path: second }] : [];
    case "cp":
      return isPair && first.startsWith("/") && !hasFlag("r") && !hasFlag("R")
        ? [{ does: "copy", source: first, path: second }]
        : [];
    case "chown":
      return paths.map((path) => ({
        does: "owner",
        owner: first,
        path,
        isRecursive: hasFlag("R"),
      }));
    case "chmod":
      return paths.flatMap((path) => modeOf(first, path));
    default:
      return [];
  }
}

/** Whether a word is or has a short option, `-sf`. */
function isFlag(word: string, letter: string): boolean {
  return /^-[a-zA-Z]+$/.test(word) && word.includes(letter);
}

function installOptions(words: readonly string[], path: string): ScriptCommand[] {
  const value = (...names: string[]): string | undefined => {
    const at = words.findIndex((word) => names.includes(word));
    return at === -1 ? undefined : words[at + 1];
  };
  const owner = value("-o", "--owner");
  const group = value("-g", "--group");
  const mode = value("-m", "--mode");
  const both = `${owner ?? ""}:${group ?? ""}`;
  return [
    ...(both === ":" ? [] : [{ does: "owner", owner: both, path, isRecursive: false } as const]),
    ...(mode === undefined ? [] : modeOf(mode, path)),
  ];
}

/** Modes in letters (`u+x`) are passed over. */
function modeOf(text: string, path: string): ScriptCommand[] {
  if (!/^[0-7]{3,4}$/.test(text)) return [];
  return [{ does: "mode", mode: Number.parseInt(text, 8), path }];
}
