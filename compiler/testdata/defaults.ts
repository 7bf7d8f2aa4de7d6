/** Default values for `emit.test.ts`: a literal, which callers pass, and one that is not. */
let limit: u32 = 5;

function withLiteral(value: u32 = 7): u32 {
  return value;
}

function withGlobal(value: u32 = limit): u32 {
  return value;
}

export function sum(): u32 {
  limit++;
  return withLiteral() + withGlobal();
}
