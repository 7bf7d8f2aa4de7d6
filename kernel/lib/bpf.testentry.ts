/** Surface of BPF for its tests. */
import { isBpfProgram, runBpf } from "./bpf";

export function check(program: usize, count: u32, dataBytes: u32): bool {
  return isBpfProgram(program, count, dataBytes);
}

export function run(program: usize, data: usize, dataBytes: u32, words: usize): u32 {
  return runBpf(program, data, dataBytes, words);
}
