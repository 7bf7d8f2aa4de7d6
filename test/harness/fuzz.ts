/**
 * The table of calls that `test/programs/fuzz.c` reads: made from the kernel's own table, so a new
 * system call is fuzzed from its first day. The kinds (letters) are explained in that program.
 */
import { type Syscall, syscalls } from "../../kernel/linux/syscall-table.ts";

/** Calls that end the program or the machine by design. */
const ends = new Set(["exit", "exit_group", "reboot"]);

/** The table, a line for each call that the kernel has. */
export function fuzzTable(): string {
  const fuzzed = syscalls.filter(({ status, name }) => status !== "absent" && !ends.has(name));
  return fuzzed.map((call) => `${call.nr} ${call.name} ${kinds(call)}\n`).join("");
}

/** A letter for each argument; `-` for a call without any. */
function kinds({ args }: Syscall): string {
  const words = args.split(" ").filter((word) => word !== "");
  return words.map((word) => kind(word)).join("") || "-";
}

function kind(argument: string): string {
  const [name = "", type = ""] = argument.split(":");
  if (/^(fd|.*Fd)$/.test(name)) return "f";
  if (/^(pid|tid|tgid|pid[12])$/.test(name)) return "i";
  if (name === "signal") return "g";
  if (/^timeout(Ms)?$/.test(name) && type !== "ptr") return "t";
  if (type !== "ptr" && /^(length|size|count|.*(Length|Size|Count))$/.test(name)) return "n";
  if (type !== "ptr") return "x";
  if (/^(path|oldPath|newPath|target)$/.test(name)) return "P";
  if (/^(timeout|request)$/.test(name)) return "T";
  if (name === "name") return "N";
  return name === "address" ? "a" : "p";
}
