/**
 * /proc/slabinfo (slabinfo(5)): the slabs of the kernel heap, a line for each size class, named as
 * Linux names its classes of unnamed objects. `slabtop` reads it.
 */
import { ByteWriter } from "../../lib/format";
import { objectsInMagazines } from "../../mm/heap";
import { batchSize, CLASS_COUNT, classSize, objectsPerSlab } from "../../mm/size-class";
import { objectsOut, slabsOfClass } from "../../mm/slab";

/** Writes the text. Magazines of other processors change meanwhile: recent values. */
export function writeSlabinfo(out: ByteWriter): void {
  out.writeString("slabinfo - version: 2.1\n");
  out.writeString(
    "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>",
  );
  out.writeString(" : tunables <limit> <batchcount> <sharedfactor>");
  out.writeString(" : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
  for (let sizeClass: u32 = 0; sizeClass < CLASS_COUNT; sizeClass++) writeClass(out, sizeClass);
}

function writeClass(out: ByteWriter, sizeClass: u32): void {
  const size = classSize(sizeClass);
  const slabs = slabsOfClass(sizeClass);
  const taken = objectsOut(sizeClass);
  const batch = batchSize(sizeClass);
  out.writeString("kmalloc-");
  out.writeDecimal(size);
  out.writeRepeated(0x20, size < 100 ? 7 : size < 1000 ? 6 : 5);
  out.writePadded(taken - min(taken, objectsInMagazines(sizeClass)), 8);
  out.writePadded(slabs * objectsPerSlab(sizeClass), 8);
  out.writePadded(size, 6);
  out.writePadded(objectsPerSlab(sizeClass), 5);
  out.writeString(" 1 : tunables");
  out.writePadded(2 * batch, 5);
  out.writePadded(batch, 5);
  out.writeString("    0 : slabdata");
  out.writePadded(slabs, 7);
  out.writePadded(slabs, 7);
  out.writeString("      0\n");
}
