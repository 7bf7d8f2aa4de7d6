/**
 * Programs that make processes: shells with pipes and subshells, make, Python and Perl, and the
 * system calls themselves held against the host's kernel.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { assertSameAsHost } from "../harness/compare.ts";
import { guestTest } from "../harness/guest-test.ts";
import { repositoryRoot } from "../harness/paths.ts";
import { runCapstan } from "../harness/process.ts";
import { testProgram } from "../harness/programs.ts";

/** Programs that the scripts below run; the image has only what is named. */
const commands = ["ls", "wc", "cat", "sort", "sleep", "true", "false", "env", "tr", "sh", "seq"];
const options = [
  "--add",
  "/bin/sh",
  ...commands.flatMap((name) => ["--add", `/usr/bin/${name}:/usr/bin/${name}`]),
];
const timeoutMs = 120_000;

guestTest("abi-processes", () =>
  assertSameAsHost({ argv: [testProgram("abi-processes")], timeoutMs }),
);

guestTest("abi-processes on two processors", () =>
  assertSameAsHost({ argv: [testProgram("abi-processes")], options: ["-c", "2"], timeoutMs }),
);

for (const cpus of ["1", "2"]) {
  guestTest(`processes and threads leave memory where it was, ${cpus} processors`, async () => {
    const argv = ["-c", cpus, "--", testProgram("processes-memory")];
    const { status, stdout } = await runCapstan(argv, { timeoutMs });
    assert.equal(stdout.toString("utf8"), "plain: memory is back\nthreads: memory is back\n");
    assert.equal(status, 0);
  });
}

const script = `
seq 1 5 | wc -l; (echo sub; exit 3); echo status $?
x=$(echo hi | tr a-z A-Z); echo "$x"
seq 1 2000 | sort -rn | cat | wc -c
for i in 1 2 3; do (exit $i) & wait $!; echo $?; done
true && false || echo or
f() { echo in f; return 4; }; f | cat; echo "\${PIPESTATUS[0]}"
trap 'echo usr1' USR1; (kill -USR1 $$); echo after
sleep 60 & kill $!; wait $!; echo killed $?
cat <(echo one) <(echo two)
env -i A=b env
nothing-of-this-name 2>/dev/null; echo $?
exec sh -c 'echo replaced; exit 6'`;

guestTest("bash: pipes, subshells, substitutions, jobs, traps", () =>
  assertSameAsHost({ argv: ["/bin/bash", "-c", script], options, timeoutMs }),
);

guestTest("sh: subshells and here-documents", () => {
  const text =
    'echo a | { read x; echo "got $x"; }; (cd /; pwd); y=$(cat <<E\nhere\nE\n); echo $y; wait; exit 2';
  return assertSameAsHost({ argv: ["/bin/sh", "-c", text], options, timeoutMs });
});

guestTest("python3: subprocess, os.fork, multiprocessing", () => {
  const text = `
import multiprocessing, os, signal, subprocess, sys
print(subprocess.run(["sort"], input="b\\na\\n", capture_output=True, text=True).stdout.split())
print(subprocess.call("exit 3", shell=True), os.system("true"))
p = subprocess.Popen(["sleep", "60"]); p.terminate(); print(p.wait())
try: subprocess.run(["/nowhere"])
except FileNotFoundError as error: print(error.errno)
try: subprocess.run(["sleep", "60"], timeout=0.2)
except subprocess.TimeoutExpired: print("timeout")
sys.stdout.flush()
pid = os.fork()
if pid == 0: os._exit(5)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
def square(x): return x * x
def put(queue): queue.put(os.getppid() != 0)
multiprocessing.set_start_method("fork")
with multiprocessing.Pool(3) as pool: print(pool.map(square, range(20)))
queue = multiprocessing.Queue()
process = multiprocessing.Process(target=put, args=(queue,))
process.start(); print(queue.get()); process.join(); print(process.exitcode)
lock = multiprocessing.Value("i", 0)
def add(value):
    for _ in range(200):
        with value.get_lock(): value.value += 1
workers = [multiprocessing.Process(target=add, args=(lock,)) for _ in range(3)]
[w.start() for w in workers]; [w.join() for w in workers]; print(lock.value)
`;
  const argv = ["/usr/bin/python3", "-c", text];
  return assertSameAsHost({ argv, options: [...options, "-m", "1G"], timeoutMs });
});

guestTest("python3: multiprocessing by spawn", () => {
  const argv = ["/usr/bin/python3", join(repositoryRoot, "test/scripts/spawn.py")];
  return assertSameAsHost({ argv, options: ["-m", "1G"], timeoutMs });
});

guestTest("perl: system, backquotes, fork, pipes", () => {
  const text =
    'print `seq 1 3 | wc -l`; print system("exit 4") >> 8, "\\n"; open(P, "sort |"); close P;' +
    'open(P, "-|", "seq", "3"); print while <P>; close P; $| = 1; my $p = fork();' +
    'if (!$p) { exit 7 } waitpid($p, 0); print $? >> 8, "\\n";';
  const argv = ["/usr/bin/perl", "-e", text];
  return assertSameAsHost({ argv, options, stdin: Buffer.from(""), timeoutMs });
});

guestTest("make -j4", () => {
  const makefile = [
    ...["all: one two three", "\tcat one two three", "\trm one two three"],
    ...["one two three:", "\t@seq 1 20 | wc -l > $@", ""],
  ].join("\n");
  const argv = ["/usr/bin/make", "-j4", "-f", "-"];
  const remove = ["--add", "/usr/bin/rm"];
  const input = Buffer.from(makefile);
  const all = [...options, ...remove];
  return assertSameAsHost({ argv, options: all, stdin: input, cwd: "/tmp", timeoutMs });
});
