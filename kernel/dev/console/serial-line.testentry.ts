/** Surface of the serial line for its tests: a receiver that takes as much as the test allows. */
import { dispatchInterrupt } from "../../arch/irq";
import { addIoApic } from "../../arch/x86_64/ioapic";
import { InputReceiver } from "./line";
import { SerialLine } from "./serial-line";

const FIRST_VECTOR: u32 = 0x30;
const CAPACITY: i32 = 65536;
const taken = new StaticArray<u8>(CAPACITY);
let takenLength: u32 = 0;
let appetite: u32 = 0;

class TestReceiver extends InputReceiver {
  receive(bytes: usize, length: usize): usize {
    const count = min<u32>(<u32>length, appetite);
    for (let i: u32 = 0; i < count; i++) {
      unchecked((taken[takenLength++] = load<u8>(bytes + <usize>i)));
    }
    appetite -= count;
    return count;
  }

  setHungUp(_hungUp: bool): void {}

  setSize(_columns: u16, _rows: u16): void {}
}

const line = new SerialLine();

export function start(ioApic: usize): i32 {
  addIoApic(ioApic, 0);
  const result = line.start();
  line.attach(new TestReceiver());
  return result;
}

export function interrupt(): void {
  dispatchInterrupt(FIRST_VECTOR);
}

export function setAppetite(bytes: u32): void {
  appetite = bytes;
  line.resume();
}

export function takenAddress(): usize {
  return changetype<usize>(taken);
}

export function takenCount(): u32 {
  return takenLength;
}

export function append(bytes: usize, length: usize): bool {
  return line.output().append(bytes, length);
}

export function pending(): u64 {
  return line.output().pending();
}
