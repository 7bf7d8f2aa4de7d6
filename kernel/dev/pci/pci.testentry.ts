/** Surface of PCI enumeration for its tests: a driver that takes every function and notes it. */
import { Driver, registerDriver } from "../driver";
import { hasPci, startPciBus } from "./enumeration";
import { PciFunction } from "./function";
import { virtioTypeOf } from "./virtio-pci";

const MAX_FOUND: i32 = 512;
const found = new StaticArray<PciFunction | null>(MAX_FOUND);
let count: u32 = 0;

class NotingDriver extends Driver {
  matchesPci(_device: PciFunction): bool {
    return true;
  }

  startPci(device: PciFunction): i32 {
    found[count++] = device;
    return 0;
  }
}

function at(index: u32): PciFunction {
  return changetype<PciFunction>(found[index]);
}

export function scan(): u32 {
  if (!hasPci()) return 0;
  registerDriver(new NotingDriver());
  startPciBus();
  return count;
}

export function address(index: u32): u32 {
  return at(index).address;
}

export function classCode(index: u32): u32 {
  return at(index).classCode;
}

export function virtioType(index: u32): u32 {
  return virtioTypeOf(at(index));
}

export function baseAddress(index: u32, bar: u32): u64 {
  return at(index).baseAddress(bar);
}

export function capability(index: u32, id: u32, previous: u32): u32 {
  return at(index).capability(<u8>id, previous);
}

export function enable(index: u32): void {
  at(index).enable();
}
