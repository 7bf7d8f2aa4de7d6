/**
 * The page of zero bytes that untouched anonymous memory shows to readers. One frame for all, never
 * freed, not counted in anybody's resident pages; the first write replaces it.
 */
import { FRAME_PINNED, frameOf } from "./frame";
import { allocateZeroedFrame } from "./frames";
import { PAGE_SHIFT } from "./layout";

let zeroFrame: u64 = 0;

/** Physical address of the zero page; 0 if there is no memory for it yet. */
export function zeroPage(): u64 {
  if (!zeroFrame) {
    zeroFrame = allocateZeroedFrame();
    if (zeroFrame) frameOf(zeroFrame).flags = FRAME_PINNED;
  }
  return zeroFrame;
}

/** Number of the zero page's frame; 0, which no page has, before it is first used. */
export function zeroFrameNumber(): u32 {
  return <u32>(zeroFrame >> PAGE_SHIFT);
}
