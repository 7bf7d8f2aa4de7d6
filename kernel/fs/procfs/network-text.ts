/**
 * Files of /proc/net and /sys/class/net, whose text the network writes: it lies above the file systems
 * and registers itself here (`net/proc-net.ts`, `net/sys-class-net.ts`).
 */
import { ByteWriter } from "../../lib/format";

let writer: ((name: string, out: ByteWriter) => void) | null = null;

/** Registers the function that writes the text of a file by its name. */
export function setNetworkWriter(write: (name: string, out: ByteWriter) => void): void {
  writer = write;
}

let interfaceName: ((number: u32) => string) | null = null;
let interfaceWriter: ((path: string, out: ByteWriter) => void) | null = null;

/**
 * Registers who knows the interfaces.
 * @param name tells the name of an interface by its number from 0, "" if there is none; names live on
 * @param write writes the text of INTERFACE/FILE
 */
export function setInterfaceFacts(
  name: (number: u32) => string,
  write: (path: string, out: ByteWriter) => void,
): void {
  interfaceName = name;
  interfaceWriter = write;
}

/** The name of an interface by its number from 0; "" if there are no more. */
export function nameOfInterface(number: u32): string {
  const name = interfaceName;
  return name ? name(number) : "";
}

/** Writes the text of INTERFACE/FILE below /sys/class/net. */
export function writeInterfaceFact(path: string, out: ByteWriter): void {
  const write = interfaceWriter;
  if (write) write(path, out);
}

/** Writes the text of the file `name`. */
export function writeNetwork(name: string, out: ByteWriter): void {
  const write = writer;
  if (write) write(name, out);
}
