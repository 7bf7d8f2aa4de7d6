/** Uses floating point, which kernel builds refuse. */
export function half(value: u32): u32 {
  let result: u32 = value;
  result = <u32>(<f64>value * 0.5);
  return result;
}
