import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { withScratch } from "../../image/erofs/testing.ts";
import { rejectionOf } from "../../package/testing.ts";
import { resolveSource, sourceRequest } from "../resolve.ts";
import type { SourceOptions } from "../source.ts";
import { sourceOptions } from "../testing.ts";
import { textInTree } from "../tree-launch.ts";
import { usersInScript } from "./configure.ts";
import { parseDepends, resolveDependencies } from "./dependencies.ts";
import { PackageIndex } from "./package-lists.ts";
import { compareVersions } from "./version.ts";

const hasApt = spawnSync("apt-get", ["--version"]).status === 0;
const debian = { skip: hasApt ? false : "apt-get is not installed" };

test("versions are ordered as dpkg orders them", debian, () => {
  const piece = fc.stringMatching(/^[0-9][a-z0-9.+~]{0,6}$/);
  const version = fc
    .tuple(
      fc.constantFrom("", "1:", "0:"),
      piece,
      fc.option(fc.stringMatching(/^[a-z0-9~+]{1,4}$/)),
    )
    .map(
      ([epoch, upstream, revision]) =>
        `${epoch}${upstream}${revision === null ? "" : `-${revision}`}`,
    );
  fc.assert(
    fc.property(version, version, (a, b) => {
      const order = compareVersions(a, b);
      const relation = order < 0 ? "lt" : order > 0 ? "gt" : "eq";
      const { status } = spawnSync("dpkg", ["--compare-versions", a, relation, b]);
      assert.equal(status, 0, `${a} ${relation} ${b}`);
      assert.equal(Math.sign(compareVersions(b, a)), -Math.sign(order));
    }),
    { numRuns: 60 },
  );
});

function stanza(name: string, fields: Readonly<Record<string, string>> = {}): string {
  const all = { Package: name, Version: "1", Filename: `${name}.deb`, SHA256: "0", ...fields };
  return `${Object.entries(all)
    .map(([key, value]) => `${key}: ${value}`)
    .join("\n")}\n\n`;
}

function namesFor(names: readonly string[], ...stanzas: string[]): string[] {
  const index = new PackageIndex();
  index.add(stanzas.join(""), "http://archive/");
  return resolveDependencies(names, index).map(({ name, version }) => `${name} ${version}`);
}

test("dependencies: versions, alternatives, virtual packages, cycles, what serves scripts only", () => {
  assert.deepEqual(parseDepends("a (>= 1:2) | b:any, c"), [
    [
      { name: "a", relation: ">=", version: "1:2" },
      { name: "b", relation: undefined, version: "" },
    ],
    [{ name: "c", relation: undefined, version: "" }],
  ]);
  const found = namesFor(
    ["app"],
    stanza("app", { Depends: "lib (>= 2), none | mail, adduser, app", "Pre-Depends": "early" }),
    stanza("lib", { Version: "1" }),
    stanza("lib", { Version: "2.5", Depends: "app" }),
    stanza("lib", { Version: "2.1" }),
    stanza("postfix", { Provides: "mail (= 1), smtp" }),
    stanza("early"),
  );
  assert.deepEqual(found.sort(), ["app 1", "early 1", "lib 2.5", "postfix 1"]);
  assert.deepEqual(namesFor(["a=1"], stanza("a", { Version: "2" }), stanza("a")), ["a 1"]);
});

test("dependencies that are missing are named, with who needs them", async () => {
  const missing = async () =>
    namesFor(["a"], stanza("a", { Depends: "b (>= 9) | c" }), stanza("b"));
  assert.match((await rejectionOf(missing(), "DependencyMissing")).why, /b \(>= 9\) or c/);
  const unknown = async () => namesFor(["ngin"], stanza("nginx"));
  assert.match((await rejectionOf(unknown(), "PackageNotFound")).fix, /nginx/);
});

test("users are read out of scripts", () => {
  const script = `
    adduser --system --quiet --home /var/lib/x --no-create-home \\
      --group --gecos "X server" xuser >/dev/null
    adduser xuser others
    useradd -r -d /srv/y yuser || true
  `;
  assert.deepEqual(usersInScript(script), [
    { name: "xuser", home: "/var/lib/x" },
    { name: "yuser", home: "/srv/y" },
  ]);
});

/** Makes a package out of files and control fields. */
function makeDeb(
  repository: string,
  name: string,
  files: Readonly<Record<string, string>>,
  fields: Readonly<Record<string, string>> = {},
  postinst?: string,
): void {
  const folder = join(repository, "work", name);
  for (const [path, from] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (from.startsWith("-> ")) symlinkSync(from.slice(3), join(folder, path));
    else writeFileSync(join(folder, path), from.startsWith("/") ? readFileSync(from) : from);
    if (!from.startsWith("-> ")) chmodSync(join(folder, path), 0o755);
  }
  mkdirSync(join(folder, "DEBIAN"), { recursive: true });
  const all = {
    Package: name,
    Version: "1.0",
    Architecture: "amd64",
    Maintainer: "a <a@example.com>",
    Description: "test",
    ...fields,
  };
  const text = Object.entries(all).map(([key, value]) => `${key}: ${value}\n`);
  writeFileSync(join(folder, "DEBIAN/control"), text.join(""));
  if (postinst !== undefined) {
    writeFileSync(join(folder, "DEBIAN/postinst"), postinst, { mode: 0o755 });
  }
  execFileSync("dpkg-deb", [
    "-Zxz",
    "--root-owner-group",
    "-b",
    folder,
    join(repository, `${name}.deb`),
  ]);
  const deb = readFileSync(join(repository, `${name}.deb`));
  const sha256 = createHash("sha256").update(deb).digest("hex");
  const packages = join(repository, "Packages");
  const stanzaText = `${text.join("")}Filename: ./${name}.deb\nSize: ${deb.length}\nSHA256: ${sha256}\n\n`;
  writeFileSync(packages, stanzaText, { flag: "a" });
}

/** An archive of packages on this machine, and options with which apt sees nothing else. */
function withArchive(body: (repository: string, update: () => SourceOptions) => Promise<void>) {
  return withScratch(async (scratch) => {
    const repository = join(scratch, "archive");
    for (const folder of ["archive", "state/lists/partial", "cache/archives/partial", "etc"]) {
      mkdirSync(join(scratch, folder), { recursive: true });
    }
    writeFileSync(join(scratch, "etc/sources.list"), `deb [trusted=yes] file:${repository} ./\n`);
    const configuration = [
      `Dir::State "${scratch}/state";`,
      `Dir::Cache "${scratch}/cache";`,
      `Dir::Etc::sourcelist "${scratch}/etc/sources.list";`,
      'Dir::Etc::sourceparts "-";',
      'APT::Sandbox::User "";',
    ];
    writeFileSync(join(scratch, "apt.conf"), configuration.join("\n"));
    const host = {
      ...process.env,
      APT_CONFIG: join(scratch, "apt.conf"),
      CAPSTAN_ROOT: join(scratch, "c"),
    };
    await body(repository, () => {
      execFileSync("apt-get", ["-qq", "update"], { env: host, stdio: "pipe" });
      return sourceOptions({ cwd: scratch, host });
    });
  });
}

/** Packages that every source has; made small. */
function makeBase(repository: string): void {
  makeDeb(repository, "base-files", { "etc/debian_version": "12\n" });
  makeDeb(repository, "base-passwd", {
    "usr/share/base-passwd/passwd.master": "root:*:0:0:root:/root:/bin/bash\n",
    "usr/share/base-passwd/group.master": "root:*:0:\n",
  });
  makeDeb(repository, "dash", { "bin/dash": "/bin/dash", "bin/sh": "-> dash" });
}

test("packages are fetched, verified, laid over each other and configured", debian, () =>
  withArchive(async (repository, update) => {
    makeBase(repository);
    const script = `#!/bin/sh
adduser --system --home /var/lib/app --group app
update-alternatives --install /usr/bin/editor editor /usr/bin/app 10
exit 1
`;
    makeDeb(
      repository,
      "app",
      { "usr/bin/app": "/bin/echo", "lib/app/plugin": "x", "usr/share/doc/app/copyright": "y" },
      { Depends: "libapp (>= 1)" },
      script,
    );
    makeDeb(repository, "libapp", { "usr/lib/libapp.so.1": "z" });
    const options = update();
    const { tree, launch, origin } = await resolveSource(
      sourceRequest(["deb:app"], false),
      options,
    );
    assert.equal(launch.executable, "/usr/bin/app");
    assert.equal(origin.name, "deb:app");
    assert.equal(textInTree(tree, "/usr/lib/app/plugin"), "x", "/lib is a link into /usr");
    assert.equal(textInTree(tree, "/usr/lib/libapp.so.1"), "z");
    assert.equal(tree.get("/usr/share/doc/app/copyright"), undefined);
    assert.match(textInTree(tree, "/etc/passwd") ?? "", /^app:x:100:100::\/var\/lib\/app:/m);
    assert.equal(tree.get("/var/lib/app")?.attributes.uid, 100);
    assert.equal(tree.get("/usr/bin/editor")?.kind, "symlink");
    const shell = await resolveSource(sourceRequest(["deb:app", "sh", "-c", "x"], false), options);
    assert.deepEqual(shell.launch.args, ["-c", "x"]);
    assert.equal(shell.launch.argv0, "sh");
  }),
);

test("a package that is not what the lists say is refused, and nothing stays behind", debian, () =>
  withArchive(async (repository, update) => {
    makeBase(repository);
    makeDeb(repository, "app", { "usr/bin/app": "/bin/echo" });
    const options = update();
    const deb = join(repository, "app.deb");
    const bytes = readFileSync(deb);
    bytes[bytes.length - 1000] = (bytes[bytes.length - 1000] ?? 0) ^ 1;
    writeFileSync(deb, bytes);
    const found = resolveSource(sourceRequest(["deb:app"], false), options);
    await assert.rejects(found, /FetchFailed|cannot fetch|damaged/);
    const kept = readdirSync(join(options.host.CAPSTAN_ROOT ?? "", "cache/debs"));
    assert.ok(
      kept.every((name) => !name.includes("tmp") && !name.includes("partial")),
      `${kept}`,
    );
    assert.ok(statSync(deb).size > 0);
  }),
);
