/** Gives `compiler/native/ksyms.test.ts` access to the kernel's reader of the symbol table. */
import { SymbolInfo, symbolise } from "../../kernel/lib/ksyms";

const info = new SymbolInfo();

export function lookUp(address: usize): bool {
  return symbolise(address, info);
}

export function functionName(): usize {
  return info.functionName;
}

export function functionNameLength(): u32 {
  return info.functionNameLength;
}

export function fileName(): usize {
  return info.fileName;
}

export function fileNameLength(): u32 {
  return info.fileNameLength;
}

export function line(): u32 {
  return info.line;
}

export function offset(): u32 {
  return info.offset;
}
