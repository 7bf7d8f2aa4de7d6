/** The disk of unit tests: Node answers the reads. The import module is this file's name. */

/** Copies sectors to `address`. @returns 0 or a negative error number */
export declare function diskRead(sector: u64, address: usize, lengthBytes: u32): i32;
