/**
 * Tables and sizes as text for a terminal. Pure functions, used by commands that list things.
 */

/**
 * Lines up columns of text, two spaces apart; the last column is not padded. Rows may have
 * different lengths.
 * @returns one line for each row, each with its line break
 */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) {
      widths[at] = Math.max(widths[at] ?? 0, cell.length);
    }
  }
  return rows
    .map((row) => {
      const cells = row.map((cell, at) => {
        return at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0);
      });
      return `${cells.join("  ").trimEnd()}\n`;
    })
    .join("");
}

/** A size in bytes as `512 MiB`, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = Number.isInteger(value) || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** A duration in milliseconds as `12 s`, `5 min`, `3 h`, `2 d`: the largest unit that fits. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
