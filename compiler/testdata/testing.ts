/** Module under test of `compiler/testing.test.ts`. */
import { inb, mulHighU64, outb } from "../../kernel/arch/x86_64/hw";
import { __text_start } from "../../kernel/arch/x86_64/sym";

class Point {
  constructor(
    public x: i32,
    public y: i64,
  ) {}
}

const names: StaticArray<u8> = [7, 8, 9];
const made = new StaticArray<u8>(16);
let counter: u64 = 41;

export function next(): u64 {
  return ++counter;
}

export function makePoint(x: i32, y: i64): Point {
  return new Point(x, y);
}

export function sumPoint(point: Point): i64 {
  return point.y + point.x;
}

export function dropPoint(point: Point): void {
  __free(changetype<usize>(point));
}

export function nameAt(index: i32): u8 {
  return names[index];
}

export function madeAt(index: i32): u8 {
  return made[index];
}

export function exchange(port: u16, value: u8): u8 {
  outb(port, value);
  return inb(port);
}

export function high(a: u64, b: u64): u64 {
  return mulHighU64(a, b);
}

export function textStart(): usize {
  return __text_start();
}

export function greeting(): string {
  return "grüße";
}

export function writePast(pointer: usize): void {
  store<u8>(pointer, 1);
}
