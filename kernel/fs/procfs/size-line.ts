/**
 * The form in which files of /proc/PID tell a size: a name, KiB in 8 columns, "kB" (proc(5)).
 * Neighbours: `status-text`, `maps-text`.
 */
import { ByteWriter } from "../../lib/format";

/** Writes a line with a size. @param name with what stands between it and the number */
export function writeSizeLine(out: ByteWriter, name: string, bytes: u64): void {
  out.writeString(name);
  out.writePadded(bytes >> 10, 8);
  out.writeString(" kB\n");
}
