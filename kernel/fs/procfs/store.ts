/**
 * Writing to files of /proc: thread names, the out-of-memory preference, system requests.
 */
import { powerOff } from "../../arch/power";
import { copyUser } from "../../arch/cpu";
import { EFAULT, EINVAL, EIO } from "../../lib/errno";
import { panic } from "../../lib/panic";
import { heapAllocate, heapFree } from "../../mm/heap";
import { parseWholeDecimal } from "../../lib/parse";
import { processProvider } from "./provider";
import { KIND_COMM, KIND_OOM_SCORE_ADJ, KIND_SYSTEM_REQUEST } from "./table";

/** Longer texts are cut. */
const TEXT_MAX: usize = 128;

/** What was last written to oom_score_adj: remembered, there is one process to choose from. */
let oomScoreAdjust: i64 = 0;

/** The value of oom_score_adj. */
export function oomScoreAdjustment(): i64 {
  return oomScoreAdjust;
}

/** Takes `length` bytes written to a file. @returns bytes taken or a negative error */
export function storeText(kind: u32, pid: i32, tid: i32, source: usize, length: usize): i64 {
  const count = min<usize>(length, TEXT_MAX);
  // The number that is parsed goes behind the text.
  const buffer = heapAllocate(TEXT_MAX + 16);
  if (!buffer) return -EIO;
  let status: i64 = copyUser(buffer, source, count) ? -EFAULT : 0;
  if (status == 0) status = storeLine(kind, pid, tid, buffer, withoutLineEnd(buffer, count));
  heapFree(buffer);
  return status < 0 ? status : length;
}

function storeLine(kind: u32, pid: i32, tid: i32, text: usize, length: usize): i64 {
  if (kind == KIND_SYSTEM_REQUEST) return systemRequest(length > 0 ? load<u8>(text) : 0);
  const provider = processProvider();
  if (!provider) return -EIO;
  if (kind == KIND_COMM) return provider.setComm(pid, tid, text, min<usize>(length, 15));
  if (kind != KIND_OOM_SCORE_ADJ) return -EINVAL;
  const isNegative = length > 0 && load<u8>(text) == 0x2d;
  const digits = isNegative ? text + 1 : text;
  const out = text + TEXT_MAX;
  if (!parseWholeDecimal(digits, length - (digits - text), out)) return -EINVAL;
  const value = load<u64>(out);
  if (value > 1000) return -EINVAL;
  oomScoreAdjust = isNegative ? -(<i64>value) : <i64>value;
  return 0;
}

/** /proc/sysrq-trigger (Linux Documentation/admin-guide/sysrq.rst): `c` crashes, `b` and `o` stop. */
function systemRequest(key: u8): i64 {
  if (key == 0x63) panic("a crash was asked for through /proc/sysrq-trigger");
  if (key == 0x62 || key == 0x6f) powerOff();
  return 0;
}

function withoutLineEnd(text: usize, length: usize): usize {
  return length > 0 && load<u8>(text + length - 1) == 0x0a ? length - 1 : length;
}
