import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FsTree, neutralAttributes } from "../../image/tree.ts";
import { resolveInTree } from "../../package/tree-path.ts";
import { textInTree } from "../tree-launch.ts";
import { applyCommands } from "./apply-commands.ts";
import { commandsInScript } from "./script-commands.ts";

const script = String.raw`#!/bin/sh
set -e
LOGS="/var/log/web"   # where logs go
case "$1" in
  configure|reconfigure)
    if ! [ -d "$LOGS" ]; then mkdir -p $LOGS 2>/dev/null || true; fi
    chown www:adm "$LOGS" && chmod 0750 \
      "$LOGS"
    [ -e /etc/web/on ] || ln -s /etc/web/all /etc/web/on
    cp /usr/share/web.html "/srv/a b.html"; touch $UNKNOWN/file
    case "$kind" in
      one) ln -s /etc/web/all /etc/web/one ;;
    esac
    # mkdir /commented
    echo "mkdir /quoted; mkdir /quoted2"
    install -d -o www -m 700 /var/cache/web
    ;;
  abort-upgrade) mkdir /aborted ;;
esac
chown -R www: /srv
`;

test("commands in plain words are read, in the branches of an installation", () => {
  assert.deepEqual(commandsInScript(script), [
    { does: "directory", path: "/var/log/web" },
    { does: "owner", owner: "www:adm", path: "/var/log/web", isRecursive: false },
    { does: "mode", mode: 0o750, path: "/var/log/web" },
    { does: "link", target: "/etc/web/all", path: "/etc/web/on" },
    { does: "copy", source: "/usr/share/web.html", path: "/srv/a b.html" },
    { does: "directory", path: "/var/cache/web" },
    { does: "owner", owner: "www:", path: "/var/cache/web", isRecursive: false },
    { does: "mode", mode: 0o700, path: "/var/cache/web" },
    { does: "owner", owner: "www:", path: "/srv", isRecursive: true },
  ]);
});

function put(tree: FsTree, path: string, text: string): void {
  const content = { from: "bytes", bytes: Buffer.from(text) } as const;
  tree.set(path, { kind: "file", attributes: neutralAttributes(0o644), content });
}

test("commands add to a tree and replace nothing", () => {
  const tree = new FsTree();
  put(tree, "/etc/passwd", "root:x:0:0::/root:/bin/sh\nwww:x:100:101::/srv:/bin/sh\n");
  put(tree, "/etc/group", "root:x:0:\nwww:x:101:\nadm:x:4:\n");
  put(tree, "/etc/web/all", "all");
  put(tree, "/usr/share/web.html", "new");
  put(tree, "/data/srv/old", "old");
  tree.set("/srv", { kind: "symlink", attributes: neutralAttributes(0o777), target: "data/srv" });
  applyCommands(tree, commandsInScript(script));
  const look = (path: string): string => {
    const { attributes } = resolveInTree(tree, path) ?? {};
    return `${attributes?.uid}:${attributes?.gid} ${attributes?.mode.toString(8)}`;
  };
  assert.equal(look("/var/log/web"), "100:4 750");
  assert.equal(look("/var/cache/web"), "100:0 700");
  assert.equal(textInTree(tree, "/etc/web/on"), "all");
  assert.equal(textInTree(tree, "/data/srv/a b.html"), "new");
  assert.equal(look("/data/srv/old"), "100:0 644");
  for (const command of ["cp /etc/web/all", "ln -s /etc/web/all", "touch", "mkdir"]) {
    applyCommands(tree, commandsInScript(`${command} /data/srv/old`));
    assert.equal(textInTree(tree, "/data/srv/old"), "old");
  }
  // A link to nowhere, a user that is not there, a file in the way of a directory.
  applyCommands(
    tree,
    commandsInScript("ln -s /none /etc/link; chown who /srv; mkdir /etc/passwd/x"),
  );
  assert.equal(tree.get("/etc/link"), undefined);
  assert.equal(look("/data/srv"), "100:0 755");
});

test("any script is read and done without an error", () => {
  const word = fc.constantFrom(
    ..."case esac in configure) ;; \n ; && | \" ' \\ $x x=/a / /a /a/b mkdir touch ln -s cp".split(
      " ",
    ),
    ..."chown -R root: chmod 755 install -d # > (".split(" "),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      const tree = new FsTree();
      put(tree, "/a/c", "kept");
      applyCommands(tree, commandsInScript(words.join(" ")));
      assert.equal(textInTree(tree, "/a/c"), "kept");
    }),
  );
});
