/**
 * The vDSO in programs: one page of data that the kernel's clock keeps up to date, one of code.
 *
 * The data page (read by arch/x86_64/vdso.S):
 *    0 sequence u32, odd while being written    4 number of CPUs u32
 *    8 multiplier    16 base TSC    24 base ns    32 real time minus monotonic time (each u64)
 *
 * Neighbours: `sched/clock` (the numbers), `exec.ts` (maps it).
 */
import { vdsoImageEnd, vdsoImageStart } from "../arch/x86_64/sym";
import { ENOMEM } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { frameOf, retainFrame } from "../mm/frame";
import { allocateZeroedFrame } from "../mm/frames";
import { toVirtual } from "../mm/layout";
import {
  clockBaseNs,
  clockBaseTsc,
  clockMultiplier,
  clockRealtimeOffsetNs,
  setClockListener,
} from "../sched/clock";
import { onlineCpus } from "../sched/run-queue";
import { AddressSpace } from "../vm/address-space";
import { MAP_FIXED_NOREPLACE, MAP_PRIVATE, PROT_EXEC, PROT_READ } from "../vm/flags";
import { Pager } from "../vm/pager";

const PAGE_BYTES: usize = 4096;

/** Physical addresses of the data page and of the code page; 0 before first use. */
let dataFrame: u64 = 0;
let codeFrame: u64 = 0;

/** Hands out the two pages. */
class VdsoPager extends Pager {
  page(index: u64, _forWrite: bool): i64 {
    const frame = index == 0 ? dataFrame : codeFrame;
    retainFrame(frameOf(frame));
    return frame;
  }

  sizeBytes(): u64 {
    return 2 * PAGE_BYTES;
  }

  writePath(out: ByteWriter): void {
    out.writeString("[vdso]");
  }

  destroy(): void {
    assert(false, "the vDSO lives as long as the kernel");
  }
}

let pager: VdsoPager | null = null;

/** Maps the vDSO into `space`; the address of its ELF header, or -ENOMEM. */
export function mapVdso(space: AddressSpace): usize {
  if (pager == null && !prepare()) return <usize>-ENOMEM;
  const place = space.findPlace(2 * PAGE_BYTES);
  if (place < 0) return <usize>place;
  const flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE;
  const data = space.map(<usize>place, PAGE_BYTES, PROT_READ, flags, pager, 0);
  if (data < 0) return <usize>data;
  const image = <usize>place + PAGE_BYTES;
  return <usize>space.map(image, PAGE_BYTES, PROT_READ | PROT_EXEC, flags, pager, PAGE_BYTES);
}

/** Copies the image into a page of its own and starts to follow the clock. */
function prepare(): bool {
  const bytes = vdsoImageEnd() - vdsoImageStart();
  assert(bytes <= PAGE_BYTES, "the vDSO has outgrown its page");
  dataFrame = allocateZeroedFrame();
  codeFrame = allocateZeroedFrame();
  if (dataFrame == 0 || codeFrame == 0) return false;
  memory.copy(toVirtual(codeFrame), vdsoImageStart(), bytes);
  pager = new VdsoPager();
  setClockListener(updateData);
  return true;
}

/** Publishes the clock's numbers; readers retry while the sequence is odd or has changed. */
function updateData(): void {
  const data = toVirtual(dataFrame);
  const sequence = load<u32>(data);
  atomic.store<u32>(data, sequence + 1);
  store<u32>(data + 4, onlineCpus());
  store<u64>(data + 8, clockMultiplier());
  store<u64>(data + 16, clockBaseTsc());
  store<u64>(data + 24, clockBaseNs());
  store<i64>(data + 32, clockRealtimeOffsetNs());
  atomic.store<u32>(data, sequence + 2);
}
