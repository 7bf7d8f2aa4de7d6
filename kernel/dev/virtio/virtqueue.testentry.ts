/** Surface of the virtqueue for its unit tests; a queue is named by its address. */
import { chooseQueueSize, Virtqueue } from "./virtqueue";

function at(address: usize): Virtqueue {
  return changetype<Virtqueue>(address);
}

export function create(size: u32, legacy: bool, eventIndex: bool): usize {
  const queue = new Virtqueue(3, size, eventIndex);
  return queue.allocate(legacy) ? changetype<usize>(queue) : 0;
}

export function descriptors(queue: usize): usize {
  return at(queue).descriptors;
}

export function available(queue: usize): usize {
  return at(queue).available;
}

export function used(queue: usize): usize {
  return at(queue).used;
}

export function append(queue: usize, address: u64, lengthBytes: u32, deviceWrites: bool): void {
  at(queue).append(address, lengthBytes, deviceWrites);
}

export function endChain(queue: usize, token: u64): void {
  at(queue).endChain(token);
}

export function publish(queue: usize): bool {
  return at(queue).publish();
}

export function takeUsed(queue: usize): bool {
  return at(queue).takeUsed();
}

export function takeAbandoned(queue: usize): bool {
  return at(queue).takeAbandoned();
}

export function usedToken(queue: usize): u64 {
  return at(queue).usedToken;
}

export function usedBytes(queue: usize): u32 {
  return at(queue).usedBytes;
}

export function enableInterrupts(queue: usize): bool {
  return at(queue).enableInterrupts();
}

export function disableInterrupts(queue: usize): void {
  at(queue).disableInterrupts();
}

export function isBroken(queue: usize): bool {
  return at(queue).broken;
}

export function freeCount(queue: usize): u32 {
  return at(queue).freeCount;
}

export function inFlight(queue: usize): u32 {
  return at(queue).inFlight;
}

export function chooseSize(limit: u32, wanted: u32): u32 {
  return chooseQueueSize(limit, wanted);
}
