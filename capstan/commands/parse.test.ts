import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { allOptions, type ParserContext, parseCommandLine } from "./parse.ts";
import { commands } from "./registry.ts";
import { runCommand } from "./run.ts";
import { parseRunOptions } from "./run-options.ts";
import { parseSource } from "./source-options.ts";

const context: ParserContext = { env: {}, write: () => {}, version: () => "1.2.3" };

/** Parses a command line with `run` replaced by a handler that keeps what it got. */
async function parse(...argv: string[]): Promise<CommandInput> {
  const seen: CommandInput[] = [];
  const recording: CommandDefinition = {
    ...runCommand,
    run: async (input) => {
      seen.push(input);
      return 42;
    },
  };
  const only = [{ name: "run", load: async () => recording }];
  const invocation = await parseCommandLine(argv, { ...context, commands: only });
  assert.equal(await invocation.run(), 42);
  const [input] = seen;
  assert.ok(input);
  return input;
}

async function help(...argv: string[]): Promise<string> {
  let text = "";
  const write = (piece: string): void => {
    text += piece;
  };
  const invocation = await parseCommandLine(argv, { ...context, write });
  assert.equal(await invocation.run(), 0);
  return text;
}

test("options before the program are capstan's, those after it the program's", async () => {
  const input = await parse("run", "-m", "1G", "--verbose", "ls", "-m", "--json", "--", "x");
  assert.deepEqual(input.args, ["ls", "-m", "--json", "--", "x"]);
  const options = parseRunOptions(input);
  assert.equal(options.memoryBytes, 2 ** 30);
  assert.equal(options.verbose, true);
  assert.equal(options.json, false);
});

test("a double dash ends capstan's options", async () => {
  const input = await parse("run", "--cpus", "2", "--", "-odd-name", "--flag");
  assert.deepEqual(input.args, ["-odd-name", "--flag"]);
  assert.equal(parseRunOptions(input).cpus, 2);
});

test("options that repeat are collected, defaults are filled in", async () => {
  const input = await parse("run", "-e", "A=1", "--env", "B=2", "--add", "x:/y", "true");
  const options = parseRunOptions(input);
  const source = parseSource(input).options;
  assert.deepEqual(source.env, { A: "1", B: "2" });
  assert.deepEqual(source.add, ["x:/y"]);
  assert.equal(options.memoryBytes, 512 * 2 ** 20);
  assert.equal(options.accel, "auto");
  assert.equal(options.machine, "microvm");
  assert.equal(options.console, undefined);
  assert.equal(options.gdbPort, undefined);
});

test("wrong usage is an error for the user, with the status of usage", async () => {
  const wrong = [["run", "--nonsense", "ls"], ["fly"], ["run", "-m"], ["--nonsense"]];
  for (const argv of wrong) {
    await assert.rejects(
      parseCommandLine(argv, context),
      (error) => error instanceof UserError && error.exitStatus === 125,
      argv.join(" "),
    );
  }
});

test("help and version", async () => {
  assert.match(await help("--version"), /^1\.2\.3\n$/);
  assert.match(await help(), /run an application in a virtual machine/);
  assert.match(await help("--help"), /run an application in a virtual machine/);
  const text = await help("run", "--help");
  for (const { flags } of runCommand.options) assert.ok(text.includes(flags.split(" ")[0] ?? ""));
  assert.match(text, /Exit status:/);
  assert.match(text, /Ctrl-\]/);
});

test("an option whose value needs an equals sign leaves the program alone", async () => {
  const bare = await parse("run", "-m", "1G", "--trace", "ls", "--trace");
  assert.deepEqual(bare.args, ["ls", "--trace"]);
  assert.equal(parseRunOptions(bare).trace, "");
  const filtered = await parse("run", "--trace=read,write", "--", "--trace");
  assert.deepEqual(filtered.args, ["--trace"]);
  assert.equal(parseRunOptions(filtered).trace, "0-1");
  assert.equal(parseRunOptions(await parse("run", "ls")).trace, undefined);
});

test("words after a double dash are a program, others a source", async () => {
  for (const [argv, afterDashes] of [
    [["run", "--", "ls", "-l"], true],
    [["run", "-m", "1G", "--", "ls"], true],
    [["run", "ls", "--", "x"], false],
    [["run", "."], false],
    [["run", "--verbose"], false],
  ] as const) {
    assert.equal((await parse(...argv)).afterDashes, afterDashes, argv.join(" "));
  }
});

test("every command keeps its name, a summary, examples and --json", async () => {
  const names = commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  assert.equal(new Set(names).size, names.length);
  for (const { name, load } of commands) {
    const definition = await load();
    assert.equal(definition.name, name);
    assert.match(definition.summary, /^[a-z].*[^.]$/, name);
    assert.ok(definition.examples.length > 0, name);
    for (const line of definition.examples) assert.ok(line.includes(`capstan ${name}`), line);
    assert.ok(
      allOptions(definition).some(({ flags }) => flags === "--json"),
      name,
    );
    assert.match(await help(...name.split(" "), "--help"), /Usage: capstan [\s\S]*Examples:\n/);
  }
});

test("a name that was mistyped is answered with the one that was meant", async () => {
  await assert.rejects(
    parseCommandLine(["chekc"], context),
    (error) => error instanceof UserError && error.fix === "try: capstan check",
  );
});

test("only what stands before the program asks for JSON", async () => {
  const wantsJson = async (...argv: string[]) => (await parseCommandLine(argv, context)).wantsJson;
  assert.equal(await wantsJson("check", "--json", "ls"), true);
  assert.equal(await wantsJson("check", "ls", "--json"), false);
});
