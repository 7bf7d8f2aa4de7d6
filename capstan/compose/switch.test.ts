import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { withScratch } from "../image/erofs/testing.ts";
import { EthernetSwitch } from "./switch.ts";

/** A machine's end of a cable. */
class Machine {
  readonly #socket: Socket;
  readonly #address: number;
  #received = Buffer.alloc(0);

  constructor(socket: Socket, address: number) {
    this.#socket = socket;
    this.#address = address;
    socket.on("data", (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
  }

  /** Sends a frame in pieces, as a stream may bring it. @param to 255 for all */
  send(to: number, text: string): void {
    const address = (number: number) => Buffer.alloc(6, number === 255 ? 255 : number * 2);
    const frame = Buffer.concat([address(to), address(this.#address), Buffer.from(`\0\0${text}`)]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    const message = Buffer.concat([length, frame]);
    this.#socket.write(message.subarray(0, 7));
    this.#socket.write(message.subarray(7));
  }

  /** Waits for a frame that ends with a text; returns the texts of all frames so far. */
  async expect(text: string): Promise<string[]> {
    while (!this.texts().includes(text)) await once(this.#socket, "data");
    return this.texts();
  }

  texts(): string[] {
    const texts = [];
    for (let at = 0; at + 4 <= this.#received.length; ) {
      const end = at + 4 + this.#received.readUInt32BE(at);
      texts.push(this.#received.toString("latin1", at + 4 + 14, end));
      at = end;
    }
    return texts;
  }

  unplug(): void {
    this.#socket.destroy();
  }
}

test("frames reach whom they are for, and all others only until the switch knows where", () =>
  withScratch(async (folder) => {
    const path = join(folder, "switch");
    const ethernet = new EthernetSwitch();
    await ethernet.listen(path);
    const plug = async (address: number) => {
      const socket = connect(path);
      await once(socket, "connect");
      return new Machine(socket, address);
    };
    const [a, b, c] = [await plug(1), await plug(2), await plug(3)];
    a.send(255, "who is there");
    await b.expect("who is there");
    await c.expect("who is there");
    b.send(1, "b is");
    await a.expect("b is");
    a.send(2, "for b alone");
    await b.expect("for b alone");
    // Broadcasts arrive in order, so c would have seen what came before.
    a.send(255, "end");
    assert.deepEqual(await c.expect("end"), ["who is there", "end"]);
    assert.deepEqual(a.texts(), ["b is"]);
    for (const machine of [a, b, c]) machine.unplug();
    ethernet.close();
  }));

test("a connection that does not speak the format is cut", () =>
  withScratch(async (folder) => {
    const path = join(folder, "switch");
    const ethernet = new EthernetSwitch();
    await ethernet.listen(path);
    const socket = connect(path);
    socket.write("GET / HTTP/1.0\r\n\r\n");
    await once(socket, "close");
    ethernet.close();
  }));
