/**
 * Splits a command line into words as a shell does: blanks separate, quotes and backslashes keep
 * together (POSIX.1-2017, Shell Command Language, 2.2). Nothing is expanded; a line that needs a
 * shell is told apart.
 */

/** Characters that mean something to a shell beyond quoting. */
const SHELL_SYNTAX = /[|&;<>()$`*?[\]{}~#!\n]/;

/**
 * The words of a line, or undefined if quotes are not closed.
 */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'" || character === '"') {
      const quoted = takeQuoted(line, at + 1, character);
      if (quoted === undefined) return undefined;
      word = (word ?? "") + quoted.text;
      at = quoted.end;
    } else if (character === "\\" && at + 1 < line.length) {
      at += 1;
      word = (word ?? "") + line.charAt(at);
    } else {
      word = (word ?? "") + character;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** Text up to the closing quote at `end`. In double quotes a backslash keeps `"` and `\`. */
function takeQuoted(
  line: string,
  start: number,
  quote: string,
): { text: string; end: number } | undefined {
  let text = "";
  for (let at = start; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (character === quote) return { text, end: at };
    const next = line.charAt(at + 1);
    if (character === "\\" && quote === '"' && (next === '"' || next === "\\")) at += 1;
    text += line.charAt(at);
  }
  return undefined;
}

/** The words of a line that needs no shell: no pipes, variables, patterns; else undefined. */
export function plainWords(line: string): string[] | undefined {
  return SHELL_SYNTAX.test(line) ? undefined : splitWords(line);
}
