import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { parseNetwork } from "../hypervisor/network.ts";
import { assertPortsFree } from "./free-ports.ts";

function network(...publish: string[]) {
  return parseNetwork({ publish, net: undefined, ip: undefined, mac: undefined, pcap: undefined });
}

const isInUse = (error: unknown): boolean =>
  error instanceof UserError && error.code === "PortInUse";

test("a port that somebody listens on is refused, and free again afterwards", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  await assert.rejects(assertPortsFree(network(`${address.port}:80`)), isInUse);
  server.close();
  await once(server, "close");
  await assertPortsFree(network(`${address.port}:80`));
  await assertPortsFree(network(`${address.port}:80`));
});

test("the same for datagrams", async () => {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  await assert.rejects(assertPortsFree(network(`${port}:53/udp`)), isInUse);
  socket.close();
});

test("an address of another machine cannot be published on", async () => {
  await assert.rejects(
    assertPortsFree(network("192.0.2.1:8080:80")),
    (error) => error instanceof UserError && error.code === "PortNotAllowed",
  );
});
