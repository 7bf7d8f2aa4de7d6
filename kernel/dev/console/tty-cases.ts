/**
 * What terminals do with typed input: a table of cases. The results are those of Linux's
 * pseudo-terminals under the same settings, from which they were taken.
 *
 * Neighbour: `tty.test.ts` runs them against ours.
 */
import { constants as c } from "./termios-constants.ts";

export interface TtyCase {
  name: string;
  /** Flags set and cleared relative to a fresh terminal. */
  set?: { i?: number; o?: number; l?: number };
  clear?: { i?: number; o?: number; l?: number };
  /** Special characters by index. */
  characters?: Record<number, number>;
  /** Typed, as Latin-1. */
  input: string;
  /** Size of each read; default 100. */
  readSize?: number;
  /** What reads return until there is nothing left; "" is end of file. */
  reads: string[];
  /** What the screen shows. */
  screen: string;
  /** Signal numbers sent. */
  signals?: number[];
}

const RAW = { i: c.ICRNL | c.IXON, o: c.OPOST, l: c.ISIG | c.ICANON | c.ECHO | c.IEXTEN };

export const ttyCases: TtyCase[] = [
  { name: "a line", input: "hello\n", reads: ["hello\n"], screen: "hello\r\n" },
  { name: "return is newline", input: "hello\r", reads: ["hello\n"], screen: "hello\r\n" },
  { name: "two lines, two reads", input: "a\nb\n", reads: ["a\n", "b\n"], screen: "a\r\nb\r\n" },
  { name: "no line yet", input: "abc", reads: [], screen: "abc" },
  {
    name: "a line in pieces",
    input: "abcdef\n",
    readSize: 4,
    reads: ["abcd", "ef\n"],
    screen: "abcdef\r\n",
  },
  { name: "erase", input: "abc\x7f\x7fX\n", reads: ["aX\n"], screen: "abc\b \b\b \bX\r\n" },
  { name: "erase at the start of a line", input: "\x7f\x7fa\n", reads: ["a\n"], screen: "a\r\n" },
  {
    name: "erase stops at the line's start",
    input: "a\n\x7fb\n",
    reads: ["a\n", "b\n"],
    screen: "a\r\nb\r\n",
  },
  {
    name: "kill",
    input: "hello\x15bye\n",
    reads: ["bye\n"],
    screen: `hello${"\b \b".repeat(5)}bye\r\n`,
  },
  {
    name: "kill without ECHOKE",
    clear: { l: c.ECHOKE },
    input: "hi\x15x\n",
    reads: ["x\n"],
    screen: "hi^U\r\nx\r\n",
  },
  {
    name: "kill without ECHOKE and ECHOK",
    clear: { l: c.ECHOKE | c.ECHOK },
    input: "hi\x15x\n",
    reads: ["x\n"],
    screen: "hi^Ux\r\n",
  },
  {
    name: "word erase",
    input: "one two\x17X\n",
    reads: ["one X\n"],
    screen: "one two\b \b\b \b\b \bX\r\n",
  },
  {
    name: "word erase takes blanks",
    input: "one  \x17X\n",
    reads: ["X\n"],
    screen: `one  ${"\b \b".repeat(5)}X\r\n`,
  },
  {
    name: "word erase without IEXTEN is a character",
    clear: { l: c.IEXTEN },
    input: "a\x17\n",
    reads: ["a\x17\n"],
    screen: "a^W\r\n",
  },
  {
    name: "erase without ECHOE",
    clear: { l: c.ECHOE },
    input: "ab\x7fc\n",
    reads: ["ac\n"],
    screen: "ab^?c\r\n",
  },
  {
    name: "erase a control character",
    input: "a\x01\x7fb\n",
    reads: ["ab\n"],
    screen: "a^A\b \b\b \bb\r\n",
  },
  {
    name: "erase a tab",
    input: "ab\t\x7fc\n",
    reads: ["abc\n"],
    screen: `ab\t${"\b".repeat(6)}c\r\n`,
  },
  {
    name: "erase before and after a tab",
    input: "\tx\x7f\x7fy\n",
    reads: ["y\n"],
    screen: `\tx\b \b${"\b".repeat(8)}y\r\n`,
  },
  {
    name: "erase UTF-8",
    set: { i: c.IUTF8 },
    input: "a\xc3\xa4\x7fb\n",
    reads: ["ab\n"],
    screen: "a\xc3\xa4\b \bb\r\n",
  },
  {
    name: "erase a byte without IUTF8",
    input: "a\xc3\xa4\x7fb\n",
    reads: ["a\xc3b\n"],
    screen: "a\xc3\xa4\b \bb\r\n",
  },
  { name: "end of file", input: "\x04", reads: [""], screen: "" },
  {
    name: "end of file ends a piece",
    input: "abc\x04def\n",
    reads: ["abc", "def\n"],
    screen: "abcdef\r\n",
  },
  {
    name: "end of file right after a full read",
    input: "abcd\x04e\n",
    readSize: 4,
    reads: ["abcd", "e\n"],
    screen: "abcde\r\n",
  },
  { name: "end of file twice", input: "ab\x04\x04", reads: ["ab", ""], screen: "ab" },
  { name: "end of file after a line", input: "ab\n\x04", reads: ["ab\n", ""], screen: "ab\r\n" },
  {
    name: "a zero byte is an ordinary one",
    input: "a\0b\n",
    reads: ["a\0b\n"],
    screen: "a^@b\r\n",
  },
  {
    name: "literal",
    input: "a\x16\x03\x16\x7fb\n",
    reads: ["a\x03\x7fb\n"],
    screen: "a^\b^C^\b^?b\r\n",
  },
  {
    name: "literal newline does not end the line",
    input: "a\x16\nb\n",
    reads: ["a\nb\n"],
    screen: "a^\b^Jb\r\n",
  },
  { name: "reprint", input: "abc\x12d\n", reads: ["abcd\n"], screen: "abc^R\r\nabcd\r\n" },
  { name: "interrupt", input: "abc\x03de\n", reads: ["de\n"], screen: "^Cde\r\n", signals: [2] },
  {
    name: "interrupt drops finished lines too",
    input: "abc\n\x03",
    reads: [],
    screen: "^C",
    signals: [2],
  },
  { name: "quit", input: "abc\x1c", reads: [], screen: "^\\", signals: [3] },
  { name: "suspend", input: "\x1a", reads: [], screen: "^Z", signals: [20] },
  {
    name: "interrupt with NOFLSH",
    set: { l: c.NOFLSH },
    input: "ab\x03c\n",
    reads: ["abc\n"],
    screen: "ab^Cc\r\n",
    signals: [2],
  },
  {
    name: "no ISIG",
    clear: { l: c.ISIG },
    input: "a\x03\n",
    reads: ["a\x03\n"],
    screen: "a^C\r\n",
  },
  { name: "no ECHO", clear: { l: c.ECHO }, input: "secret\x7f\n", reads: ["secre\n"], screen: "" },
  {
    name: "no ECHO but ECHONL",
    clear: { l: c.ECHO },
    set: { l: c.ECHONL },
    input: "ab\n",
    reads: ["ab\n"],
    screen: "\r\n",
  },
  {
    name: "no ECHOCTL",
    clear: { l: c.ECHOCTL },
    input: "a\x01b\n",
    reads: ["a\x01b\n"],
    screen: "a\x01b\r\n",
  },
  { name: "IGNCR", set: { i: c.IGNCR }, input: "a\rb\n", reads: ["ab\n"], screen: "ab\r\n" },
  {
    name: "INLCR",
    set: { i: c.INLCR },
    clear: { i: c.ICRNL },
    input: "a\nb\x04",
    reads: ["a\rb"],
    screen: "a^Mb",
  },
  {
    name: "no ICRNL",
    clear: { i: c.ICRNL },
    input: "a\rb\n",
    reads: ["a\rb\n"],
    screen: "a^Mb\r\n",
  },
  { name: "ISTRIP", set: { i: c.ISTRIP }, input: "\xe1\n", reads: ["a\n"], screen: "a\r\n" },
  { name: "IUCLC", set: { i: c.IUCLC }, input: "AbC\n", reads: ["abc\n"], screen: "abc\r\n" },
  {
    name: "second end-of-line character",
    characters: { 11: 0x3b },
    input: "a;b\n",
    reads: ["a;", "b\n"],
    screen: "a;b\r\n",
  },
  {
    name: "start and stop are not input",
    input: "a\x13\x11b\n",
    reads: ["ab\n"],
    screen: "ab\r\n",
  },
  {
    name: "no IXON",
    clear: { i: c.IXON },
    input: "a\x13\x11b\n",
    reads: ["a\x13\x11b\n"],
    screen: "a^S^Qb\r\n",
  },
  { name: "raw", clear: RAW, input: "a\x03\x7f\r\n\x04", reads: ["a\x03\x7f\r\n\x04"], screen: "" },
  {
    name: "raw in pieces",
    clear: RAW,
    input: "abcdef",
    readSize: 4,
    reads: ["abcd", "ef"],
    screen: "",
  },
  {
    name: "not canonical, with echo",
    clear: { l: c.ICANON },
    input: "a\x7f\r",
    reads: ["a\x7f\n"],
    screen: "a^?\r\n",
  },
  {
    name: "not canonical, interrupt",
    clear: { l: c.ICANON },
    input: "a\x03b",
    reads: ["b"],
    screen: "^Cb",
    signals: [2],
  },
  {
    name: "echo with expanded tabs",
    set: { o: c.XTABS },
    input: "a\tb\n",
    reads: ["a\tb\n"],
    screen: "a       b\r\n",
  },
  { name: "no ONLCR", clear: { o: c.ONLCR }, input: "a\n", reads: ["a\n"], screen: "a\n" },
  {
    name: "a line too long loses its end",
    input: `${"x".repeat(5000)}\n`,
    readSize: 8192,
    reads: [`${"x".repeat(4095)}\n`],
    screen: `${"x".repeat(5000)}\r\n`,
  },
];
