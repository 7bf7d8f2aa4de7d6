/**
 * `npm start`: builds what is out of date, boots a small Python program of the host in a virtual
 * machine, and explains what happened. Neighbours: `build.ts` builds, `demo.py` is what runs.
 */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const scripts = dirname(fileURLToPath(import.meta.url));
const root = dirname(scripts);
const python = "/usr/bin/python3";

interface Report {
  readonly status: number;
  readonly machine: { readonly accelerator: string };
  readonly image: { readonly sizeBytes: number; readonly files: number; readonly cached: boolean };
  readonly timingsMs: { readonly image: number; readonly firstOutput: number | null };
}

const build = [process.execPath, "--import", "tsx", join(scripts, "build.ts")] as const;
const built = spawnSync(build[0], build.slice(1), { cwd: root, stdio: ["ignore", 2, 2] });
if (built.status !== 0) process.exit(1);

const program = [python, join(scripts, "demo.py")];
process.stderr.write(`Booting an unmodified program of this machine in a virtual machine of its own:
  capstan run -- ${program.map((path) => path.replace(`${root}/`, "")).join(" ")}\n\n`);
const launcher = join(root, "capstan/bin/capstan.js");
const run = spawnSync(process.execPath, [launcher, "run", "--json", "--", ...program], {
  cwd: root,
  stdio: ["ignore", "pipe", 2],
});
if (run.status !== 0) {
  process.stderr.write(`capstan ended with status ${run.status}. ${run.stdout}\n`);
  process.exit(1);
}

const report: Report = JSON.parse(run.stdout.toString("utf8"));
const { image, machine, timingsMs } = report;
const kernelKib = Math.round(statSync(join(root, "build/kernel.elf")).size / 1024);
const imageMib = (image.sizeBytes / 2 ** 20).toFixed(1);
const how =
  machine.accelerator === "tcg"
    ? "QEMU emulating the processor (this machine has no usable KVM, so it is slower than it can be)"
    : `QEMU with ${machine.accelerator}`;
process.stdout.write(`
What just ran:
  - ${python}, its shared libraries and its modules: ${image.files} files, taken from this machine
    as they are, in an EROFS image of ${imageMib} MiB (${
      image.cached ? "found in the cache" : `written in ${(timingsMs.image / 1000).toFixed(1)} s`
    });
  - on the OSv.ts kernel: TypeScript, compiled to ${kernelKib} KiB of native code, no Linux inside;
  - in ${how};
  - first output after ${Math.round(timingsMs.firstOutput ?? 0)} ms.

Try next:
  npx capstan run -- ls -l /                 any program of this machine
  npx capstan run -- python3                 an interactive prompt (Ctrl-] ends the machine)
  npx capstan run --verbose -- /bin/true     the kernel's log
  npx capstan run --help
`);
