/**
 * Mutates real traffic: what a hostile or broken network makes of frames. The right frame arrives
 * too, mostly, so that conversations go on and reach states worth disturbing.
 *
 * Half of the mutants get right checksums, so that they are not dropped at the first look.
 * Neighbour: `bench/network/wire.ts` passes frames through it.
 */
import { generator } from "./generator.ts";

const ETHERNET_BYTES = 14;
const IPV6_BYTES = 40;
const HISTORY = 256;
/** How often a frame is mutated, and how often the right one is then left out. */
const MUTATION_RATE = 0.3;
const LOSS_RATE = 0.02;
const FRAME_MAX = 1514;

const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;

/** Where the checksum of a protocol is in its header. */
const checksumOffsets: Readonly<Record<number, number>> = {
  1: 2,
  2: 2,
  [TCP]: 16,
  [UDP]: 6,
  [ICMPV6]: 2,
};

/** A source of mutants. */
export class Mutator {
  readonly #random: () => number;
  readonly #history: Buffer[] = [];
  /** Frames that came, and mutants made of them. */
  frames = 0;
  mutants = 0;

  constructor(seed: number) {
    this.#random = generator(seed);
  }

  /** What arrives in the place of a frame. */
  alter(frame: Buffer): Buffer[] {
    this.frames += 1;
    this.#history[this.frames % HISTORY] = Buffer.from(frame);
    if (this.#random() > MUTATION_RATE) return [frame];
    const mutants = this.#mutate(frame);
    this.mutants += mutants.length;
    if (this.#random() < LOSS_RATE) return mutants;
    return this.#random() < 0.5 ? [...mutants, frame] : [frame, ...mutants];
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #mutate(frame: Buffer): Buffer[] {
    switch (this.#below(8)) {
      case 0: // an old frame again
        return [this.#history[this.#below(Math.min(this.frames, HISTORY))] ?? frame];
      case 1: // cut off
        return [frame.subarray(0, ETHERNET_BYTES + this.#below(frame.length - ETHERNET_BYTES))];
      case 2: // longer than it says
        return [
          Buffer.concat([frame, Buffer.alloc(this.#below(FRAME_MAX - frame.length + 1), 0x5a)]),
        ];
      case 3:
        return this.#fragments(frame);
      case 4: // another segment of the same connection: flags, numbers, window, options
        return [this.#changed(frame, 34, 20 + this.#below(20))];
      case 5: // headers
        return [this.#changed(frame, ETHERNET_BYTES, 60)];
      default:
        return [this.#changed(frame, ETHERNET_BYTES, frame.length)];
    }
  }

  /** A copy with some bytes changed in a range, perhaps with right checksums. */
  #changed(frame: Buffer, from: number, length: number): Buffer {
    const copy = Buffer.from(frame);
    const end = Math.min(copy.length, from + length);
    for (let count = 1 + this.#below(4); count > 0 && end > from; count--) {
      const at = from + this.#below(end - from);
      const value = copy[at] ?? 0;
      const edges = [0, 0xff, value ^ (1 << this.#below(8)), value + 1, this.#below(256)];
      copy[at] = (edges[this.#below(edges.length)] ?? 0) & 0xff;
    }
    if (this.#random() < 0.5) repairChecksums(copy);
    return copy;
  }

  /** Fragments of an IPv4 packet that overlap, repeat or leave holes (RFC 791, RFC 5722). */
  #fragments(frame: Buffer): Buffer[] {
    if (frame.readUInt16BE(12) !== 0x0800 || frame.length < 60) return [frame];
    const payload = frame.subarray(34);
    const identification = this.#below(4);
    return Array.from({ length: 2 + this.#below(4) }, () => {
      const offset = this.#below(payload.length) & ~7;
      const part = payload.subarray(offset, offset + 8 + (this.#below(payload.length) & ~7));
      const fragment = Buffer.concat([frame.subarray(0, 34), part]);
      const shift = this.#random() < 0.1 ? this.#below(8192) : 0;
      fragment.writeUInt16BE(identification, 18);
      fragment.writeUInt16BE(
        (((offset >> 3) + shift) & 0x1fff) | (this.#random() < 0.7 ? 0x2000 : 0),
        20,
      );
      repairChecksums(fragment);
      return fragment;
    });
  }
}

/** The sum of 16-bit words (RFC 1071), not folded. */
function sum(bytes: Buffer): number {
  let total = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) total += bytes.readUInt16BE(at);
  return bytes.length % 2 === 0 ? total : total + ((bytes.at(-1) ?? 0) << 8);
}

function folded(total: number): number {
  let value = total;
  while (value > 0xffff) value = (value & 0xffff) + Math.floor(value / 65536);
  return ~value & 0xffff;
}

/** Gives a frame the lengths and checksums that fit what it has become. */
export function repairChecksums(frame: Buffer): void {
  if (frame.length < ETHERNET_BYTES + 20) return;
  const type = frame.readUInt16BE(12);
  if (type === 0x0800) {
    const headerBytes = ((frame[ETHERNET_BYTES] ?? 0) & 15) * 4;
    const end = ETHERNET_BYTES + headerBytes;
    if (headerBytes < 20 || end > frame.length) return;
    frame.writeUInt16BE(frame.length - ETHERNET_BYTES, 16);
    frame.writeUInt16BE(0, 24);
    frame.writeUInt16BE(folded(sum(frame.subarray(ETHERNET_BYTES, end))), 24);
    const isFragment = (frame.readUInt16BE(20) & 0x3fff) !== 0;
    if (!isFragment) repairTransport(frame, end, frame[23] ?? 0, frame.subarray(26, 34));
  } else if (type === 0x86dd && frame.length >= ETHERNET_BYTES + IPV6_BYTES) {
    const end = ETHERNET_BYTES + IPV6_BYTES;
    frame.writeUInt16BE(frame.length - end, 18);
    repairTransport(frame, end, frame[20] ?? 0, frame.subarray(22, 54));
  }
}

function repairTransport(frame: Buffer, start: number, protocol: number, addresses: Buffer): void {
  const offset = checksumOffsets[protocol];
  const payload = frame.subarray(start);
  if (offset === undefined || payload.length < offset + 2) return;
  payload.writeUInt16BE(0, offset);
  const hasPseudoHeader = protocol === TCP || protocol === UDP || protocol === ICMPV6;
  const pseudo = hasPseudoHeader ? sum(addresses) + protocol + payload.length : 0;
  payload.writeUInt16BE(folded(sum(payload) + pseudo), offset);
}
