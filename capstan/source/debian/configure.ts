/**
 * What maintainer scripts would have done, as far as a program in an image needs it: users and
 * groups, links of the alternatives system, the bundle of certificates, and the directories, links
 * and files that commands in plain words make. The scripts are read for these, never run.
 *
 * The loader's cache is not among it: Debian's loader looks into its own directories without one.
 * Neighbours: `debian.ts` is the user; `script-commands.ts` and `apply-commands.ts` do the last.
 */
import { emptyDirectory, type FsTree, neutralAttributes } from "../../image/tree.ts";
import { resolveInTree } from "../../package/tree-path.ts";
import { readNode, textInTree } from "../tree-launch.ts";
import { applyCommands, putNew } from "./apply-commands.ts";
import { commandsInScript } from "./script-commands.ts";

/** Ids for users of the system, Debian Policy 9.2.2. */
const FIRST_SYSTEM_ID = 100;

/** A user that a script or a sysusers.d(5) file asks for. */
interface SystemUser {
  readonly name: string;
  readonly home: string;
}

function putText(tree: FsTree, path: string, text: string): void {
  const content = { from: "bytes", bytes: Buffer.from(text) } as const;
  tree.set(path, { kind: "file", attributes: neutralAttributes(0o644), content });
}

/** /etc/passwd and /etc/group as base-passwd's script makes them. */
function addMasterFiles(tree: FsTree): void {
  for (const name of ["passwd", "group"]) {
    if (textInTree(tree, `/etc/${name}`) !== undefined) continue;
    const text = textInTree(tree, `/usr/share/base-passwd/${name}.master`);
    if (text !== undefined) putText(tree, `/etc/${name}`, text.replaceAll(":*:", ":x:"));
  }
}

/** Users that scripts create with adduser(8) or useradd(8). */
export function usersInScript(script: string): SystemUser[] {
  const users: SystemUser[] = [];
  for (const [line] of script.replaceAll("\\\n", " ").matchAll(/\b(adduser|useradd)\b[^\n;&|]*/g)) {
    if (!/\s(--system|-r)\b/.test(line)) continue;
    const home = /\s--home(?:-dir)?[ =](\S+)/.exec(line)?.[1] ?? /\s-d\s+(\S+)/.exec(line)?.[1];
    const name =
      line
        .replace(/[<>].*/, "")
        .trim()
        .split(/\s+/)
        .at(-1) ?? "";
    if (!/^[a-z_][\w-]*$/.test(name)) continue;
    users.push({ name, home: home?.startsWith("/") === true ? home : "/nonexistent" });
  }
  return users;
}

/** Users in sysusers.d(5): `u NAME ID "COMMENT" HOME SHELL`. */
function usersInFiles(tree: FsTree): SystemUser[] {
  const directory = resolveInTree(tree, "/usr/lib/sysusers.d");
  if (directory?.kind !== "directory") return [];
  return [...directory.children.values()].flatMap((node) => {
    const text = node.kind === "file" ? readNode(node).toString("utf8") : "";
    return [
      ...text.matchAll(/^u!?\s+([a-z_][\w-]*)\s+\S+(?:\s+"[^"]*"|\s+\S+)?(?:\s+(\S+))?/gm),
    ].map(([, name = "", home = "-"]) => ({ name, home: home.startsWith("/") ? home : "/" }));
  });
}

function addUsers(tree: FsTree, users: readonly SystemUser[]): void {
  let passwd = textInTree(tree, "/etc/passwd") ?? "root:x:0:0:root:/root:/bin/sh\n";
  let group = textInTree(tree, "/etc/group") ?? "root:x:0:\n";
  let id = FIRST_SYSTEM_ID;
  for (const { name, home } of [...users].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (passwd.includes(`\n${name}:`)) continue;
    passwd += `${name}:x:${id}:${id}::${home}:/usr/sbin/nologin\n`;
    if (!group.includes(`\n${name}:`)) group += `${name}:x:${id}:\n`;
    const owned = { ...neutralAttributes(0o755), uid: id, gid: id };
    const known = resolveInTree(tree, home);
    if (known?.kind === "directory" && home !== "/") known.attributes = owned;
    else if (known === undefined && home !== "/nonexistent") tree.set(home, emptyDirectory(owned));
    id += 1;
  }
  putText(tree, "/etc/passwd", passwd);
  putText(tree, "/etc/group", group);
}

/** Links that scripts make with update-alternatives(1): the highest priority of each. */
function addAlternatives(tree: FsTree, scripts: readonly string[]): void {
  const best = new Map<string, { target: string; priority: number }>();
  const pattern = /(?:--install|--slave)\s+(\/\S+)\s+\S+\s+(\/[^\s$]+)(?:\s+(\d+))?/g;
  for (const script of scripts) {
    for (const match of script.replaceAll("\\\n", " ").matchAll(pattern)) {
      const [, link = "", target = "", priority = "0"] = match;
      if (link.includes("$") || (best.get(link)?.priority ?? -1) >= Number(priority)) continue;
      best.set(link, { target, priority: Number(priority) });
    }
  }
  for (const [link, { target }] of best) {
    if (resolveInTree(tree, link) !== undefined) continue;
    if (resolveInTree(tree, target) === undefined) continue;
    putNew(tree, link, { kind: "symlink", attributes: neutralAttributes(0o777), target });
  }
}

/** /etc/ssl/certs/ca-certificates.crt, as update-ca-certificates(8) makes it. */
function addCertificates(tree: FsTree): void {
  const bundle = "/etc/ssl/certs/ca-certificates.crt";
  const directory = resolveInTree(tree, "/usr/share/ca-certificates/mozilla");
  if (directory?.kind !== "directory" || resolveInTree(tree, bundle) !== undefined) return;
  const texts = [...directory.children]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, node]) => (node.kind === "file" ? readNode(node).toString("latin1") : ""));
  putText(tree, bundle, texts.join(""));
}

/**
 * Completes the tree of unpacked packages.
 * @param scripts texts of the packages' preinst and postinst
 */
export function configurePackages(tree: FsTree, scripts: readonly string[]): void {
  addMasterFiles(tree);
  addUsers(tree, [...usersInFiles(tree), ...scripts.flatMap(usersInScript)]);
  addAlternatives(tree, scripts);
  addCertificates(tree);
  for (const script of scripts) applyCommands(tree, commandsInScript(script));
}
