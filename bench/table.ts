/** The table of results, as Markdown that also reads well in a terminal. Pure functions. */
import type { RowDefinition } from "./experiment.ts";
import { median, ratio } from "./statistics.ts";

/** A row with everything that was measured for it. */
export interface ResultRow {
  readonly definition: RowDefinition;
  readonly linux: readonly number[];
  readonly ours: readonly number[];
  /** Why there is no value, if there is none. */
  readonly problem: string | null;
}

const headings = ["row", "unit", "Linux", "ours", "times better", "goal"];

/** The rows as a Markdown table with aligned columns. */
export function formatTable(rows: readonly ResultRow[]): string {
  const cells = rows.map((row) => {
    const { definition } = row;
    const [linux, ours] = [median(row.linux), median(row.ours)];
    const better = ratio(linux, ours, definition.better);
    const times = better === null ? "" : `${formatNumber(better)}×`;
    const values = [formatNumber(linux), formatNumber(ours)];
    return [definition.title, definition.unit, ...values, times, definition.goal ?? ""];
  });
  const widths = headings.map((heading, column) => {
    return Math.max(heading.length, ...cells.map((row) => row[column]?.length ?? 0));
  });
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(" | ")} |\n`;
  const rule = `|${widths.map((width, column) => ruleCell(width, column)).join("|")}|\n`;
  const problems = rows.flatMap(({ definition, problem }) => {
    return problem === null ? [] : [`- ${definition.title}: ${problem}\n`];
  });
  const notes = problems.length === 0 ? "" : `\nNot measured:\n${problems.join("")}`;
  return `${line(headings)}${rule}${cells.map(line).join("")}${notes}`;
}

/** Three significant digits, without an exponent. */
export function formatNumber(value: number | null): string {
  if (value === null) return "–";
  if (value !== 0 && Math.abs(value) < 0.001) return value.toFixed(6);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toFixed(Math.min(digits, 3));
}

/** Columns of numbers are aligned to the right. */
function isNumeric(column: number): boolean {
  return column >= 2 && column <= 4;
}

function pad(cell: string, width: number, column: number): string {
  return isNumeric(column) ? cell.padStart(width) : cell.padEnd(width);
}

function ruleCell(width: number, column: number): string {
  return isNumeric(column) ? `${"-".repeat(width + 1)}:` : "-".repeat(width + 2);
}
