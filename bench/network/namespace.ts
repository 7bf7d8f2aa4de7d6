/**
 * A network of the benchmark's own: a network namespace with one tap device, whose other end is a
 * guest's card. Programs of the host reach the guest from inside the namespace; nothing outside is
 * touched, and everything is gone with the process that holds the namespace.
 *
 * Works for root, and for others where unprivileged user namespaces and /dev/net/tun are allowed.
 * @see unshare(1), nsenter(1), user_namespaces(7)
 */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { promisify } from "node:util";
import type { GuestNetwork } from "../guests/guest.ts";

const hostAddress = "10.77.0.1";
const guestAddress = "10.77.0.2";
const tap = "tap0";

const run = promisify(execFile);

/** The namespace; `close` ends it. */
export class BenchNetwork implements GuestNetwork {
  readonly tap = tap;
  readonly address = guestAddress;
  readonly prefix: readonly string[];
  readonly #holder: ChildProcess;

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
    this.#holder.stdin?.end();
  }
}
