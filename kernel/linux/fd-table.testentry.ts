/** Surface of the descriptor table for its unit tests: files are numbered, their ends counted. */
import { File } from "../fs/file";
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { isError } from "../lib/errno";
import { FdTable } from "./fd-table";

let ended: i32 = 0;

class NumberedFile extends File {
  constructor(public number: i32) {
    super(0);
  }

  dispose(): void {
    ended++;
    free(this);
  }

  writePath(_out: ByteWriter): void {}
}

function numberOf(file: File | null): i32 {
  return file ? changetype<NumberedFile>(file).number : -1;
}

export function newTable(): FdTable {
  return new FdTable();
}

export function endTable(table: FdTable): void {
  table.release();
}

/** Files that ended since the last call. */
export function takeEnded(): i32 {
  const count = ended;
  ended = 0;
  return count;
}

export function install(table: FdTable, number: i32, minimum: u32, limit: u32, flags: u32): i32 {
  const file = new NumberedFile(number);
  const fd = table.install(file, minimum, limit, flags);
  if (fd < 0) file.release();
  return fd;
}

export function reserve(table: FdTable, limit: u32): i32 {
  return table.reserve(0, limit);
}

export function fill(table: FdTable, fd: i32, number: i32, flags: u32): void {
  table.fill(fd, new NumberedFile(number), flags);
}

export function cancel(table: FdTable, fd: i32): void {
  table.cancel(fd);
}

/** dup2: the number of the file that was there, -1 for none, or an error. */
export function replace(table: FdTable, from: i32, to: i32, limit: u32, flags: u32): i32 {
  const file = table.get(from);
  if (!file) return -9;
  const before = table.replace(to, file, limit, flags);
  if (isError(before)) {
    file.release();
    return <i32>before;
  }
  const previous = changetype<File | null>(before);
  const number = numberOf(previous);
  if (previous) previous.release();
  return number;
}

export function remove(table: FdTable, fd: i32): i32 {
  const file = table.remove(fd);
  const number = numberOf(file);
  if (file) file.release();
  return number;
}

export function numberAt(table: FdTable, fd: i32): i32 {
  const file = table.get(fd);
  const number = numberOf(file);
  if (file) file.release();
  return number;
}

export function flagsAt(table: FdTable, fd: i32): i32 {
  return table.descriptorFlags(fd);
}

export function setFlags(table: FdTable, fd: i32, flags: u32): i32 {
  return table.setDescriptorFlags(fd, flags);
}

export function nextOpen(table: FdTable, from: u32): i32 {
  return table.nextOpen(from);
}

export function count(table: FdTable): u32 {
  return table.count();
}

function release(file: File): void {
  file.release();
}

export function closeOnExec(table: FdTable): void {
  table.closeOnExec(release);
}

export function duplicate(table: FdTable): FdTable | null {
  return table.duplicate();
}
