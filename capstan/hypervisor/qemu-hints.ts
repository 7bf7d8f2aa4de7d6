/**
 * What to do about messages with which QEMU gives up before the guest runs: those about the network,
 * which depends on the host and the user's rights. Neighbour: `../run/report.ts`.
 */

const hints: readonly (readonly [RegExp, string])[] = [
  [
    /Could not set up host forwarding rule '\w+:[^:]*:(\d+)/,
    "port $1 of this machine is in use, or you may not open it: choose another one with -p HOST:GUEST",
  ],
  [
    /bridge helper failed|failed to parse .*bridge\.conf/,
    "run as root, or let QEMU's helper do it: write `allow NAME` to /etc/qemu/bridge.conf and make " +
      "qemu-bridge-helper setuid root",
  ],
  [
    /network script .*join-bridge\.sh failed/,
    "make the bridge first: ip link add NAME type bridge && ip link set NAME up",
  ],
  [
    /\/dev\/net\/tun/,
    "make a tap device of your own as root: ip tuntap add mode tap user USER name NAME && " +
      "ip link set NAME up",
  ],
];

/** What the user can do about QEMU's messages, or undefined. */
export function qemuHint(diagnostics: string): string | undefined {
  for (const [pattern, hint] of hints) {
    const match = pattern.exec(diagnostics);
    if (match) return hint.replace("$1", match[1] ?? "");
  }
  return undefined;
}
