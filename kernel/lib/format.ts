/** skeleton */
export class ByteWriter {
  writeByte(byte: u8): void {}
  writeString(text: string): void {}
  writeBytes(address: usize, length: usize): void {}
  writeDecimal(value: u64): void {}
  writeSigned(value: i64): void {}
  writeHex(value: u64, minimumDigits: u32 = 1): void {}
  writeOctal(value: u64, minimumDigits: u32 = 1): void {}
  /** Decimal padded on the left with `pad` to `width`. */
  writePadded(value: u64, width: u32, pad: u8 = 0x20): void {}
  get address(): usize {
    return 0;
  }
  get length(): usize {
    return 0;
  }
}
