/**
 * Two hosts, each an instance of the kernel's network stack, and a wire between them that delays,
 * loses, duplicates, reorders and damages frames as a seeded generator says. Time is simulated.
 */
import { type KernelModule, loadKernelModule } from "../../../compiler/testing.ts";
import { generator } from "../../../test/harness/generator.ts";

export interface HostExports {
  start(host: number): void;
  stop(): void;
  bufferAddress(): bigint;
  deliver(length: number): void;
  gather(length: number): void;
  deliverGathered(): void;
  timers(): void;
  openTcp(): number;
  openUdp(): number;
  openUdpLite(): number;
  openTcp6(): number;
  openUdp6(): number;
  configuration(): number;
  startDhcp(): void;
  hasLease(): number;
  bind(socket: number, port: number): bigint;
  listen(socket: number, backlog: number): bigint;
  connect(socket: number, host: number, port: number): bigint;
  accept(socket: number): number;
  send(socket: number, length: bigint): bigint;
  sendTo(socket: number, length: bigint, host: number, port: number): bigint;
  receive(socket: number, length: bigint, flags: number): bigint;
  poll(socket: number): number;
  shutDown(socket: number, how: number): bigint;
  takeError(socket: number): number;
  setOption(socket: number, level: number, name: number, value: number): bigint;
  setOptionBytes(socket: number, level: number, name: number, length: bigint): bigint;
  state(socket: number): number;
  limitEndings(freeBytes: bigint): void;
  endingCount(kind: number): number;
  close(socket: number): void;
}

/** What may happen to a frame; probabilities from 0 to 1. */
export interface Weather {
  loss: number;
  duplication: number;
  damage: number;
  /** Delay in milliseconds, and how much more it may be for some. */
  delayMs: number;
  jitterMs: number;
}

export const CLEAR: Weather = { loss: 0, duplication: 0, damage: 0, delayMs: 1, jitterMs: 0 };

const STEP_NS = 5_000_000n;
const NS_PER_MS = 1_000_000;
const ETHERNET_BYTES = 14;

interface Frame {
  dueNs: bigint;
  to: Host;
  bytes: Uint8Array;
}

/** True for TCP and UDP over IPv6, perhaps in fragments: what damage is noticed in. */
function isTransport6(bytes: Uint8Array): boolean {
  const next = bytes[ETHERNET_BYTES + 6] ?? 0;
  return bytes[12] === 0x86 && bytes[13] === 0xdd && [6, 17, 44].includes(next);
}

/**
 * Address resolution gives a neighbour up after three lost requests, and the connection with it
 * (neighbours.ts); a wire that loses one frame in ten does that to one connection in a hundred.
 */
function isArp(bytes: Uint8Array): boolean {
  return bytes[12] === 8 && bytes[13] === 6;
}

let current: Wire | null = null;
const owners = new Map<object, Host>();

export class Host {
  readonly #module: KernelModule<HostExports>;
  readonly exports: HostExports;
  readonly #number: number;
  #buffer = 0n;
  blocksAtStart = 0;

  constructor(module: KernelModule<HostExports>, number: number) {
    this.#module = module;
    this.exports = module.exports;
    module.hardware.tscStep = 0n;
    this.#number = number;
    owners.set(module.memory, this);
  }

  /** Starts the host, which begins to send. */
  start(): void {
    this.exports.start(this.#number);
    this.#buffer = BigInt.asUintN(64, this.exports.bufferAddress());
    this.blocksAtStart = this.#module.heap.liveBlocks;
  }

  get liveBlocks(): number {
    return this.#module.heap.liveBlocks;
  }

  get liveBytes(): number {
    return this.#module.heap.liveBytes;
  }

  setTime(nowNs: bigint): void {
    this.#module.hardware.tsc = nowNs;
  }

  deliver(bytes: Uint8Array): void {
    this.#module.memory.bytes(this.#buffer, bytes.length).set(bytes);
    this.exports.deliver(bytes.length);
  }

  /** The frame arrives with others, at the next `deliverGathered`. */
  gather(bytes: Uint8Array): void {
    this.#module.memory.bytes(this.#buffer, bytes.length).set(bytes);
    this.exports.gather(bytes.length);
  }

  /** Sends as much of `bytes` as goes: how much, or a negative error. */
  send(socket: number, bytes: Uint8Array): number {
    const part = bytes.subarray(0, 65536);
    this.#module.memory.bytes(this.#buffer, part.length).set(part);
    return Number(this.exports.send(socket, BigInt(part.length)));
  }

  sendTo(socket: number, bytes: Uint8Array, host: number, port: number): number {
    this.#module.memory.bytes(this.#buffer, bytes.length).set(bytes);
    return Number(this.exports.sendTo(socket, BigInt(bytes.length), host, port));
  }

  setOption(socket: number, level: number, name: number, value: Uint8Array): number {
    this.#module.memory.bytes(this.#buffer, value.length).set(value);
    return Number(this.exports.setOptionBytes(socket, level, name, BigInt(value.length)));
  }

  /** Addresses of eth0, and `via ROUTER` for each default route. */
  configuration(): string[] {
    const length = this.exports.configuration();
    const text = Buffer.from(this.#module.memory.bytes(this.#buffer, length)).toString("latin1");
    return text.split("\n").filter((line) => line !== "");
  }

  /** Receives: bytes (none at the end), or a negative error. */
  receive(socket: number, length = 65536, flags = 0): Uint8Array | number {
    const count = Number(this.exports.receive(socket, BigInt(length), flags));
    if (count < 0) return count;
    return this.#module.memory.bytes(this.#buffer, count).slice();
  }
}

export class Wire {
  nowNs = 1_000_000_000n;
  readonly a: Host;
  readonly b: Host;
  frames: Frame[] = [];
  sent = 0;
  /** Whether frames that are due at the same time arrive in one interrupt, and the most that did. */
  batches = true;
  largestBatch = 0;
  readonly #random: () => number;
  /** Sees each frame; false drops it. */
  filter: (bytes: Uint8Array, to: Host) => boolean = () => true;

  constructor(
    modules: [KernelModule<HostExports>, KernelModule<HostExports>],
    public weather: Weather,
    seed: number,
  ) {
    this.#random = generator(seed);
    current = this;
    for (const module of modules) module.hardware.tsc = this.nowNs;
    this.a = new Host(modules[0], 1);
    this.b = new Host(modules[1], 2);
    this.a.start();
    this.b.start();
  }

  /** A host gave a frame to the wire. */
  sentBy(from: Host, bytes: Uint8Array): void {
    const to = from === this.a ? this.b : this.a;
    this.sent++;
    if (!this.filter(bytes, to) || (!isArp(bytes) && this.#random() < this.weather.loss)) return;
    this.#transport(to, bytes);
    if (this.#random() < this.weather.duplication) this.#transport(to, bytes.slice());
  }

  #transport(to: Host, bytes: Uint8Array): void {
    const { delayMs, jitterMs, damage } = this.weather;
    const delay = delayMs + (this.#random() < 0.2 ? this.#random() * jitterMs : 0);
    // Address resolution has no checksum to notice damage by.
    const isIp = (bytes[12] === 8 && bytes[13] === 0) || isTransport6(bytes);
    if (isIp && this.#random() < damage) {
      const place = ETHERNET_BYTES + Math.floor(this.#random() * (bytes.length - ETHERNET_BYTES));
      bytes[place] = (bytes[place] ?? 0) ^ (1 << Math.floor(this.#random() * 8));
    }
    this.frames.push({ dueNs: this.nowNs + BigInt(Math.round(delay * NS_PER_MS)), to, bytes });
  }

  /** Moves time to the next frame, or a little on, and lets happen what is due. */
  step(): void {
    let next = this.nowNs + STEP_NS;
    for (const frame of this.frames) if (frame.dueNs < next) next = frame.dueNs;
    this.nowNs = next;
    this.a.setTime(next);
    this.b.setTime(next);
    const due = this.frames.filter((frame) => frame.dueNs <= next);
    this.frames = this.frames.filter((frame) => frame.dueNs > next);
    this.#arrive(due);
    this.a.exports.timers();
    this.b.exports.timers();
  }

  #arrive(due: readonly Frame[]): void {
    for (const host of [this.a, this.b]) {
      const frames = due.filter(({ to }) => to === host);
      this.largestBatch = Math.max(this.largestBatch, frames.length);
      for (const { bytes } of frames) {
        if (this.batches) host.gather(bytes);
        else host.deliver(bytes);
      }
      host.exports.deliverGathered();
    }
  }

  /** Lets time pass. */
  pass(milliseconds: number): void {
    const end = this.nowNs + BigInt(milliseconds) * BigInt(NS_PER_MS);
    while (this.nowNs < end) this.step();
  }

  /** Steps until `done` says so; false if it does not within the limit. */
  until(done: () => boolean, limitMs = 600_000): boolean {
    const end = this.nowNs + BigInt(limitMs) * BigInt(NS_PER_MS);
    while (!done()) {
      if (this.nowNs > end) return false;
      this.step();
    }
    return true;
  }
}

/** Compiles the stack; the result makes wires between two new hosts. */
export async function loadWire(): Promise<(weather: Weather, seed: number) => Wire> {
  const module = await loadKernelModule<HostExports>("kernel/net/testing/host.testentry.ts", {
    replace: { "kernel/mm/heap": "compiler/runtime/testheap" },
    imports: ({ memory }) => ({
      "host.testentry": {
        frameSent: (address: bigint, length: number) => {
          const host = owners.get(memory);
          if (host && current) {
            current.sentBy(host, memory.bytes(BigInt.asUintN(64, address), length).slice());
          }
        },
      },
    }),
  });
  return (weather, seed) => new Wire([module.fresh(), module.fresh()], weather, seed);
}
