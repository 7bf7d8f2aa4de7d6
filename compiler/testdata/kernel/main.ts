/**
 * Kernel of the compiler's end-to-end test: prints through the serial port, computes with classes,
 * virtual calls, function references and the heap, prints a backtrace by symbol table, and ends the
 * VM by a triple fault.
 */
import { cli, framePointer, lidt, outb } from "../../../kernel/arch/x86_64/hw";
import { SymbolInfo, symbolise } from "../../../kernel/lib/ksyms";

const SERIAL: u16 = 0x3f8;

function put(byte: u8): void {
  outb(SERIAL, byte);
}

export function print(text: string): void {
  for (let i = 0; i < text.length; i++) put(<u8>text.charCodeAt(i));
}

function printDecimal(value: u64): void {
  if (value > 9) printDecimal(value / 10);
  put(<u8>(0x30 + (value % 10)));
}

abstract class Shape {
  constructor(public side: u32) {}
  abstract area(): u32;
}

class Square extends Shape {
  area(): u32 {
    return this.side * this.side;
  }
}

class Box extends Square {
  area(): u32 {
    return super.area() * 6;
  }
}

/** Made when the kernel is built … */
const square = new Square(3);
let total: u32 = 0;

/** … and when it runs. */
function makeShapes(side: u32): StaticArray<Shape> {
  return [square, new Box(side)];
}

function add(value: u32): void {
  total += value;
}

function visit(shape: Shape, report: (value: u32) => void): void {
  report(shape.area());
}

export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  print("abort: ");
  if (message) print(message);
  if (file) {
    print(" ");
    print(file);
  }
  print(":");
  printDecimal(line);
  print("\n");
  backtrace();
  stop();
  unreachable();
}

const info = new SymbolInfo();

function printBytes(start: usize, length: u32): void {
  for (let i: u32 = 0; i < length; i++) put(load<u8>(start + i));
}

function backtrace(): void {
  for (let frame = framePointer(); frame != 0; frame = load<usize>(frame)) {
    const address = load<usize>(frame + 8);
    if (address == 0 || !symbolise(address, info)) break;
    print("  at ");
    printBytes(info.functionName, info.functionNameLength);
    print(" ");
    printBytes(info.fileName, info.fileNameLength);
    print(":");
    printDecimal(info.line);
    print("\n");
  }
}

function stop(): void {
  cli();
  const none = memory.data(16, 16);
  lidt(none);
  unreachable();
}

class Checker {
  check(value: u32): void {
    assert(value == 0, "as it should be");
  }
}

export function kmain(): void {
  const shapes = makeShapes(square.side - 1);
  for (let i = 0; i < shapes.length; i++) visit(shapes[i], add);
  print("total ");
  printDecimal(total);
  print("\n");
  new Checker().check(total);
}
