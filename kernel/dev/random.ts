/**
 * Random numbers: ChaCha20 (RFC 8439) as a generator with fast key erasure. Each call produces key
 * stream from the current key, and its first 32 bytes become the next key before the rest is handed
 * out; what was handed out cannot be computed from a later state.
 *
 * Seeds: RDSEED, else RDRAND; the host's `entropy=` option; virtio-rng; the time-stamp counter at
 * moments the outside decides. Entropy is added to the key by xor and one run of the cipher, so no
 * source can make the state worse.
 *
 * Lock: `lock` guards the context; a leaf. Neighbours: `lib/chacha20`; `dev/virtio/rng` adds entropy;
 * /dev/urandom, getrandom(2), AT_RANDOM and address-space randomisation read it.
 */
import { findOption } from "../arch/bootinfo";
import { cpuid, rdrand, rdseed, rdtsc } from "../arch/cpu";
import { SpinLock } from "../arch/spinlock";
import {
  CHACHA20_BLOCK_BYTES,
  CHACHA20_KEY_BYTES,
  CHACHA20_KEY_OFFSET,
  chacha20Block,
  chacha20Init,
} from "../lib/chacha20";

const CPUID_1_ECX_RDRAND: u32 = 1 << 30;
const CPUID_7_EBX_RDSEED: u32 = 1 << 18;
const ECX: u32 = 2;
const EBX: u32 = 1;
/** Both instructions may have nothing to give for a moment (Intel SDM vol. 1, 7.3.17). */
const MAX_TRIES: u32 = 10;
/** Bytes produced while the lock is held, so that interrupts are not off for long. */
const CHUNK_BYTES: usize = 1024;

const context = new StaticArray<u8>(<i32>CHACHA20_BLOCK_BYTES);
/** The block in production; cleared after use. */
const block = new StaticArray<u8>(<i32>CHACHA20_BLOCK_BYTES);
const lock = new SpinLock();
let started: bool = false;
let seeded: bool = false;

/** Fills `length` bytes at `address` (kernel memory) with random bytes. Any context; never sleeps. */
export function randomBytes(address: usize, length: usize): void {
  let done: usize = 0;
  while (done < length) {
    const part = min(length - done, CHUNK_BYTES);
    lock.acquire();
    produce(address + done, part);
    lock.release();
    done += part;
  }
}

/** A random number of 64 bits. */
export function randomU64(): u64 {
  lock.acquire();
  const output = changetype<usize>(block) + CHACHA20_KEY_BYTES;
  nextBlock();
  const value = load<u64>(output);
  store<u64>(output, 0);
  lock.release();
  return value;
}

/** Replaces the key; bytes 32 to 63 of `block` are then random. */
function nextBlock(): void {
  if (!started) start();
  const bytes = changetype<usize>(block);
  chacha20Block(changetype<usize>(context), bytes);
  memory.copy(changetype<usize>(context) + CHACHA20_KEY_OFFSET, bytes, CHACHA20_KEY_BYTES);
  memory.fill(bytes, 0, CHACHA20_KEY_BYTES);
}

function produce(address: usize, length: usize): void {
  if (!started) start();
  const state = changetype<usize>(context);
  const bytes = changetype<usize>(block);
  // The first block: 32 bytes of the key to come, kept aside in `nextKey`, and 32 bytes of output.
  chacha20Block(state, bytes);
  memory.copy(changetype<usize>(nextKey), bytes, CHACHA20_KEY_BYTES);
  let taken = min(length, CHACHA20_BLOCK_BYTES - CHACHA20_KEY_BYTES);
  memory.copy(address, bytes + CHACHA20_KEY_BYTES, taken);
  while (taken < length) {
    const part = min(length - taken, CHACHA20_BLOCK_BYTES);
    chacha20Block(state, bytes);
    memory.copy(address + taken, bytes, part);
    taken += part;
  }
  memory.copy(state + CHACHA20_KEY_OFFSET, changetype<usize>(nextKey), CHACHA20_KEY_BYTES);
  memory.fill(bytes, 0, CHACHA20_BLOCK_BYTES);
  memory.fill(changetype<usize>(nextKey), 0, CHACHA20_KEY_BYTES);
}

const nextKey = new StaticArray<u8>(<i32>CHACHA20_KEY_BYTES);

/** The constants; the key is zero until entropy comes. */
function start(): void {
  started = true;
  const zero = changetype<usize>(nextKey);
  chacha20Init(changetype<usize>(context), zero, 0, zero);
}

/** Mixes `length` bytes at `address` into the generator's key. Any context. */
export function addEntropy(address: usize, length: usize): void {
  lock.acquire();
  mix(address, length);
  lock.release();
}

function mix(address: usize, length: usize): void {
  if (!started) start();
  const key = changetype<usize>(context) + CHACHA20_KEY_OFFSET;
  for (let i: usize = 0; i < length; i++) {
    const target = key + (i % CHACHA20_KEY_BYTES);
    store<u8>(target, load<u8>(target) ^ load<u8>(address + i));
    if (i % CHACHA20_KEY_BYTES == CHACHA20_KEY_BYTES - 1) nextBlock();
  }
  nextBlock();
}

/** Mixes in a number whose low bits nobody outside can know exactly, such as the time of an event. */
export function addTiming(): void {
  lock.acquire();
  mixNumber(rdtsc());
  lock.release();
}

const number = new StaticArray<u64>(1);

function mixNumber(value: u64): void {
  unchecked((number[0] = value));
  mix(changetype<usize>(number), 8);
  unchecked((number[0] = 0));
}

/** True once at least 256 bits of good entropy have been mixed in. */
export function isRandomSeeded(): bool {
  return seeded;
}

/** Says that a good source has been mixed in (virtio-rng). */
export function setRandomSeeded(): void {
  seeded = true;
}

/** Seeds the generator from the processor and the `entropy=` option of the command line. */
export function initRandom(): void {
  lock.acquire();
  mixNumber(rdtsc());
  lock.release();
  if (seedFromProcessor()) seeded = true;
  if (seedFromCommandLine()) seeded = true;
}

/** Mixes in 256 bits from RDSEED, or 512 from RDRAND, whose bits are stretched from a seed. */
function seedFromProcessor(): bool {
  if ((cpuid(7, 0, EBX) & CPUID_7_EBX_RDSEED) != 0 && seedFromInstruction(true, 4)) return true;
  return (cpuid(1, 0, ECX) & CPUID_1_ECX_RDRAND) != 0 && seedFromInstruction(false, 8);
}

function seedFromInstruction(useSeed: bool, words: u32): bool {
  const address = changetype<usize>(number);
  let gathered: u32 = 0;
  for (let i: u32 = 0; i < words; i++) {
    for (let attempt: u32 = 0; attempt < MAX_TRIES; attempt++) {
      if (!(useSeed ? rdseed(address) : rdrand(address))) continue;
      lock.acquire();
      mix(address, 8);
      lock.release();
      gathered++;
      break;
    }
  }
  unchecked((number[0] = 0));
  return gathered == words;
}

/** Mixes in `entropy=` followed by hexadecimal digits, of which 64 make a full seed. */
function seedFromCommandLine(): bool {
  const option = findOption("entropy");
  if (!option) return false;
  addEntropy(option.address, option.length);
  return option.length >= 64;
}
