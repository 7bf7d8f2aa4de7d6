/**
 * Runs the command line tools by which some VMMs are driven (VBoxManage, vmrun, xl, virsh).
 */
import { execFile } from "node:child_process";
import { basename } from "node:path";
import { UserError } from "../errors.ts";

/**
 * Runs a tool to its end.
 * @returns its standard output
 * @throws UserError `HypervisorFailed` with what the tool said
 */
export function runTool(path: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(path, args, { encoding: "utf8" }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
        return;
      }
      reject(
        new UserError({
          code: "HypervisorFailed",
          what: `${basename(path)} ${args[0] ?? ""} failed`,
          why: stderr.trim() || stdout.trim() || error.message,
          fix: `try it by hand: ${[path, ...args].join(" ")}`,
          cause: error,
        }),
      );
    });
  });
}
