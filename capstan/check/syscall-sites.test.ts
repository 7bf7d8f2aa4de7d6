import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CodeFile } from "./code-file.ts";
import { findSyscallFunctionCalls, findSyscalls } from "./syscall-sites.ts";

function numbers(...bytes: number[]): (number | undefined)[] {
  return findSyscalls({ address: 0x1000, bytes: Buffer.from(bytes) }).map(({ number }) => number);
}

test("the number is the constant loaded last", () => {
  assert.deepEqual(numbers(0xb8, 39, 0, 0, 0, 0x0f, 0x05), [39]);
  assert.deepEqual(numbers(0x48, 0xc7, 0xc0, 0x4e, 1, 0, 0, 0x0f, 0x05), [334]);
  assert.deepEqual(numbers(0x31, 0xc0, 0x0f, 0x05), [0]);
  assert.deepEqual(numbers(0xb8, 1, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x90, 0x0f, 0x05), [60]);
});

test("what is no number of a call is not taken for one", () => {
  assert.deepEqual(numbers(0x48, 0x89, 0xf8, 0x0f, 0x05), [undefined], "mov %rdi, %rax");
  assert.deepEqual(numbers(0xb8, 0, 0, 1, 0, 0x0f, 0x05), [undefined], "too large");
  assert.deepEqual(numbers(0x41, 0xb8, 39, 0, 0, 0, 0x0f, 0x05), [undefined], "mov to r8d");
  const far = [0xb8, 39, 0, 0, 0, ...new Array(64).fill(0x90), 0x0f, 0x05];
  assert.deepEqual(numbers(...far), [undefined], "too far away");
});

test("any bytes are searched without an error, and sites lie inside", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      for (const { address } of findSyscalls({ address: 0, bytes: Buffer.from(bytes) })) {
        assert.deepEqual([bytes[address], bytes[address + 1]], [0x0f, 0x05]);
      }
    }),
  );
});

test("calls of syscall(2) are found through slot and stub", () => {
  const slot = 0x2000;
  const code = Buffer.alloc(64, 0x90);
  // A stub at 0x1000: endbr64, jmp *slot.
  Buffer.from([0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25]).copy(code);
  code.writeInt32LE(slot - (0x1000 + 10), 6);
  // At 0x1010: mov $318, %edi; call stub.
  Buffer.from([0xbf, 0x3e, 1, 0, 0, 0xe8]).copy(code, 16);
  code.writeInt32LE(0x1000 - (0x1000 + 26), 22);
  // At 0x1020: mov $425, %edi; call *slot.
  Buffer.from([0xbf, 0xa9, 1, 0, 0, 0xff, 0x15]).copy(code, 32);
  code.writeInt32LE(slot - (0x1000 + 43), 39);
  const file: CodeFile = {
    path: "/p",
    code: [{ address: 0x1000, bytes: code }],
    imports: new Set(["syscall"]),
    exports: new Map(),
    slots: new Map([["syscall", slot]]),
    functionStarts: [],
  };
  const found = findSyscallFunctionCalls(file).map(({ number }) => number);
  assert.deepEqual(found.sort(), [318, 425]);
});
