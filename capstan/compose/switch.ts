/**
 * An Ethernet switch in user space: what connects the machines of a compose project. It listens on
 * a UNIX socket; each machine's QEMU connects (`-netdev stream`) and sends frames (`frames.ts`). The
 * switch learns which address is at which port (IEEE 802.1D, 7.8) and sends a frame there, or to all
 * if it does not know.
 *
 * Neighbours: `network-process.ts` runs it, `network.ts` has the addresses.
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { LENGTH_BYTES, readFrames } from "./frames.ts";

/** What a port may have waiting; a real switch drops frames, too, and TCP finds its speed. */
const QUEUE_LIMIT_BYTES = 4 * 1024 ** 2;

/** The switch. */
export class EthernetSwitch {
  readonly #ports = new Set<Socket>();
  /** Port of each address that has sent something. */
  readonly #learned = new Map<string, Socket>();
  readonly #server: Server = createServer((port) => this.#connect(port));

  #noteFirst: () => void = () => {};
  /** Resolves when somebody has connected. */
  readonly firstPort = new Promise<void>((resolve) => {
    this.#noteFirst = resolve;
  });
  /** Frames that found no room. */
  dropped = 0;

  /** Begins to listen. */
  async listen(path: string): Promise<void> {
    this.#server.listen(path);
    await once(this.#server, "listening");
  }

  /** Stops listening and cuts all connections. */
  close(): void {
    this.#server.close();
    for (const port of this.#ports) port.destroy();
  }

  #connect(port: Socket): void {
    this.#ports.add(port);
    this.#noteFirst();
    readFrames(port, (message) => this.#forward(port, message));
    port.on("error", () => port.destroy());
    port.on("close", () => {
      this.#ports.delete(port);
      for (const [address, owner] of this.#learned) {
        if (owner === port) this.#learned.delete(address);
      }
    });
  }

  /** @param message a frame with its length in front */
  #forward(from: Socket, message: Buffer): void {
    const destination = message.subarray(LENGTH_BYTES, LENGTH_BYTES + 6);
    const source = message.toString("latin1", LENGTH_BYTES + 6, LENGTH_BYTES + 12);
    this.#learned.set(source, from);
    // The lowest bit of the first byte marks broadcast and multicast.
    const isGroup = ((destination[0] ?? 0) & 1) !== 0;
    const known = isGroup ? undefined : this.#learned.get(destination.toString("latin1"));
    if (known === from) return;
    for (const port of known === undefined ? this.#ports : [known]) {
      if (port === from) continue;
      if (port.writableLength > QUEUE_LIMIT_BYTES) this.dropped += 1;
      else port.write(message);
    }
  }
}
