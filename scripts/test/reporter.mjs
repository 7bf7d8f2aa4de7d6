// @ts-check
/**
 * A reporter for Node's test runner that writes one JSON line for each finished test. Loaded by
 * `node-tests.ts` into the process of every test file; plain JavaScript, because Node loads
 * reporters before any loader hook.
 *
 * The text of a failure is what util.inspect shows: the message and stack, what the error knows
 * besides (the signal that ended a command, what it printed), and the errors that caused it.
 */
import { inspect } from "node:util";

/** @param {AsyncIterable<import("node:test/reporters").TestEvent>} events */
export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    if (data.details.type === "suite") continue;
    const skipped = data.skip !== undefined || data.todo !== undefined;
    const error = type === "test:fail" ? data.details.error : undefined;
    const text = error === undefined ? "" : inspect(error.cause ?? error);
    yield `${JSON.stringify({ name: data.name, passed: type === "test:pass", skipped, text })}\n`;
  }
}
