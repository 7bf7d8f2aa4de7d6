/** For the test of initialisers that run when a program is built. */
class Node {
  next: Node | null = null;
  constructor(public value: u32) {}
  twice(): u32 {
    return this.value * 2;
  }
}

class Odd extends Node {
  twice(): u32 {
    return this.value * 2 + 1;
  }
}

/** Never written again: a constant. */
const first = new Node(5);
first.next = new Odd(7);
/** Depends on a virtual call, a loop and an indirect call. */
let sum: u32 = 0;
for (let node: Node | null = first; node; node = node.next) sum += node.twice();
const triple = (x: u32): u32 => 3 * x;
sum = [1, 2, 4].reduce((total: u32, x: i32) => total + triple(<u32>x), sum);
const squares = new StaticArray<u16>(300);
for (let i = 0; i < squares.length; i++) squares[i] = <u16>(i * i);
/** Written later: stays a variable, with the value that its initialiser gave it. */
let calls: u32 = sum + 1;

export function total(): u32 {
  calls++;
  return sum + first.value + squares[299] + calls;
}

export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}
