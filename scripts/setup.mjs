// @ts-check
/**
 * Set-up that runs before every root command (`npm start`, `npm test`, …): node packages and
 * system packages. Plain JavaScript without dependencies, because it runs before `npm ci` has.
 * It costs a few milliseconds when there is nothing to do. The tools that each command needs are
 * data in `system-packages.mjs`; building the kernel is the business of `build.ts`.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findOnPath, packagesFor } from "./system-packages.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {string} text */
function say(text) {
  process.stderr.write(`set-up: ${text}\n`);
}

/** Ends the set-up with what failed and what to do. @param {string} text @returns {never} */
function fail(text) {
  say(text);
  process.exit(1);
}

/**
 * Whether node_modules holds what package-lock.json asks for. Compares with the lock file that
 * npm itself leaves in node_modules; packages for other platforms (optional ones) may be absent.
 */
function nodePackagesAreCurrent() {
  const hidden = join(root, "node_modules/.package-lock.json");
  if (!existsSync(hidden)) return false;
  /** @type {Record<string, {version?: string, optional?: boolean, link?: boolean}>} */
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const present = JSON.parse(readFileSync(hidden, "utf8")).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith("node_modules/") || entry.optional) return true;
    return present[path] !== undefined && present[path].version === entry.version;
  });
}

function installNodePackages() {
  if (nodePackagesAreCurrent()) return;
  // `npm ci` empties node_modules first; a tree that is only out of date is brought up to date.
  const fresh = !existsSync(join(root, "node_modules"));
  const command = fresh ? ["ci"] : ["install", "--no-save"];
  say(`installing node packages (npm ${command.join(" ")}) …`);
  const { status } = spawnSync("npm", [...command, "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) {
    fail(
      "npm could not install the packages of package-lock.json (its message is above). " +
        "Check the network and the npm registry setting (npm config get registry), then try again.",
    );
  }
}

/** How to run a command as root without a prompt: null when there is no way. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  if (!findOnPath("sudo")) return null;
  return spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0
    ? ["sudo", "-n"]
    : null;
}

/** @param {string} command which root command the packages are for */
function installSystemPackages(command) {
  const missing = packagesFor(command);
  if (missing.length === 0) return;
  const names = missing.map((each) => each.apt);
  const list = missing.map((each) => `  ${each.tool} (${each.why})`).join("\n");
  const prefix = findOnPath("apt-get") ? rootPrefix() : null;
  if (prefix === null) {
    const hints = findOnPath("apt-get")
      ? `  sudo apt-get install -y ${names.join(" ")}`
      : missing.map((each) => `  ${each.tool}: ${each.elsewhere}`).join("\n");
    fail(`these tools are missing:\n${list}\nInstall them, then run the command again:\n${hints}`);
  }
  say(`installing system packages: ${names.join(" ")} …`);
  const apt = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
  const [program = "apt-get", ...rest] = apt;
  /** @param {string[]} args */
  const run = (args) => {
    const { status, stdout, stderr } = spawnSync(program, [...rest, ...args], {
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    return { isDone: status === 0, text: `${stdout}${stderr}` };
  };
  const install = ["install", "-y", "-qq", "--no-install-recommends", ...names];
  // Package lists that are missing or old are the usual reason for a failure.
  if (run(install).isDone) return;
  const { text } = run(["update", "-qq"]);
  const again = run(install);
  if (again.isDone) return;
  fail(`apt-get could not install ${names.join(" ")}; install them by hand.\n${text}${again.text}`);
}

function checkNode() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) {
    fail(`Node.js ${process.versions.node} is too old: OSv.ts needs Node.js 20 or newer.`);
  }
  if (process.platform !== "win32") return;
  fail("Windows is not supported directly: run it in WSL 2 with Debian or Ubuntu.");
}

checkNode();
installNodePackages();
installSystemPackages(process.argv[2] ?? "build");
// A broken esbuild or tsx shows here, not in the middle of a later command.
execFileSync(process.execPath, ["--import", "tsx", "--eval", "0"], { cwd: root, stdio: "inherit" });
