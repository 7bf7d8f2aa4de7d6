// @ts-check
/**
 * Which tools of the system each root command needs, as data: how to see that a tool is there,
 * its Debian package, and how to get it elsewhere. Used by `setup.mjs`; plain JavaScript, because
 * that runs before any package is installed.
 */
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * @typedef {object} SystemPackage
 * @property {string} tool a program on PATH, or an absolute path, whose presence proves the package
 * @property {string} apt Debian and Ubuntu package
 * @property {string} why what the project uses it for
 * @property {string} elsewhere what to install on systems without apt-get
 * @property {string[]} commands root commands that need it
 */

const everyCommand = ["start", "test", "conformance", "bench", "build"];

/** @type {SystemPackage[]} */
const systemPackages = [
  {
    tool: "gcc",
    apt: "gcc",
    why: "compiles the kernel",
    elsewhere: "a gcc for x86_64 ELF (Fedora: dnf install gcc)",
    commands: everyCommand,
  },
  {
    tool: "objcopy",
    apt: "binutils",
    why: "links the kernel",
    elsewhere: "GNU binutils for x86_64 ELF (Fedora: dnf install binutils)",
    commands: everyCommand,
  },
  {
    tool: "qemu-system-x86_64",
    apt: "qemu-system-x86",
    why: "runs the virtual machines",
    elsewhere: "QEMU 7.2 or newer (Fedora: dnf install qemu-system-x86; macOS: brew install qemu)",
    commands: ["start", "test", "conformance", "bench"],
  },
  {
    tool: "/usr/bin/python3",
    apt: "python3",
    why: "a program that the guests run",
    elsewhere: "Python 3",
    commands: ["start", "test", "conformance"],
  },
  {
    tool: "ping",
    apt: "iputils-ping",
    why: "a program that the guests run",
    elsewhere: "ping of iputils (Fedora: dnf install iputils)",
    commands: ["test", "conformance"],
  },
  {
    tool: "/usr/sbin/ip",
    apt: "iproute2",
    why: "a program that the guests run",
    elsewhere: "iproute2 (Fedora: dnf install iproute)",
    commands: ["test", "conformance"],
  },
  {
    tool: `/usr/lib/${pythonFolder()}/test/test_os.py`,
    apt: `lib${pythonFolder()}-testsuite`,
    why: "CPython's own tests, which run in guests",
    elsewhere: "the tests of Python's library (Fedora: dnf install python3-test)",
    commands: ["test", "conformance"],
  },
  {
    tool: "/usr/include/stdio.h",
    apt: "libc6-dev",
    why: "test programs in C",
    elsewhere: "the C library's headers and static archive",
    commands: ["test", "bench"],
  },
  {
    tool: "/usr/lib/postgresql/15/bin/postgres",
    apt: "postgresql-15",
    why: "a server that forks, which runs in a guest",
    elsewhere: "PostgreSQL 15 as Debian installs it",
    commands: ["conformance"],
  },
  ...testTools({
    // perl itself is always there (perl-base); this comes with its full library.
    shasum: "perl",
    "musl-gcc": "musl-tools",
    go: "golang-go",
    rustc: "rustc",
    gdb: "gdb",
    "fsck.erofs": "erofs-utils",
    "docker-registry": "docker-registry",
    openssl: "openssl",
    memccapable: "libmemcached-tools",
    "qemu-img": "qemu-utils",
    skopeo: "skopeo",
    xmllint: "libxml2-utils",
    setpriv: "util-linux",
    ruby: "ruby",
    php: "php-cli",
    "lua5.4": "lua5.4",
    erl: "erlang-base",
    javac: "default-jdk-headless",
    make: "make",
  }),
  ...benchTools("unpacks the Linux kernel to compare with", {
    "dpkg-deb": "dpkg",
    xz: "xz-utils",
    zstd: "zstd",
  }),
  ...benchTools("makes the network of the benchmarks", {
    ip: "iproute2",
    unshare: "util-linux",
    nsenter: "util-linux",
  }),
  ...networkTools({
    "/usr/sbin/nginx": "nginx-light",
    "redis-server": "redis-server",
    "redis-benchmark": "redis-tools",
    iperf3: "iperf3",
    wrk: "wrk",
  }),
  ...benchTools("a server of the network benchmarks", { memcached: "memcached" }),
];

/** The folder of the system's Python 3 library, which bears its version; Debian 12's by default. */
function pythonFolder() {
  const folders = existsSync("/usr/lib") ? readdirSync("/usr/lib") : [];
  const found = folders.filter((name) => existsSync(`/usr/lib/${name}/os.py`));
  return found.find((name) => name.startsWith("python3.")) ?? "python3.11";
}

/** @param {Record<string, string>} tools tool name to package */
function testTools(tools) {
  return Object.entries(tools).map(([tool, apt]) => plain(tool, apt, "the tests use it", "test"));
}

/** @param {Record<string, string>} tools tool name to package */
function networkTools(tools) {
  return Object.entries(tools).map(([tool, apt]) => {
    const made = plain(tool, apt, "a server or client that tests and benchmarks use", "test");
    return { ...made, commands: ["test", "bench"] };
  });
}

/**
 * @param {string} why
 * @param {Record<string, string>} tools tool name to package
 */
function benchTools(why, tools) {
  return Object.entries(tools).map(([tool, apt]) => plain(tool, apt, why, "bench"));
}

/**
 * @param {string} tool
 * @param {string} apt
 * @param {string} why
 * @param {string} command
 * @returns {SystemPackage}
 */
function plain(tool, apt, why, command) {
  return { tool, apt, why, elsewhere: `the package that holds ${tool}`, commands: [command] };
}

/**
 * Whether a program is on PATH and executable, as execvp(3) would find it.
 * @param {string} name
 */
export function findOnPath(name) {
  return (process.env.PATH ?? "/usr/bin:/bin").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** @param {SystemPackage} each */
function isPresent(each) {
  return each.tool.startsWith("/") ? existsSync(each.tool) : findOnPath(each.tool);
}

/**
 * The packages that a root command needs and the machine lacks.
 * @param {string} command "start", "test", "conformance", "bench" or "build"
 */
export function packagesFor(command) {
  return systemPackages.filter((each) => each.commands.includes(command) && !isPresent(each));
}
