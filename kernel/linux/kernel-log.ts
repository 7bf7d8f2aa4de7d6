/**
 * syslog(2): reading the kernel's log, as dmesg(1) does where /dev/kmsg is not used.
 *
 * Neighbours: `lib/log` (the ring), `dev/memory-devices` (/dev/kmsg).
 */
import { EINVAL, ENOMEM } from "../lib/errno";
import { logAt, logCapacity, logWritten } from "../lib/log";
import { heapAllocate, heapFree } from "../mm/heap";
import { copyOut } from "./user-memory";

const ACTION_CLOSE: i32 = 0;
const ACTION_OPEN: i32 = 1;
const ACTION_READ: i32 = 2;
const ACTION_READ_ALL: i32 = 3;
const ACTION_READ_CLEAR: i32 = 4;
const ACTION_CLEAR: i32 = 5;
const ACTION_CONSOLE_OFF: i32 = 6;
const ACTION_CONSOLE_ON: i32 = 7;
const ACTION_CONSOLE_LEVEL: i32 = 8;
const ACTION_SIZE_UNREAD: i32 = 9;
const ACTION_SIZE_BUFFER: i32 = 10;

/** Position behind what ACTION_READ has given out, and what ACTION_CLEAR has hidden. */
let readUntil: u64 = 0;
let clearedUntil: u64 = 0;

/** syslog(2). ACTION_READ does not wait: it gives what there is. */
export function sysSyslog(action: i32, buffer: usize, length: i32): i64 {
  const end = logWritten();
  switch (action) {
    case ACTION_CLOSE:
    case ACTION_OPEN:
    case ACTION_CONSOLE_OFF:
    case ACTION_CONSOLE_ON:
      return 0;
    case ACTION_CONSOLE_LEVEL:
      return length < 1 || length > 8 ? -EINVAL : 0;
    case ACTION_READ: {
      if (buffer == 0 || length < 0) return -EINVAL;
      const from = oldest(readUntil);
      const count = min<u64>(end - from, <u64>length);
      readUntil = from + count;
      return give(buffer, from, count);
    }
    case ACTION_READ_ALL:
    case ACTION_READ_CLEAR: {
      if (buffer == 0 || length < 0) return -EINVAL;
      const from = max(oldest(clearedUntil), end - min<u64>(end, <u64>length));
      if (action == ACTION_READ_CLEAR) clearedUntil = end;
      return give(buffer, from, end - from);
    }
    case ACTION_CLEAR:
      clearedUntil = end;
      return 0;
    case ACTION_SIZE_UNREAD:
      return <i64>(end - oldest(readUntil));
    case ACTION_SIZE_BUFFER:
      return logCapacity();
    default:
      return -EINVAL;
  }
}

/** The first position from `from` on that is still in the ring. */
function oldest(from: u64): u64 {
  const end = logWritten();
  const capacity = <u64>logCapacity();
  return end - min(end - min(from, end), capacity);
}

function give(buffer: usize, from: u64, count: u64): i64 {
  if (count == 0) return 0;
  const copy = heapAllocate(<usize>count);
  if (copy == 0) return -ENOMEM;
  for (let i: u64 = 0; i < count; i++) store<u8>(copy + <usize>i, logAt(from + i));
  const error = copyOut(buffer, copy, <usize>count);
  heapFree(copy);
  return error != 0 ? error : <i64>count;
}
