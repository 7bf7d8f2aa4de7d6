/** Golden test: folding of expressions, evaluation order, constants, conversions. */
let counter: u32 = 7;

function next(): u32 {
  return counter++;
}

export function order(a: u32): u32 {
  return counter + next() * (a - next()) + counter;
}

export function clamp(value: i32, low: i32, high: i32): i32 {
  return value < low ? low : value > high ? high : value;
}

export function alignUp(value: usize, alignment: usize): usize {
  return (value + alignment - 1) & ~(alignment - 1);
}

export function divide(a: i32, b: i32): i64 {
  return <i64>(a / b) + (a % b) + (a >> 3) + (<u32>a >> 3);
}
