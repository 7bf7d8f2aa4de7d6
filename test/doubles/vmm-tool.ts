/**
 * A double for VBoxManage, vmrun, xl and virsh: writes its arguments down, and where the real tool
 * would start a machine offers a serial line on which a program says something and ends with
 * status 5. Run as a program by `hypervisors.test.ts`; the first argument is the tool's name.
 */
import { spawn } from "node:child_process";
import { appendFileSync, closeSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const [tool = "", ...args] = process.argv.slice(2);
const record = process.env.DOUBLE_RECORD ?? "/dev/null";
const output =
  'hello from the double\r\n\x1e{"event":"boot","ns":1}\n\x1e{"event":"exit","status":5}\n';

/** Where the machine's serial line is to be, if this command starts the machine. */
function serialOf(): string | undefined {
  const text = (path: string | undefined) => readFileSync(path ?? "", "utf8");
  if (tool === "VBoxManage" && args[0] === "startvm") {
    const set = readFileSync(record, "utf8")
      .split("\n")
      .find((line) => line.includes("uartmode1"));
    return /"--uartmode1","server","([^"]+)"/.exec(set ?? "")?.[1];
  }
  if (tool === "vmrun" && args[2] === "start") {
    return /serial0.fileName = "(.*)"/.exec(text(args[3]))?.[1];
  }
  if (tool === "virsh" && args[0] === "create") return /path="(.*serial)"/.exec(text(args[1]))?.[1];
  return undefined;
}

if (tool === "serve") {
  const server = createServer((line) => {
    line.end(output);
    server.close();
  });
  // The one who started this waits for the end of the output.
  server.listen(args[0], () => closeSync(1));
} else {
  appendFileSync(record, `${JSON.stringify([tool, ...args])}\n`);
  if (process.env.DOUBLE_REFUSES !== undefined && args.includes(process.env.DOUBLE_REFUSES)) {
    process.stderr.write("the double refuses\n");
    process.exit(1);
  }
  if (tool === "xl" && args[0] === "console") process.stdout.write(output);
  const serial = serialOf();
  if (serial !== undefined) {
    const self = fileURLToPath(import.meta.url);
    const line = spawn(process.execPath, [...process.execArgv, self, "serve", serial], {
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    line.stdout.resume().once("end", () => line.unref());
  }
}
