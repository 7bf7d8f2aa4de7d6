/** What `elf.test.ts` calls. */
import { ElfLayout, checkElfHeader, checkProgramHeaders } from "./elf";

const layout = new ElfLayout();

/** Address of the layout that `headers` fills. */
export function check(header: usize, available: u64, fileBytes: u64): i32 {
  return checkElfHeader(header, available, fileBytes);
}

export function headers(header: usize, table: usize, fileBytes: u64): i64 {
  return checkProgramHeaders(header, table, fileBytes, layout);
}

export function low(): u64 {
  return layout.low;
}
export function high(): u64 {
  return layout.high;
}
export function alignment(): u64 {
  return layout.alignment;
}
export function interpreterOffset(): u64 {
  return layout.interpreterOffset;
}
export function interpreterBytes(): u64 {
  return layout.interpreterBytes;
}
export function headersAddress(): u64 {
  return layout.headersAddress;
}
export function executableStack(): bool {
  return layout.executableStack;
}
