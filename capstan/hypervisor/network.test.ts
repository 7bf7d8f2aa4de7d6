import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { type NetworkSpec, type NetworkTexts, parseNetwork, publishPorts } from "./network.ts";

const nothing: NetworkTexts = {
  publish: [],
  net: undefined,
  ip: undefined,
  mac: undefined,
  pcap: undefined,
};

function parse(texts: Partial<NetworkTexts>): NetworkSpec | undefined {
  return parseNetwork({ ...nothing, ...texts });
}

function fails(texts: Partial<NetworkTexts>): void {
  assert.throws(
    () => parse(texts),
    (error) => error instanceof UserError,
    JSON.stringify(texts),
  );
}

test("a machine has a card only if it is asked for", () => {
  assert.equal(parse({}), undefined);
  assert.equal(parse({ net: "none", publish: ["1:1"] }), undefined);
  assert.equal(parse({ net: "user" })?.backend.kind, "user");
  assert.equal(parse({ pcap: "a.pcap" })?.pcap, "a.pcap");
});

test("ports are forwarded from this machine alone unless told otherwise", () => {
  const spec = parse({ publish: ["8080:80", "53:5353/udp", "0.0.0.0:1:65535/tcp"] });
  assert.deepEqual(spec?.backend, {
    kind: "user",
    forwards: [
      { protocol: "tcp", hostAddress: "127.0.0.1", hostPort: 8080, guestPort: 80 },
      { protocol: "udp", hostAddress: "127.0.0.1", hostPort: 53, guestPort: 5353 },
      { protocol: "tcp", hostAddress: "0.0.0.0", hostPort: 1, guestPort: 65535 },
    ],
  });
  for (const text of [
    "",
    "80",
    "0:80",
    "80:65536",
    "a:80",
    "1.2.3:4:5",
    "80:80/sctp",
    "1:2,x:3",
    "[::1]:80:80",
  ]) {
    fails({ publish: [text] });
  }
});

test("addresses become the kernel's option", () => {
  assert.equal(parse({ net: "user" })?.ip, "10.0.2.15/24::10.0.2.2:::::10.0.2.3");
  assert.equal(parse({ net: "user", ip: "2001:db8::5/64" })?.ip, "[2001:db8::5]/64::");
  assert.equal(parse({ net: "tap=tap0", ip: "fd00::5/48,fd00::1" })?.ip, "[fd00::5]/48::[fd00::1]");
  assert.equal(parse({ net: "user", ip: "dhcp" })?.ip, undefined);
  assert.equal(parse({ net: "tap=tap0" })?.ip, undefined);
  assert.equal(parse({ net: "tap=tap0", ip: "10.1.0.2/16" })?.ip, "10.1.0.2/16::");
  assert.equal(
    parse({ net: "bridge=br0", ip: "10.1.0.2/16,10.1.0.1" })?.ip,
    "10.1.0.2/16::10.1.0.1",
  );
  for (const ip of [
    "10.0.0.1",
    "10.0.0.1/33",
    "10.0.0.256/8",
    "x/8",
    "1.2.3.4/8,5",
    "fd00::1/129",
    "fd00::1/64,1.2.3.4",
  ])
    fails({ ip });
});

test("what QEMU would misread is refused", () => {
  for (const net of ["tap", "tap=", "tap=a,script=x", "tap=0123456789abcdef", "vde"])
    fails({ net });
  for (const mac of ["52:54:00:12:34", "53:54:00:12:34:56", "zz:54:00:12:34:56"]) fails({ mac });
  assert.equal(parse({ mac: "52:54:00:AB:cd:ef" })?.mac, "52:54:00:ab:cd:ef");
  fails({ net: "tap=tap0", publish: ["1:2"] });
  fails({ net: "tap=tap0,queues=0" });
  fails({ net: "bridge=br0,queues=2" });
  fails({ net: "tap=tap0,queues=2", pcap: "file" });
});

test("ports that an image names get the same number here, unless they are forwarded already", () => {
  const ports = [
    { port: 80, protocol: "tcp" },
    { port: 53, protocol: "udp" },
  ] as const;
  const pairs = (network: NetworkSpec | undefined) =>
    network?.backend.kind === "user"
      ? network.backend.forwards.map((each) => [each.hostPort, each.guestPort, each.protocol])
      : [];
  const both = [
    [80, 80, "tcp"],
    [53, 53, "udp"],
  ];
  assert.deepEqual(pairs(publishPorts(undefined, ports)), both);
  assert.deepEqual(publishPorts(undefined, ports)?.ip, parse({ net: "user" })?.ip);
  const some = parse({ publish: ["8080:80"], mac: "52:54:00:12:34:56" });
  assert.deepEqual(pairs(publishPorts(some, ports)), [[8080, 80, "tcp"], both[1]]);
  assert.equal(publishPorts(some, ports)?.mac, "52:54:00:12:34:56");
  assert.equal(publishPorts(undefined, []), undefined);
  const tap = parse({ net: "tap=tap0" });
  assert.equal(publishPorts(tap, ports), tap);
});
