/** The network of a guest: sockets of both families over loopback, and what programs ask about it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assertSameAsHost } from "../harness/compare.ts";
import { guestTest } from "../harness/guest-test.ts";
import { repositoryRoot } from "../harness/paths.ts";
import { runCapstan } from "../harness/process.ts";
import { testProgram } from "../harness/programs.ts";

function script(name: string): string {
  return fileURLToPath(new URL(`../scripts/${name}`, import.meta.url));
}

/** Standard output of a command line in a guest with a network card. */
async function inGuest(options: readonly string[], line: string): Promise<string> {
  const finished = await runCapstan([...options, "--", "bash", "-c", line]);
  assert.equal(finished.status, 0, finished.stderr.toString("utf8"));
  return finished.stdout.toString("utf8");
}

const ipProgram = ["--net", "user", "--add", "/usr/sbin/ip"];

guestTest("sockets of both IP families", () =>
  assertSameAsHost({ argv: ["/usr/bin/python3", script("sockets-of-both-families.py")] }),
);

for (const address of ["127.0.0.1", "::1"]) {
  guestTest(
    `ping ${address}`,
    () =>
      assertSameAsHost({
        argv: ["ping", "-c", "2", "-i", "0.2", address],
        normalise: (text) => text.replaceAll(/(time|mdev) ?=? ?[\d./]+ ?ms/g, "$1"),
      }),
    ["ping"],
  );
}

guestTest("ip shows the loopback interface as on the host", () =>
  assertSameAsHost({ argv: ["ip", "-4", "addr", "show", "dev", "lo"] }),
);

guestTest("ip changes addresses, routes and VLANs", async () => {
  const line = [
    "ip addr add 10.9.9.9/24 dev eth0",
    "ip -6 addr add 2001:db8::5/64 dev eth0",
    "ip route add 10.50.0.0/16 via 10.0.2.2",
    "ip route get 10.50.1.1",
    "ip link add link eth0 name eth0.7 type vlan id 7",
    "ip addr add 10.7.0.2/24 dev eth0.7",
    "ip link set eth0.7 up mtu 1400",
    "ip addr del 10.9.9.9/24 dev eth0",
    "ip -4 -o addr show",
    "ip route show",
    "ip -d link show eth0.7",
    "ip -6 addr show to 2001:db8::/32",
  ].join(" && ");
  const said = await inGuest(ipProgram, line);
  for (const expected of [
    "10.50.1.1 via 10.0.2.2 dev eth0 src 10.0.2.15",
    "inet 10.7.0.2/24 brd 10.7.0.255 scope global eth0.7",
    "default via 10.0.2.2 dev eth0",
    "10.7.0.0/24 dev eth0.7 proto kernel scope link src 10.7.0.2",
    "eth0.7@eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400",
    "inet6 2001:db8::5/64 scope global",
  ]) {
    assert.ok(said.includes(expected), `${expected} is missing:\n${said}`);
  }
  assert.match(said, /vlan protocol 802.1q id 7/i);
  assert.ok(!said.includes("10.9.9"), said);
});

guestTest("an IPv6 address and a default route come from the router", async () => {
  const said = await inGuest(ipProgram, "ip -6 addr show dev eth0; ip -6 route show");
  assert.match(said, /inet6 fec0::[\da-f:]+\/64 scope global/);
  assert.match(said, /default via fe80::2 dev eth0/);
});

guestTest("a guest sees its connections and counters in /proc/net", async () => {
  const program = [
    "import socket, struct",
    "a = socket.create_server(('::1', 8080), family=socket.AF_INET6)",
    "b = socket.create_connection(('::1', 8080))",
    "c = a.accept()[0]",
    "rows = [line.split() for line in open('/proc/net/tcp6')][1:]",
    "print(sorted((row[1][-4:], row[3]) for row in rows if '1F90' in row[1]))",
    "names, values = [line.split() for line in open('/proc/net/snmp') if line.startswith('Tcp')]",
    "table = dict(zip(names, values))",
    "print(table['ActiveOpens'], table['PassiveOpens'], table['CurrEstab'])",
    "print([line.split()[0] for line in open('/proc/net/dev')][2:])",
    "print(open('/proc/sys/net/core/somaxconn').read().strip())",
    "held = lambda: int(open('/proc/net/sockstat').read().split('mem ')[1].split()[0])",
    "print(held()); b.sendall(b'x' * 20000); print(5 <= held() <= 12)",
  ].join("\n");
  const finished = await runCapstan(["--", "/usr/bin/python3", "-c", program]);
  assert.equal(
    finished.stdout.toString("utf8"),
    "[('1F90', '01'), ('1F90', '0A')]\n1 1 2\n['lo:']\n4096\n0\nTrue\n",
    finished.stderr.toString("utf8"),
  );
});

/** What every way to ask for the interfaces must tell of a guest on the user network. */
const ownCard = ["--net", "user", "--ip", "10.0.2.15/24"];

async function interfaces(
  options: readonly string[],
  argv: readonly string[],
  expected: readonly (string | RegExp)[],
): Promise<void> {
  const finished = await runCapstan([...ownCard, ...options, "--", ...argv]);
  const said = finished.stdout.toString("utf8");
  assert.equal(finished.status, 0, finished.stderr.toString("utf8"));
  for (const line of expected) {
    const isThere = typeof line === "string" ? said.split("\n").includes(line) : line.test(said);
    assert.ok(isThere, `${line} is missing:\n${said}`);
  }
}

guestTest("getifaddrs tells the interfaces", () =>
  interfaces(
    [],
    [testProgram("interfaces")],
    [
      "lo index 1",
      "lo 127.0.0.1 mask 255.0.0.0 up",
      "lo ::1 mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff up",
      "eth0 index 2",
      "eth0 10.0.2.15 mask 255.255.255.0 up",
      /^eth0 fe80::[\da-f:]+%eth0 mask ffff:ffff:ffff:ffff:: up$/m,
    ],
  ),
);

guestTest(
  "Go tells the interfaces",
  () =>
    interfaces(
      [],
      [testProgram("interfaces-go")],
      [
        "lo index 1 mtu 65536 ",
        "lo 127.0.0.1/8",
        "lo ::1/128",
        /^eth0 index 2 mtu 1500 52:54:00:[\da-f:]{8}$/m,
        "eth0 10.0.2.15/24",
        /^eth0 fe80::[\da-f:]+\/64$/m,
        /^[56] addresses <nil>$/m,
      ],
    ),
  ["go"],
);

guestTest("Java tells the interfaces", () => {
  const classes = join(repositoryRoot, "build/test/interfaces");
  mkdirSync(classes, { recursive: true });
  execFileSync("javac", ["-d", classes, script("Interfaces.java")]);
  const options = ["-m", "1G", "--add", `${classes}:/classes`];
  return interfaces(
    options,
    ["java", "-cp", "/classes", "Interfaces"],
    [
      "lo index 1 mtu 65536 up loopback",
      "lo 127.0.0.1/8",
      "lo 0:0:0:0:0:0:0:1%lo/128",
      "eth0 index 2 mtu 1500 up",
      "eth0 10.0.2.15/24",
      /^eth0 fe80:[\da-f:]+%eth0\/64$/m,
    ],
  );
}, ["java", "javac"]);

guestTest("UDP_SEGMENT cuts what is sent, TCP_NOTSENT_LOWAT limits what waits", () =>
  assertSameAsHost({ argv: ["/usr/bin/python3", script("socket-hints.py")] }),
);

// Raw sockets are root's.
if (process.getuid?.() === 0) {
  guestTest("packets arrive with the header that their sender made", () =>
    assertSameAsHost({ argv: ["/usr/bin/python3", script("own-header.py")] }),
  );
}

guestTest("accept tells who it was even if the connection has been reset meanwhile", () => {
  const program = [
    "import socket, struct",
    "server = socket.create_server(('127.0.0.1', 0))",
    "client = socket.create_connection(server.getsockname())",
    "own = client.getsockname()",
    "client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))",
    "client.close()",
    "stream, peer = server.accept()",
    "print(peer == own)",
    "for call in (stream.getpeername, lambda: stream.recv(1)):",
    "    try: print(call())",
    "    except OSError as error: print(error)",
  ].join("\n");
  return assertSameAsHost({ argv: ["/usr/bin/python3", "-c", program] });
});

guestTest("/sys/class/net has a directory for each interface", async () => {
  const files = "address broadcast carrier flags ifindex iflink mtu operstate type";
  const show = `for on in *; do echo $on $(cd $on; cat ${files}); done`;
  const line = [
    "cd /sys/class/net",
    show,
    "ip link add link eth0 name eth0.5 type vlan id 5",
    "ip link set eth0.5 up",
    "echo *; cat eth0.5/iflink",
    "ping -c 3 127.0.0.1 > /dev/null",
    "cat lo/statistics/rx_packets lo/statistics/tx_packets",
    "ls lo/statistics | wc -l",
  ].join("\n");
  const programs = ["ip", "ping", "cat", "ls", "wc"].flatMap((name) => [
    "--add",
    `/usr/bin/${name}`,
  ]);
  assert.deepEqual((await inGuest(["--net", "user", ...programs], line)).trim().split("\n"), [
    "eth0 52:54:00:12:34:56 ff:ff:ff:ff:ff:ff 1 0x1003 2 2 1500 up 1",
    "lo 00:00:00:00:00:00 00:00:00:00:00:00 1 0x9 1 1 65536 unknown 772",
    "eth0 eth0.5 lo",
    ...["2", "6", "6", "24"],
  ]);
}, ["ip", "ping"]);

guestTest("tcpdump captures what goes over lo and over a card", async () => {
  const capture = async (...asked: string[]): Promise<string[]> => {
    const programs = ["--add", "/usr/bin/tcpdump", "--add", "/usr/bin/ping"];
    const words = ["python3", script("capture.py"), ...asked];
    const finished = await runCapstan(["--net", "user", ...programs, "--", ...words]);
    assert.equal(finished.status, 0, finished.stderr.toString("utf8"));
    const text = finished.stdout.toString("utf8").replaceAll(/((?:\d+\.){4})\d+ > /g, "$1PORT > ");
    return text.trimEnd().split("\n");
  };
  const told = "IP 127.0.0.1 > 127.0.0.1: ICMP 127.0.0.1 udp port 7 unreachable, length";
  const said = "IP 127.0.0.1.PORT > 127.0.0.1.7: UDP, length";
  assert.deepEqual(await capture("lo", "127.0.0.1", "5", "udp port 7 or icmp"), [
    `${said} 1`,
    `${told} 37`,
    `${said} 100`,
    `${told} 136`,
    `${said} 1000`,
  ]);
  assert.deepEqual(
    await capture("eth0", "10.0.2.2", "3", "udp port 7"),
    [1, 100, 1000].map((length) => `IP 10.0.2.15.PORT > 10.0.2.2.7: UDP, length ${length}`),
  );
}, ["tcpdump", "ping"]);

guestTest("ss shows sockets from netlink", async () => {
  const program = [
    "import socket, subprocess",
    "a = socket.create_server(('127.0.0.1', 80), backlog=7)",
    "b = socket.create_connection(('127.0.0.1', 80))",
    "c = a.accept()[0]",
    "d = socket.create_server(('::1', 81), family=socket.AF_INET6)",
    "e = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); e.bind(('0.0.0.0', 53))",
    "for words in ('-Htuln', '-Htnoi state established sport = :80'):",
    "    print(subprocess.run(['ss', *words.split()], capture_output=True, text=True))",
  ].join("\n");
  const words = ["--add", "/usr/bin/ss", "--", "/usr/bin/python3", "-c", program];
  const finished = await runCapstan(words);
  const said = finished.stdout.toString("utf8").replaceAll(/ +/g, " ");
  for (const expected of [
    /udp UNCONN 0 0 0\.0\.0\.0:53 0\.0\.0\.0:\*/,
    /tcp LISTEN 0 7 127\.0\.0\.1:80 0\.0\.0\.0:\*/,
    /tcp LISTEN 0 \d+ \[::1\]:81 \*:\*/,
    /0 0 127\.0\.0\.1:80 127\.0\.0\.1:\d+.*ts sack cubic wscale:7,7 rto:\d+.* mss:65483/,
  ]) {
    assert.match(said, expected);
  }
  assert.doesNotMatch(said, /stderr='[^']/);
}, ["ss"]);
