/**
 * Cylinders, heads and sectors that old formats want to know, computed as BIOSes do for disks of
 * this size (Virtual Hard Disk Image Format Specification, appendix "CHS calculation").
 */

/** A made-up shape of a disk. */
export interface Geometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
}

/** The geometry for a number of sectors of 512 bytes; large disks get the largest there is. */
export function geometryOf(sectors: number): Geometry {
  const total = Math.min(sectors, 65_535 * 16 * 255);
  if (total >= 65_535 * 16 * 63) return shape(total, 16, 255);
  let heads = Math.max(4, Math.ceil(Math.floor(total / 17) / 1024));
  if (heads <= 16 && Math.floor(total / 17) < heads * 1024) return shape(total, heads, 17);
  heads = 16;
  if (Math.floor(total / 31) < heads * 1024) return shape(total, heads, 31);
  return shape(total, heads, 63);
}

function shape(total: number, heads: number, sectorsPerTrack: number): Geometry {
  return { cylinders: Math.floor(total / sectorsPerTrack / heads), heads, sectorsPerTrack };
}
