/**
 * /proc/PID/mounts and mountinfo (proc(5)): the mount table.
 */
import { ByteWriter } from "../../lib/format";
import { majorOf, minorOf } from "../constants";
import { Mount, firstMount, mountOfRoot } from "../mount";
import { Dentry } from "../dentry";
import { writePathOf } from "../path-name";

/** "device directory type options 0 0". */
export function writeMounts(out: ByteWriter): void {
  let entry = firstMount();
  while (entry) {
    out.writeString(entry.source);
    out.writeByte(0x20);
    writePlace(entry, out);
    out.writeByte(0x20);
    out.writeString(entry.fs.typeName());
    out.writeByte(0x20);
    writeOptions(entry, out);
    out.writeString(" 0 0\n");
    entry = entry.next;
  }
}

/** "id parent major:minor root directory options - type device options". */
export function writeMountinfo(out: ByteWriter): void {
  let entry = firstMount();
  while (entry) {
    out.writeDecimal(entry.id);
    out.writeByte(0x20);
    out.writeDecimal(parentOf(entry));
    out.writeByte(0x20);
    out.writeDecimal(majorOf(entry.fs.device));
    out.writeByte(0x3a);
    out.writeDecimal(minorOf(entry.fs.device));
    out.writeString(" / ");
    writePlace(entry, out);
    out.writeByte(0x20);
    writeOptions(entry, out);
    out.writeString(" - ");
    out.writeString(entry.fs.typeName());
    out.writeByte(0x20);
    out.writeString(entry.source);
    out.writeByte(0x20);
    out.writeString(entry.fs.readOnly ? "ro\n" : "rw\n");
    entry = entry.next;
  }
}

function writePlace(entry: Mount, out: ByteWriter): void {
  writePathOf(entry.root, null, out, false);
}

function writeOptions(entry: Mount, out: ByteWriter): void {
  out.writeString(entry.fs.readOnly ? "ro,noatime" : "rw,noatime");
}

/** Number of the mount that the covered directory lies in; the root names itself less one. */
function parentOf(entry: Mount): u32 {
  let at: Dentry | null = entry.covers;
  if (!at) return entry.id - 1;
  let top: Dentry = at;
  while (at) {
    top = at;
    at = at.parent;
  }
  const mount = mountOfRoot(top);
  return mount ? mount.id : 0;
}
