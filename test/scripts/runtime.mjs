// Uses what a Node.js service uses: files, crypto, compression, timers, promises.
import { createHash, createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";

const text = "Simplicity does not precede complexity, but follows it. ".repeat(2000);
console.log(createHash("sha256").update(text).digest("hex"));
console.log(createHmac("sha512", "key").update(text).digest("base64"));
console.log(randomBytes(16).length, gunzipSync(gzipSync(text)).toString() === text);
console.log(brotliDecompressSync(brotliCompressSync(text)).toString() === text);

const folder = mkdtempSync(join(tmpdir(), "node-"));
for (let index = 0; index < 20; index++) writeFileSync(join(folder, `file-${index}`), `${index}\n`);
const names = readdirSync(folder);
const contents = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
console.log(
  names.length,
  contents.reduce((sum, content) => sum + Number(content), 0),
);
console.log(statSync(folder).isDirectory(), readFileSync(join(folder, "file-3"), "utf8").trim());
rmSync(folder, { recursive: true });

await delay(10);
console.log([1n << 64n, 0.1 + 0.2, new Intl.NumberFormat("en").format(1234567.891)].join(" "));
process.exitCode = 6;
