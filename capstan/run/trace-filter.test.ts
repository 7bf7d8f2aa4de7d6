import assert from "node:assert/strict";
import { test } from "node:test";
import { syscalls } from "../../kernel/linux/syscall-table.ts";
import { UserError } from "../errors.ts";
import { traceFamilies, traceNumbers } from "./trace-filter.ts";

/** Names of the calls in a list of numbers and ranges. */
function names(text: string): string[] {
  const isIn = (nr: number): boolean =>
    text.split(",").some((part) => {
      const [first = 0, last = first] = part.split("-").map(Number);
      return nr >= first && nr <= last;
    });
  return syscalls.filter(({ nr }) => isIn(nr)).map(({ name }) => name);
}

test("names become numbers, neighbours become ranges", () => {
  assert.equal(traceNumbers("write,read,openat,open"), "0-2,257");
  assert.equal(traceNumbers("read"), "0");
  assert.equal(traceNumbers("all"), "");
});

test("families hold what they promise", () => {
  const file = names(traceNumbers("file"));
  for (const name of ["open", "openat", "execve", "newfstatat", "rename"]) {
    assert.ok(file.includes(name), name);
  }
  assert.ok(!file.includes("read"));
  const memory = names(traceNumbers("memory"));
  assert.ok(memory.includes("mmap") && memory.includes("brk") && !memory.includes("write"));
  const both = names(traceNumbers("network,process"));
  assert.ok(both.includes("socket") && both.includes("clone") && both.includes("wait4"));
  for (const family of traceFamilies.filter((each) => each !== "all")) {
    assert.ok(names(traceNumbers(family)).length > 3, family);
  }
});

test("an unknown name is an error that lists the families", () => {
  for (const filter of ["opne", "", "read,", "constructor"]) {
    assert.throws(
      () => traceNumbers(filter),
      (error) => error instanceof UserError && error.fix.includes("memory"),
      filter,
    );
  }
});
