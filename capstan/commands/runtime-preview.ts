/**
 * `capstan runtime preview NAME`: prints what `runtime init` would write.
 */
import { findRuntime } from "../runtime/init.ts";
import { type CommandDefinition, type CommandInput, optionText } from "./command.ts";

/** The command as data. */
export const runtimePreviewCommand: CommandDefinition = {
  name: "runtime preview",
  summary: "print the configuration that runtime init would write",
  parameters: "<runtime>",
  options: [{ flags: "--main <file>", description: "the file to start" }],
  examples: ["capstan runtime preview node"],
  run: async ({ args, options }: CommandInput) => {
    const runtime = findRuntime(args[0] ?? "");
    const main = optionText(options, "main") ?? runtime.mains[0] ?? "";
    const file = runtime.configuration(main);
    process.stdout.write(
      options.json === true ? `${JSON.stringify(file)}\n` : `# ${file.path}\n${file.text}`,
    );
    return 0;
  },
};
