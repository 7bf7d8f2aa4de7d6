/** Programs built in every way that a Linux program can be. */
import { assertSameAsHost } from "../harness/compare.ts";
import { guestTest } from "../harness/guest-test.ts";
import { type ProgramName, testProgram } from "../harness/programs.ts";

const hellos: readonly ProgramName[] = [
  "hello-static",
  "hello-static-pie",
  "hello-pie",
  "hello-no-pie",
  "hello-musl-static",
  "hello-musl-dynamic",
];

for (const name of hellos) {
  guestTest(name, () =>
    assertSameAsHost({
      argv: [testProgram(name), "one", "two words", ""],
      env: { GREETING: "good morning" },
      comparesStderr: true,
    }),
  );
}

const others: readonly ProgramName[] = [
  "memory",
  "memory-musl",
  "threads",
  "threads-musl",
  "hello-go",
  "threads-rust",
];

for (const name of others) {
  guestTest(name, () => assertSameAsHost({ argv: [testProgram(name)] }));
}

guestTest("hello in 6 MB", () =>
  assertSameAsHost({ argv: [testProgram("hello-static")], options: ["-m", "6M"] }),
);

guestTest("hello on q35", () =>
  assertSameAsHost({ argv: [testProgram("hello-pie")], options: ["--machine", "q35"] }),
);
