/** Surface of the random generator for its tests. */
import { addEntropy, initRandom, isRandomSeeded, randomBytes, randomU64 } from "./random";

export function init(): void {
  initRandom();
}

export function seeded(): bool {
  return isRandomSeeded();
}

export function bytes(address: usize, length: usize): void {
  randomBytes(address, length);
}

export function number(): u64 {
  return randomU64();
}

export function mix(address: usize, length: usize): void {
  addEntropy(address, length);
}
