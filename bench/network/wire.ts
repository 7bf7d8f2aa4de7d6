/**
 * A wire with weather: two ends connect to a UNIX socket (`-netdev stream`), and frames from each
 * arrive at the other later, or not at all. What netem(8) does where the kernel has it.
 *
 * Which frames are lost follows from a seed, by their number, so that two runs meet the same losses.
 * Neighbours: `namespace.ts` connects a tap device with it, `../guests/machine.ts` a guest.
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { LENGTH_BYTES, readFrames, withLength } from "../../capstan/compose/frames.ts";
import { generator } from "../../test/harness/generator.ts";

/** What happens to frames, in each direction. */
export interface Weather {
  /** Probability from 0 to 1 that a frame is lost. */
  readonly loss: number;
  readonly delayMs: number;
  /** What arrives at the second end in the place of a frame. */
  alter?: ((frame: Buffer) => readonly Buffer[]) | undefined;
}

/** A wire. */
export class Wire {
  readonly #weather: Weather;
  readonly #ends: Socket[] = [];
  readonly #server: Server = createServer((end) => this.#connect(end));
  /** Frames that came, and those of them that were lost. */
  frames = 0;
  lost = 0;
  #noteFirst: () => void = () => {};
  /** Resolves when the first end has connected. */
  readonly firstEnd = new Promise<void>((resolve) => {
    this.#noteFirst = resolve;
  });

  constructor(weather: Weather) {
    this.#weather = weather;
  }

  /** Begins to listen for the two ends. */
  async listen(path: string): Promise<void> {
    this.#server.listen(path);
    await once(this.#server, "listening");
  }

  /** Cuts the wire. */
  close(): void {
    this.#server.close();
    for (const end of this.#ends) end.destroy();
  }

  #connect(end: Socket): void {
    if (this.#ends.length === 2) {
      end.destroy();
      return;
    }
    const random = generator(this.#ends.length + 1);
    const isFirst = this.#ends.push(end) === 1;
    if (isFirst) this.#noteFirst();
    end.on("error", () => end.destroy());
    readFrames(end, (message) => {
      this.frames += 1;
      if (random() < this.#weather.loss) {
        this.lost += 1;
        return;
      }
      const { alter, delayMs } = this.#weather;
      const frame = message.subarray(LENGTH_BYTES);
      const frames = isFirst && alter !== undefined ? alter(frame) : [frame];
      const kept = frames.map(withLength);
      const arrive = (): void => {
        for (const each of kept) this.#arrive(end, each);
      };
      if (delayMs === 0) arrive();
      else setTimeout(arrive, delayMs);
    });
  }

  #arrive(from: Socket, message: Buffer): void {
    const to = this.#ends.find((end) => end !== from);
    if (to?.writable === true) to.write(message);
  }
}
