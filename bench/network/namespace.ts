/**
 * A network of the benchmark's own: a network namespace with one tap device, whose other end is a
 * guest's card. Programs of the host reach the guest from inside the namespace; nothing outside is
 * touched, and everything is gone with the process that holds the namespace.
 *
 * Works for root, and for others where unprivileged user namespaces and /dev/net/tun are allowed.
 * @see unshare(1), nsenter(1), user_namespaces(7)
 */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { GuestNetwork } from "../guests/guest.ts";
import { type Netem, openNetemPath, type RouterParts } from "./netem.ts";
import { type Weather, Wire } from "./wire.ts";

const hostAddress = "10.77.0.1";
const guestAddress = "10.77.0.2";
const tap = "tap0";

const run = promisify(execFile);

/** The namespace; `close` ends it. */
export class BenchNetwork implements GuestNetwork {
  readonly tap = tap;
  readonly address = guestAddress;
  readonly prefix: readonly string[];
  wirePath: string | undefined = undefined;
  cardOptions: string | undefined = undefined;
  readonly #holder: ChildProcess;
  readonly #onClose: (() => void)[] = [];

  private constructor(holder: ChildProcess, prefix: readonly string[]) {
    this.#holder = holder;
    this.prefix = prefix;
  }

  /**
   * Makes the namespace and its tap device.
   * @param tapOptions further words for `ip tuntap add`, such as `multi_queue`
   * @throws Error that says what to do, when the host does not allow it
   */
  static async open(...tapOptions: string[]): Promise<BenchNetwork> {
    const isRoot = process.getuid?.() === 0;
    const scope = isRoot ? ["--net"] : ["--net", "--user", "--map-root-user"];
    // The holder says that it is there, and lives until its standard input ends.
    const holder = spawn("unshare", [...scope, "sh", "-c", "echo ready; exec cat"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await new Promise<void>((resolve, reject) => {
      holder.stdout?.once("data", () => resolve());
      holder.once("error", reject);
      holder.once("exit", () => reject(new Error("unshare failed")));
    });
    const namespaces = isRoot ? ["--net"] : ["--net", "--user", "--preserve-credentials"];
    const prefix = ["nsenter", `--target=${holder.pid}`, ...namespaces, "--"];
    const network = new BenchNetwork(holder, prefix);
    try {
      network.#set("tuntap", "add", "mode", "tap", "name", tap, ...tapOptions);
      network.#set("address", "add", `${hostAddress}/24`, "dev", tap);
      network.#set("link", "set", tap, "up");
      network.#set("link", "set", "lo", "up");
    } catch (error) {
      network.close();
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `no network for the guests could be made: ${reason}\nRun as root, or allow user ` +
          "namespaces (sysctl user.max_user_namespaces) and give yourself /dev/net/tun.",
      );
    }
    return network;
  }

  #set(...words: string[]): void {
    const [program = "", ...rest] = [...this.prefix, "ip", ...words];
    execFileSync(program, rest, { stdio: ["ignore", "ignore", "pipe"] });
  }

  /**
   * Puts a wire between the tap device and the guest's card: a QEMU without a machine takes frames
   * from one to the other.
   * @param qemuPath the QEMU to use
   */
  async addWire(weather: Weather, qemuPath: string): Promise<Wire> {
    const folder = mkdtempSync(join(tmpdir(), "osv-wire-"));
    const path = join(folder, "wire");
    const wire = new Wire(weather);
    await wire.listen(path);
    this.wirePath = path;
    const [program = "", ...words] = [
      ...this.prefix,
      ...[qemuPath, "-M", "none", "-nodefaults", "-no-user-config", "-display", "none"],
      ...["-netdev", `tap,id=tap,ifname=${tap},script=no,downscript=no`],
      ...["-netdev", `stream,id=wire,server=off,addr.type=unix,addr.path=${path}`],
      ...["-netdev", "hubport,id=a,hubid=0,netdev=tap"],
      ...["-netdev", "hubport,id=b,hubid=0,netdev=wire"],
    ];
    const bridge = spawn(program, words, { stdio: ["ignore", "ignore", "inherit"] });
    this.#onClose.push(() => {
      bridge.kill("SIGKILL");
      wire.close();
      rmSync(folder, { recursive: true });
    });
    // It is the wire's first end, a guest the second one.
    await wire.firstEnd;
    return wire;
  }

  /** Puts a machine with netem(8) between the tap device and the guest's card. */
  async addNetem(netem: Netem, parts: RouterParts): Promise<void> {
    const path = await openNetemPath(this, netem, parts);
    this.wirePath = path.socketPath;
    this.#onClose.push(path.close);
  }

  /** Runs a program in the namespace: what it printed. Fails if the program does. */
  async command(words: readonly string[], timeoutMs: number): Promise<string> {
    const [program = "", ...rest] = [...this.prefix, ...words];
    const { stdout } = await run(program, rest, {
      encoding: "utf8",
      timeout: timeoutMs,
      maxBuffer: 2 ** 26,
    });
    return stdout;
  }

  /** Ends the namespace; the guests in it must have ended. */
  close(): void {
    for (const undo of this.#onClose) undo();
    this.#holder.stdin?.end();
  }
}
