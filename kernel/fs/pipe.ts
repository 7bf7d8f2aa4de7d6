/**
 * Pipes: pipe(7) over a ring of pages.
 */

/**
 * Makes a pipe.
 * @param flags O_NONBLOCK, O_DIRECT (packet mode) of pipe2(2)
 * @param endsOut address of two usize: the read File and the write File, one reference each
 * @returns 0 or -ENOMEM
 */
export function createPipe(_flags: u32, _endsOut: usize): i64 {
  abort("unwritten");
  return 0;
}
