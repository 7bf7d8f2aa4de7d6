/** As a new user would: `capstan runtime init NAME` in an empty folder, then `capstan run .`. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { guestTest } from "../harness/guest-test.ts";
import { instanceWrites } from "../harness/instance-log.ts";
import { capstanLauncher } from "../harness/paths.ts";
import { runOnHost } from "../harness/process.ts";

const scratch = mkdtempSync(join(tmpdir(), "capstan-runtime-"));
const env = { ...process.env, CAPSTAN_ROOT: join(scratch, "root") } as Record<string, string>;
after(() => rmSync(scratch, { recursive: true }));

const programs = {
  node: ["node"],
  python: ["python3"],
  java: ["java", "javac"],
  ruby: ["ruby"],
  go: ["go"],
  php: ["php"],
  erlang: ["escript"],
  native: ["cc"],
};

for (const [name, needs] of Object.entries(programs)) {
  guestTest(
    `runtime init ${name}: an empty folder serves HTTP`,
    async () => {
      const folder = join(scratch, name);
      mkdirSync(folder);
      const capstan = async (...argv: string[]) => {
        const words = [process.execPath, capstanLauncher, ...argv];
        const { status, stdout, stderr } = await runOnHost(words, { env, cwd: folder });
        assert.equal(status, 0, `${argv.join(" ")}: ${stderr}`);
        return stdout.toString("utf8");
      };
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      assert.ok(typeof address === "object" && address !== null);
      server.close();
      await once(server, "close");
      await capstan("runtime", "init", name);
      await capstan("run", "-d", "--name", name, "-m", "1G", "-p", `${address.port}:8080`, ".");
      try {
        // Every sample and PHP's own server say when they listen.
        await instanceWrites(name, /listening|started/, env);
        const answer = await fetch(`http://127.0.0.1:${address.port}/path`);
        assert.match(await answer.text(), /^Hello from /);
      } finally {
        await capstan("delete", "--force", name);
      }
    },
    needs,
  );
}
