/** Surface of ChaCha20 for its tests. */
import { chacha20Block, chacha20Init } from "./chacha20";

const context = new StaticArray<u8>(64);

export function init(key: usize, counter: u32, nonce: usize): void {
  chacha20Init(changetype<usize>(context), key, counter, nonce);
}

export function block(output: usize): void {
  chacha20Block(changetype<usize>(context), output);
}
