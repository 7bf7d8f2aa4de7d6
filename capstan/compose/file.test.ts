import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { withScratch } from "../image/erofs/testing.ts";
import { type ComposeFile, projectName, readComposeFile } from "./file.ts";
import { hostsFile, membersOf } from "./network.ts";

async function read(text: string): Promise<ComposeFile> {
  let file: ComposeFile | undefined;
  await withScratch(async (folder) => {
    const path = join(folder, "compose.yaml");
    writeFileSync(path, text);
    file = readComposeFile(path);
  });
  assert.ok(file);
  return file;
}

async function fails(text: string, place: string, why: RegExp): Promise<void> {
  await assert.rejects(read(text), (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.ok(error.what.includes(`compose.yaml:${place}: `), error.what);
    assert.match(error.why, why);
    return true;
  });
}

test("services come after those that they depend on; short and long forms mean the same", async () => {
  const { services, project } = await read(`
name: shop
services:
  web:
    source: .
    command: server --name "a b"
    environment: {A: 1, B: null, C: "x=y"}
    depends_on: {cache: {condition: service_started}, database: {condition: service_started}}
    ports: ["8080:80"]
    cpus: 2
  cache: {image: redis, depends_on: [database], environment: [A=1]}
  database: {command: [postgres, -p, 5]}
`);
  assert.equal(project, "shop");
  assert.deepEqual(
    services.map(({ name }) => name),
    ["database", "cache", "web"],
  );
  const [database, cache, web] = services;
  assert.deepEqual(web?.command, ["server", "--name", "a b"]);
  assert.deepEqual(web?.environment, ["A=1", "B", "C=x=y"]);
  assert.equal(web?.cpus, "2");
  assert.deepEqual(cache?.environment, ["A=1"]);
  assert.deepEqual(database?.command, ["postgres", "-p", "5"]);
});

test("what is wrong is pointed at by line and column", async () => {
  await fails("services:\n  web: {command: [a\n", "3:1", /./);
  await fails(
    "services:\n  web:\n    command: [ls]\n    volumes: [x]\n",
    "4:5",
    /no setting volumes/,
  );
  await fails("services:\n  web:\n    command: [ls]\n    ports: 80\n", "4:5", /web.ports/);
  await fails("services:\n  web:\n    command: 'a \"b'\n", "3:5", /quotation mark/);
  await fails("services:\n  Web:\n    command: [ls]\n", "2:3", /./);
  await fails("services:\n  web:\n    memory: 1G\n", "2:3", /needs source, image, or a command/);
  await fails("services:\n  a:\n    source: .\n    image: b\n", "2:3", /not both/);
  await fails("service:\n  a: {}\n", "1:1", /./);
  await fails("- a\n", "1:1", /./);
});

test("dependencies that do not exist, or go in a circle", async () => {
  await fails(
    "services:\n  a:\n    command: [ls]\n    depends_on: [b]\n",
    "4:18",
    /b, which is no service/,
  );
  const circle = `services:
  a: {command: [ls], depends_on: [b]}
  b: {command: [ls], depends_on: [c]}
  c: {command: [ls], depends_on: [a]}
`;
  await fails(circle, "2:22", /circle: a → b → c → a/);
});

test("a project is named after its folder", () => {
  assert.equal(projectName("/home/x/My Shop!"), "my-shop");
  assert.equal(projectName("/"), "project");
});

test("addresses follow from the names, and every machine finds the others", () => {
  const members = membersOf(["web", "database"]);
  assert.deepEqual(
    members.map(({ name, address, mac }) => [name, address, mac]),
    [
      ["database", "10.0.2.16", "52:54:00:ca:00:10"],
      ["web", "10.0.2.17", "52:54:00:ca:00:11"],
    ],
  );
  assert.match(hostsFile(members, "web"), /^10\.0\.2\.16\tdatabase$/m);
});
