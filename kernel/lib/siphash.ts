/**
 * SipHash-2-4: a short keyed hash that nobody can steer without the key (Aumasson, Bernstein:
 * "SipHash: a fast short-input PRF"). For tables and cookies whose input strangers choose.
 */

const ROUNDS_FOR_WORD: u32 = 2;
const ROUNDS_AT_END: u32 = 4;

/** A hash under way, with its key. Not locked: one hash at a time. */
export class SipHash {
  private a: u64 = 0;
  private b: u64 = 0;
  private c: u64 = 0;
  private d: u64 = 0;

  constructor(
    private readonly key0: u64,
    private readonly key1: u64,
  ) {}

  private round(): void {
    this.a += this.b;
    this.b = rotl<u64>(this.b, 13) ^ this.a;
    this.a = rotl<u64>(this.a, 32);
    this.c += this.d;
    this.d = rotl<u64>(this.d, 16) ^ this.c;
    this.a += this.d;
    this.d = rotl<u64>(this.d, 21) ^ this.a;
    this.c += this.b;
    this.b = rotl<u64>(this.b, 17) ^ this.c;
    this.c = rotl<u64>(this.c, 32);
  }

  /** Begins a hash. */
  begin(): void {
    this.a = this.key0 ^ 0x736f6d6570736575;
    this.b = this.key1 ^ 0x646f72616e646f6d;
    this.c = this.key0 ^ 0x6c7967656e657261;
    this.d = this.key1 ^ 0x7465646279746573;
  }

  /** Takes 8 bytes, as this processor loads them. */
  word(value: u64): void {
    this.d ^= value;
    for (let i: u32 = 0; i < ROUNDS_FOR_WORD; i++) this.round();
    this.a ^= value;
  }

  /** Ends it. @param last up to 7 bytes that are left @param lengthBytes of all that was hashed */
  end(last: u64, lengthBytes: usize): u64 {
    this.word(last | ((<u64>lengthBytes) << 56));
    this.c ^= 0xff;
    for (let i: u32 = 0; i < ROUNDS_AT_END; i++) this.round();
    return this.a ^ this.b ^ this.c ^ this.d;
  }
}
