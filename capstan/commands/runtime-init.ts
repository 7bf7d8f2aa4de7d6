/**
 * `capstan runtime init NAME`: makes `capstan run .` work in a project. Neighbours:
 * `../runtime/init.ts` does the work.
 */
import { resolve } from "node:path";
import { findRuntime, missingFiles, writeFiles } from "../runtime/init.ts";
import { type CommandDefinition, type CommandInput, optionText } from "./command.ts";

/** The command as data. */
export const runtimeInitCommand: CommandDefinition = {
  name: "runtime init",
  summary: "write the few lines that make capstan run work in a project",
  parameters: "<runtime> [folder]",
  options: [
    { flags: "--main <file>", description: "the file to start" },
    { flags: "-f, --force", description: "replace a configuration that exists" },
  ],
  notes: `A folder without a program of the runtime gets a small HTTP server, too, which listens on port
8080. Files that exist are not changed.`,
  examples: ["capstan runtime init node", "capstan runtime init python --main app/start.py"],
  completes: "directory",
  run: init,
};

async function init({ args, options }: CommandInput): Promise<number> {
  const [name = "", folder = "."] = args;
  const files = missingFiles({
    runtime: findRuntime(name),
    folder: resolve(folder),
    main: optionText(options, "main"),
    isForced: options.force === true,
  });
  writeFiles(folder, files);
  const paths = files.map(({ path }) => path);
  const next = `capstan run ${files.length > 1 ? "-p 8080:8080 " : ""}${folder}`;
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ written: paths, next })}\n`
      : `${paths.map((path) => `wrote ${path}\n`).join("")}now try: ${next}\n`,
  );
  return 0;
}
