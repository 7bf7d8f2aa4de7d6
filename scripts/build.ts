/**
 * `npm run build`: builds what is out of date: the kernel (by the compiler's `build:kernel`) and
 * the bundled `capstan` tool. Neighbours: `fresh.ts` decides what is out of date.
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Artifact, isFresh, recordBuild } from "./fresh.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const artifacts: readonly Artifact[] = [
  {
    name: "kernel",
    output: join(root, "build/kernel.elf"),
    sources: [join(root, "kernel"), join(root, "compiler")],
    ignores: (path) => path.endsWith(".test.ts"),
    command: ["npm", "run", "--silent", "build:kernel"],
  },
  {
    name: "capstan",
    output: join(root, "capstan/dist/capstan.js"),
    sources: [
      join(root, "capstan"),
      join(root, "kernel/linux/syscall-table.ts"),
      join(root, "scripts/bundle-capstan.ts"),
    ],
    ignores: (path) => path.endsWith(".test.ts"),
    command: [process.execPath, "--import", "tsx", join(root, "scripts/bundle-capstan.ts")],
  },
];

for (const artifact of artifacts) {
  if (isFresh(artifact)) continue;
  const [program = "", ...args] = artifact.command;
  const { status } = spawnSync(program, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    process.stderr.write(
      `build: ${artifact.name} was not built (its messages are above). ` +
        "Mend the sources they name, then run the command again.\n",
    );
    process.exitCode = 1;
  } else {
    recordBuild(artifact);
  }
}
