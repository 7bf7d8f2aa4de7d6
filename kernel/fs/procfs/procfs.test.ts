/** /proc and /sys with one process: what is listed exists, what it says has the form of proc(5). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Errno, KernelFiles, O } from "../testing/kernel-files.ts";

const DIRECTORY = 0o040000;
const SYMLINK = 0o120000;
const FILE = 0o100000;
const TYPE = 0o170000;
const ENOENT = 2;
const EACCES = 13;
const EINVAL = 22;

async function start(): Promise<KernelFiles> {
  const kernel = await KernelFiles.start({ ramMib: 8 });
  kernel.writeFile("/program", "text");
  kernel.addProcess("/program");
  const [reader, writer] = kernel.pipe();
  kernel.exports.setDescriptor(0, reader);
  kernel.exports.setDescriptor(1, writer);
  kernel.exports.setDescriptor(3, kernel.open("/program"));
  return kernel;
}

test("everything listed below /proc and /sys can be looked at and read", async () => {
  const kernel = await start();
  const seen: string[] = [];
  const visit = (path: string): void => {
    for (const entry of kernel.list(path, 512)) {
      if (entry.name === "." || entry.name === "..") continue;
      const at = `${path}/${entry.name}`;
      seen.push(at);
      const stat = kernel.stat(at, false);
      assert.equal(stat.mode & TYPE, entry.type, at);
      if (entry.type === DIRECTORY) visit(at);
      else if (entry.type === SYMLINK) assert.ok(kernel.readlink(at).length > 0, at);
      // Maps need an address space, which this process lacks.
      else if (!/maps(_rollup)?$/.test(at) && (stat.mode & 0o400) !== 0) kernel.readFile(at, 100);
    }
  };
  visit("/proc");
  visit("/sys");
  assert.ok(seen.length > 150 && seen.length < 500, `${seen.length} files`);
  assert.ok(seen.includes("/proc/7/task/9/status"));
  assert.ok(!seen.includes("/proc/7/task/9/task"));
  assert.equal(new Set(seen).size, seen.length);
});

test("links lead to the process, its files and its program", async () => {
  const kernel = await start();
  assert.equal(kernel.readlink("/proc/self"), "7");
  assert.equal(kernel.readlink("/proc/thread-self"), "7/task/9");
  assert.equal(kernel.readlink("/proc/self/exe"), "/program");
  assert.equal(kernel.canonical("/proc/self/exe"), "/program");
  assert.equal(kernel.readlink("/proc/self/cwd"), "/");
  assert.equal(kernel.canonical("/proc/self/cwd/dev/fd/../exe"), "/program");
  assert.deepEqual(kernel.names("/dev/fd"), ["0", "1", "3"]);
  assert.deepEqual(kernel.names("/proc/7/fdinfo"), ["0", "1", "3"]);
  assert.match(kernel.readlink("/proc/self/fd/0"), /^pipe:\[\d+\]$/);
  assert.equal(kernel.stat("/proc/self/fd/1").mode & TYPE, 0o010000);
  assert.equal(kernel.readFile("/proc/self/fd/3").toString(), "text");
  kernel.rename("/program", "/renamed");
  assert.equal(kernel.readlink("/proc/self/fd/3"), "/renamed");
  kernel.unlink("/renamed");
  assert.equal(kernel.readlink("/proc/self/exe"), "/renamed (deleted)");
  assert.equal(kernel.readFile("/proc/self/exe").toString(), "text");
  assert.throws(() => kernel.stat("/proc/self/fd/2"), new Errno(ENOENT));
  assert.throws(() => kernel.stat("/proc/8"), new Errno(ENOENT));
  assert.throws(() => kernel.stat("/proc/07x"), new Errno(ENOENT));
  assert.throws(() => kernel.stat("/proc/99999999999999999999"), new Errno(ENOENT));
});

test("the names that wait until they are wanted are found and listed in either order", async () => {
  const lookedUpFirst = await start();
  assert.equal(lookedUpFirst.readlink("/proc/self/exe"), "/program");
  assert.equal(lookedUpFirst.readlink("/proc/7/task/9/exe"), "/program");
  assert.match(lookedUpFirst.readFile("/proc/version").toString(), /^Linux version /);
  assert.equal(lookedUpFirst.readFile("/proc/self/wchan").toString(), "0\n");
  assert.throws(() => lookedUpFirst.stat("/proc/7/task/9/task"), new Errno(ENOENT));
  const listedFirst = await start();
  for (const path of ["/proc", "/proc/7", "/proc/7/task/9"]) {
    const names = listedFirst.names(path);
    assert.ok(names.length > 15, path);
    assert.deepEqual(lookedUpFirst.names(path), names);
  }
});

test("/dev/stdout reopens the pipe that is descriptor 1", async () => {
  const kernel = await start();
  const again = kernel.open("/dev/stdout", O.WRONLY | O.NONBLOCK);
  kernel.write(again, "through the link");
  kernel.close(again);
  const reader = kernel.open("/dev/stdin", O.RDONLY | O.NONBLOCK);
  assert.equal(kernel.read(reader, 100).toString(), "through the link");
  kernel.close(reader);
});

test("texts have the form of proc(5)", async () => {
  const kernel = await start();
  const text = (path: string): string => kernel.readFile(path).toString();
  const stat = text("/proc/self/stat");
  assert.match(stat, /^7 \(test \(x\)\) S 0 /);
  const fields = stat
    .slice(stat.lastIndexOf(")") + 2)
    .trimEnd()
    .split(" ");
  assert.equal(fields.length + 2, 52);
  assert.equal(fields[20 - 3], "2", "number of threads is field 20");
  assert.equal(text("/proc/self/statm").trimEnd().split(" ").length, 7);
  for (const line of text("/proc/meminfo").trimEnd().split("\n")) {
    assert.match(line, /^[A-Za-z_()]+: {2,}\d+( kB)?$/);
  }
  assert.match(text("/proc/meminfo"), /^MemTotal: {8,}\d+ kB\nMemFree:/);
  const [version, , ...classes] = text("/proc/slabinfo").trimEnd().split("\n");
  assert.equal(version, "slabinfo - version: 2.1");
  for (const line of classes) {
    const found = /^kmalloc-(\d+) +(\d+) +(\d+) +(\d+) +\d+ 1 : tunables .* : slabdata +\d+ /.exec(
      line,
    );
    assert.ok(found && found[1] === found[4], line);
    assert.ok(Number(found[2]) <= Number(found[3]), `more objects than there is room: ${line}`);
  }
  for (const line of text("/proc/self/status").trimEnd().split("\n")) {
    assert.match(line, /^[A-Za-z_]+:\t/);
  }
  assert.match(text("/proc/uptime"), /^\d+\.\d\d \d+\.\d\d\n$/);
  assert.match(text("/proc/loadavg"), /^\d+\.\d\d \d+\.\d\d \d+\.\d\d \d+\/\d+ \d+\n$/);
  assert.match(text("/proc/mounts"), /^rootfs \/ tmpfs rw,noatime 0 0\n/);
  for (const line of text("/proc/self/mountinfo").trimEnd().split("\n")) {
    assert.match(line, /^\d+ \d+ \d+:\d+ \/ \/\S* \S+ - \S+ \S+ \S+$/);
  }
  const limits = text("/proc/self/limits").trimEnd().split("\n");
  assert.equal(limits.length, 17);
  assert.equal(
    limits[8],
    `${"Max open files".padEnd(26)}${"7".padEnd(21)}${"unlimited".padEnd(21)}files     `,
  );
  assert.match(
    text("/proc/sys/kernel/random/uuid"),
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n$/,
  );
  assert.notEqual(text("/proc/sys/kernel/random/uuid"), text("/proc/sys/kernel/random/uuid"));
  assert.equal(text("/proc/sys/kernel/random/boot_id"), text("/proc/sys/kernel/random/boot_id"));
  assert.match(text("/proc/self/fdinfo/3"), /^pos:\t0\nflags:\t0\d+\n/);
});

test("a text is one state however it is read, and starts anew at offset 0", async () => {
  const kernel = await start();
  assert.equal(
    kernel.readFile("/proc/self/limits", 7).toString(),
    kernel.readFile("/proc/self/limits").toString(),
  );
  const file = kernel.open("/proc/sys/kernel/random/uuid");
  const first = kernel.read(file, 100).toString();
  assert.equal(kernel.read(file, 100).length, 0);
  kernel.seek(file, 0, 0);
  assert.notEqual(kernel.read(file, 100).toString(), first);
  kernel.close(file);
});

test("only what can be set can be written", async () => {
  const kernel = await start();
  kernel.writeFile("/proc/self/comm", "renamed\n");
  assert.equal(kernel.readFile("/proc/self/comm").toString(), "renamed\n");
  kernel.writeFile("/proc/self/oom_score_adj", "-500");
  assert.equal(kernel.readFile("/proc/self/oom_score_adj").toString(), "-500\n");
  assert.throws(() => kernel.writeFile("/proc/self/oom_score_adj", "2000"), new Errno(EINVAL));
  assert.throws(() => kernel.open("/proc/meminfo", O.WRONLY), new Errno(EACCES));
  assert.throws(() => kernel.open("/proc/new", O.WRONLY | O.CREAT), new Errno(ENOENT));
  assert.equal(kernel.stat("/proc/meminfo").mode, FILE | 0o444);
});
