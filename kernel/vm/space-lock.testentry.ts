/** One space lock for its unit test. */
import { SpaceLock } from "./space-lock";

const guarded = new SpaceLock();

export function lock(): void {
  guarded.lock();
}

export function tryLock(): bool {
  return guarded.tryLock();
}

export function unlock(): void {
  guarded.unlock();
}

export function isHeld(): bool {
  return guarded.isHeld();
}
