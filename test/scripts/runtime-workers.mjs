// Worker threads with shared memory, child processes, compression streams, timers.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, writeFileSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { createGunzip, createGzip } from "node:zlib";

if (isMainThread) {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const digests = await Promise.all(
    [0, 1, 2, 3].map(
      (number) =>
        new Promise((done, fail) => {
          const worker = new Worker(new URL(import.meta.url), { workerData: { number, shared } });
          worker.once("message", done);
          worker.once("error", fail);
        }),
    ),
  );
  console.log(Atomics.load(shared, 0), digests.join("\n"));

  const child = spawn("tr", ["a-z", "A-Z"], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end("through pipes\n");
  for await (const chunk of child.stdout) process.stdout.write(chunk);
  console.log(execFileSync("sh", ["-c", "echo $WORD"], { env: { WORD: "word" } }).toString());
  const ended = spawn("sh", ["-c", "kill -TERM $$"]);
  console.log(await new Promise((done) => ended.once("exit", (...how) => done(how))));

  writeFileSync("/tmp/plain", "0123456789".repeat(100_000));
  await pipeline(createReadStream("/tmp/plain"), createGzip(), createWriteStream("/tmp/packed"));
  const hash = createHash("sha256");
  await pipeline(createReadStream("/tmp/packed"), createGunzip(), hash);
  console.log(hash.digest("hex"));
} else {
  const { number, shared } = workerData;
  const hash = createHash("sha256");
  for (let round = 0; round < 2_000; round++) {
    hash.update(`${number} ${round}`);
    Atomics.add(shared, 0, 1);
  }
  parentPort?.postMessage(hash.digest("hex"));
}
