/** Golden test: fields, virtual calls, function references, atomics, overlays. */
abstract class Shape {
  constructor(public side: u32) {}
  abstract area(): u32;
}

class Square extends Shape {
  area(): u32 {
    return this.side * this.side;
  }
}

class Box extends Shape {
  area(): u32 {
    return this.side * this.side * 6;
  }
}

@unmanaged
class Descriptor {
  address: u64;
  flags: u16;
}

export function area(isBox: bool): u32 {
  const shape: Shape = isBox ? new Box(3) : new Square(3);
  return shape.area();
}

export function mark(at: usize): u64 {
  const descriptor = changetype<Descriptor>(at);
  descriptor.flags |= 4;
  return descriptor.address;
}

export function apply(f: (x: u32) => u32, x: u32): u32 {
  return f(x);
}

export function lock(at: usize): bool {
  return atomic.cmpxchg<u32>(at, 0, 1) == 0;
}

export function unlock(at: usize): void {
  atomic.store<u32>(at, 0);
}

export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}
