/** Golden test: loops, switch, early exits, short circuits. */
export function collatz(start: u64): u32 {
  let steps: u32 = 0;
  for (let n = start; n != 1; steps++) {
    if (n & 1) n = 3 * n + 1;
    else n >>= 1;
    if (steps == 1000) break;
  }
  return steps;
}

export function days(month: u32, leap: bool): u32 {
  switch (month) {
    case 2:
      return leap ? 29 : 28;
    case 4:
    case 6:
    case 9:
    case 11:
      return 30;
  }
  return 31;
}

export function find(start: usize, length: usize, byte: u8): isize {
  let i: usize = 0;
  while (i < length && load<u8>(start + i) != byte) i++;
  return i < length ? i : -1;
}
