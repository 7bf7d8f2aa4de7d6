/**
 * Runtimes whose files lie together: Ruby, PHP and Lua. Directories are taken as a whole, with the
 * time zones of the system, which they use.
 *
 * Neighbours: `recipe.ts` is the interface.
 */
import { UserError } from "../../errors.ts";
import { ask } from "../ask.ts";
import { timeZones } from "../companions.ts";
import { addRuntimeTrees, type Recipe } from "./recipe.ts";

/** A recipe for a runtime that prints its directories and files, one a line, when asked. */
function asking(name: string, pattern: RegExp, question: readonly string[]): Recipe {
  return {
    name,
    recognises: (fileName) => pattern.test(fileName),
    async collect(context) {
      const { interpreter, env, cwd } = context;
      const answer = await ask(interpreter, question, { env, cwd });
      if ("failure" in answer) {
        throw new UserError({
          code: "RuntimeUnclear",
          what: `cannot find the library of ${interpreter}`,
          why: `asking the interpreter for it failed: ${answer.failure}`,
          fix: `check that ${[interpreter, ...question].join(" ")} works on this machine`,
        });
      }
      const paths = answer.text.split("\n").filter((path) => path.startsWith("/"));
      await addRuntimeTrees(context, [...paths, timeZones]);
    },
  };
}

export const ruby = asking("Ruby", /^ruby[0-9.]*$/, ["-e", "puts $LOAD_PATH, Gem.path"]);

export const php = asking("PHP", /^php[0-9.]*$/, [
  "-r",
  'echo implode("\\n", [php_ini_loaded_file(), PHP_CONFIG_FILE_SCAN_DIR, ' +
    'ini_get("extension_dir"), str_replace(":", "\\n", get_include_path()), ""]);',
]);

/** `?` stands for the module in Lua's paths; the directory before it is what counts. */
export const lua = asking("Lua", /^lua(jit)?[0-9.-]*$/, [
  "-e",
  'for entry in (package.path .. ";" .. package.cpath):gmatch("[^;?]+%?") do ' +
    'local directory = entry:match("^(/.+/)%?$"); if directory then print(directory) end end',
]);
