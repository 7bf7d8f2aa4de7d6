/**
 * Files of /proc/net, whose text the network writes: it lies above the file systems and registers
 * itself here (`net/proc-net.ts`).
 */
import { ByteWriter } from "../../lib/format";

let writer: ((name: string, out: ByteWriter) => void) | null = null;

/** Registers the function that writes the text of a file by its name. */
export function setNetworkWriter(write: (name: string, out: ByteWriter) => void): void {
  writer = write;
}

/** Writes the text of the file `name`. */
export function writeNetwork(name: string, out: ByteWriter): void {
  const write = writer;
  if (write) write(name, out);
}
