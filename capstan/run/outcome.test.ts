import assert from "node:assert/strict";
import { test } from "node:test";
import { exitStatusTable } from "../exit-status.ts";
import type { MachineEnding } from "../hypervisor/hypervisor.ts";
import type { ControlEvent } from "../protocol/control-channel.ts";
import { endingOf, exitStatusOf, type Stop, summarise } from "./outcome.ts";

const ended: MachineEnding = { status: 0, signal: null, diagnostics: "" };

function statusOf(events: readonly ControlEvent[], stop: Stop | null = null): number {
  return exitStatusOf(endingOf(summarise(events), ended, stop));
}

test("the program's status and signals become capstan's status", () => {
  assert.equal(statusOf([{ event: "exit", status: 0 }]), 0);
  assert.equal(statusOf([{ event: "exit", status: 3 }]), 3);
  assert.equal(statusOf([{ event: "signal", signal: 11 }]), 139);
});

test("what the program could not choose has a status of its own", () => {
  assert.equal(statusOf([]), 122);
  assert.equal(statusOf([{ event: "panic", message: "" }]), 123);
  assert.equal(statusOf([], { by: "timeout" }), 124);
  assert.equal(statusOf([], { by: "signal", signal: "SIGINT" }), 130);
  assert.equal(statusOf([], { by: "signal", signal: "SIGTERM" }), 143);
  assert.equal(statusOf([], { by: "escape" }), 130);
});

test("a panic outweighs an earlier exit, and capstan's own stop outweighs both", () => {
  const events: ControlEvent[] = [
    { event: "exit", status: 0 },
    { event: "panic", message: "no" },
  ];
  assert.equal(statusOf(events), 123);
  assert.equal(statusOf(events, { by: "timeout" }), 124);
});

test("every status of capstan's own is in the table for the user", () => {
  const rows = exitStatusTable.map(({ status }) => status);
  for (const status of ["122", "123", "124", "125", "126", "127"]) assert.ok(rows.includes(status));
});
