/**
 * Runtimes beyond `runtimes.test.ts`, with threads, the collector and processes, on one and on two
 * processors; each does the same in a guest as on the host.
 */
import { join } from "node:path";
import { assertSameAsHost } from "../harness/compare.ts";
import { guestTest } from "../harness/guest-test.ts";
import { repositoryRoot } from "../harness/paths.ts";
import { testProgram } from "../harness/programs.ts";
import { javaPrograms } from "../stress/programs.ts";

const scripts = join(repositoryRoot, "test/scripts");
const timeoutMs = 5 * 60_000;

/** What the scripts start; no recipe can know that. */
const started = ["/bin/sh", "/usr/bin/tr", "/bin/cat"].flatMap((path) => ["--add", path]);

/** Runs the same on the host, and in a guest with one and one with two processors. */
function onOneAndTwo(
  name: string,
  argv: readonly [string, ...string[]],
  options: readonly string[] = [],
): void {
  for (const count of ["1", "2"]) {
    const body = () =>
      assertSameAsHost({ argv, options: ["-c", count, ...started, ...options], timeoutMs });
    guestTest(`${name} -c ${count}`, body, [argv[0]]);
  }
}

onOneAndTwo("ruby", ["ruby", join(scripts, "runtime.rb")]);
onOneAndTwo("lua", ["lua5.4", join(scripts, "runtime.lua")]);
onOneAndTwo("php", ["php", join(scripts, "runtime.php")]);
onOneAndTwo("erlang", ["escript", join(scripts, "runtime.escript")], ["-m", "1G"]);
onOneAndTwo("node workers", ["node", join(scripts, "runtime-workers.mjs")], ["-m", "1G"]);

guestTest("erl -noshell -eval", () => {
  const code = 'io:format("~p~n", [[N * N || N <- lists:seq(1, 9)]]), halt(5).';
  return assertSameAsHost({ argv: ["erl", "-noshell", "-eval", code], timeoutMs });
}, ["erl"]);

guestTest("ruby, php and lua with code as an argument", async () => {
  const ruby = 'require "json"; require "digest"; puts({ a: Digest::MD5.hexdigest("x") }.to_json)';
  const php = 'echo json_encode(["a" => md5("x")]), PHP_EOL;';
  await assertSameAsHost({ argv: ["ruby", "-e", ruby], timeoutMs });
  await assertSameAsHost({ argv: ["php", "-r", php], comparesStderr: true, timeoutMs });
  await assertSameAsHost({ argv: ["lua5.4", "-e", "print(#arg, 7 // 2)", "-v"], timeoutMs });
}, ["ruby", "php", "lua5.4"]);

for (const count of ["1", "2"]) {
  guestTest(
    `go with 10,000 goroutines -c ${count}`,
    () =>
      assertSameAsHost({
        argv: [testProgram("goroutines")],
        options: ["-c", count, ...started],
        timeoutMs,
      }),
    ["go"],
  );
}

guestTest(
  "go profiles itself",
  () =>
    assertSameAsHost({
      argv: [testProgram("profile")],
      options: ["-c", "2", ...started],
      timeoutMs,
    }),
  ["go"],
);

for (const [index, { name, argv, needs }] of javaPrograms.entries()) {
  guestTest(
    `50 threads and a full heap, ${name}`,
    () => {
      const machine = ["-m", "1G", "-c", index % 2 === 0 ? "2" : "1"];
      return assertSameAsHost({ argv: argv(), options: machine, timeoutMs });
    },
    needs,
  );
}
