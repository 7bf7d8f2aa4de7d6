/**
 * Words the result of `capstan check`: as text for people, as JSON for programs (docs/check.md).
 *
 * Neighbours: `examine.ts` and `judge.ts` make the result; `../commands/check.ts` prints it.
 */
import { basename } from "node:path";
import type { Examination } from "./examine.ts";
import type { JudgedCall, Judgement, Verdict } from "./judge.ts";

/** Exit status by verdict; part of the command's promise. */
export const verdictStatus: Readonly<Record<Verdict, number>> = {
  ready: 0,
  limits: 1,
  blocked: 127,
};

const verdictText: Readonly<Record<Verdict, string>> = {
  ready: "ready: nothing stands in the way",
  limits: "limits: it starts, but something that it asks for is absent",
  blocked: "blocked: it cannot start",
};

const linkageText = {
  static: "static, at a fixed address",
  "static-pie": "static, position-independent",
  dynamic: "dynamic, at a fixed address",
  "dynamic-pie": "dynamic, position-independent",
  library: "a library that can be started",
  kernel: "",
} as const;

const SHOWN_GROUPS = 6;
const SHOWN_FILES = 2;

function size(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

function users(paths: readonly string[]): string {
  const names = paths.slice(0, SHOWN_FILES).map((path) => basename(path));
  const rest = paths.length - names.length;
  return rest > 0 ? `${names.join(", ")} and ${rest} more` : names.join(", ");
}

function callLine(call: JudgedCall): string {
  const why = call.fallback === "" ? call.note : call.fallback;
  return `  ${weightOf(call).padEnd(9)}${call.name}${why === "" ? "" : `: ${why}`} (${users(call.usedBy)})`;
}

/** An absent call that nothing hangs on is `optional`, or else `library` when only those make it. */
function weightOf({ status, isEssential, fallback }: JudgedCall): string {
  if (status !== "absent" || isEssential) return status;
  return fallback === "" ? "library" : "optional";
}

function runtimeText({ recipe, isCollected }: Examination): string {
  if (!isCollected) return `${recipe ?? "none is recognised"}; the source brings its files along`;
  return recipe ?? "none is recognised: libraries and named files only";
}

/** The report for people. */
export function toText(examination: Examination, judgement: Judgement): string {
  const { origin, linkage, interpreter, libraries, missingLibraries, files, searched, found } =
    examination;
  const { calls } = judgement;
  const count = files.reduce((sum, group) => sum + group.count, 0);
  const sizeBytes = files.reduce((sum, group) => sum + group.sizeBytes, 0);
  const byStatus = (status: JudgedCall["status"]): readonly JudgedCall[] =>
    calls.filter((call) => call.status === status);
  const computed = [...found.computed].map(([path, sites]) => `${basename(path)} (${sites})`);
  const loader = interpreter === undefined ? "" : `, loader ${interpreter}`;
  const lines = [
    ...(origin.kind === "program" ? [] : [`source     ${origin.name}`]),
    `program    ${examination.executable}`,
    linkage === "kernel"
      ? "kind       linked with the kernel"
      : `kind       ELF for x86-64, ${linkageText[linkage]}${loader}`,
    `libraries  ${libraries.length} found, ${missingLibraries.length} missing`,
    ...missingLibraries.map(({ name, neededBy }) => `  missing ${name} (needed by ${neededBy})`),
    `runtime    ${runtimeText(examination)}`,
  ];
  if (files.length > 0) {
    lines.push(`files      ${count} in the image, ${size(sizeBytes)}`);
    for (const group of files.slice(0, SHOWN_GROUPS)) {
      lines.push(`  ${group.path}: ${group.count}, ${size(group.sizeBytes)}`);
    }
    if (files.length > SHOWN_GROUPS) lines.push(`  and ${files.length - SHOWN_GROUPS} directories`);
  }
  lines.push(
    `processes  ${judgement.forks.answer}: ${judgement.forks.because}`,
    `calls      ${calls.length} system calls in the code of ${searched.length} files: ${byStatus("full").length} full, ` +
      `${byStatus("partial").length} partial, ${byStatus("absent").length} absent`,
    ...byStatus("absent")
      .toSorted((a, b) => Number(b.isEssential) - Number(a.isEssential))
      .map(callLine),
    ...byStatus("partial").map(callLine),
  );
  if (computed.length > 0) {
    lines.push(`  computed at run time, so not listed: ${computed.slice(0, 4).join(", ")}`);
  }
  for (const { path, why } of found.skipped) lines.push(`  not searched: ${path}: ${why}`);
  for (const warning of examination.warnings) lines.push(`note       ${warning}`);
  lines.push(`verdict    ${verdictText[judgement.verdict]}`);
  for (const advice of judgement.advice) lines.push(`  ${advice}`);
  return `${lines.join("\n")}\n`;
}

/** The report for programs; docs/check.md describes the fields. */
export function toJson(examination: Examination, judgement: Judgement): unknown {
  const { found, interpreter, recipe } = examination;
  return {
    verdict: judgement.verdict,
    status: verdictStatus[judgement.verdict],
    origin: examination.origin,
    program: examination.executable,
    args: examination.args,
    kind: examination.linkage,
    loader: interpreter ?? null,
    libraries: examination.libraries,
    missingLibraries: examination.missingLibraries,
    runtime: recipe ?? null,
    files: examination.files,
    processes: judgement.forks,
    searchedFiles: examination.searched,
    systemCalls: judgement.calls,
    computedCalls: [...found.computed].map(([path, sites]) => ({ path, sites })),
    notSearched: found.skipped,
    warnings: examination.warnings,
    advice: judgement.advice,
  };
}
