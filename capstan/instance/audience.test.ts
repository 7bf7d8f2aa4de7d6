import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { Audience } from "./audience.ts";

test("who joins after the end is told that nothing more will come", async () => {
  const audience = new Audience(new PassThrough());
  audience.close();
  const server = createServer((client) => audience.join(client, false)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const client = connect(address.port, "127.0.0.1").resume();
  await once(client, "end", { signal: AbortSignal.timeout(10_000) });
  server.close();
});
