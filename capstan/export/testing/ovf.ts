/**
 * Validates OVF descriptors: `ovf.xsd` by xmllint, and as XPath what ties values together, which a
 * schema cannot say (DMTF DSP0243 1.1.1, sections 7 to 9; units of DSP0004). For tests only.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const schema = join(import.meta.dirname, "ovf.xsd");

/** What must hold, and the nodes for which it does not; prefixes are those of the descriptor. */
const rules: readonly (readonly [rule: string, violations: string])[] = [
  [
    "a file lies beside the descriptor",
    "//ovf:File[contains(@ovf:href, '..') or starts-with(@ovf:href, '/')]",
  ],
  ["hardware has a type", "//ovf:Item[not(rasd:ResourceType)]"],
  [
    "what hangs on a controller has an address there",
    "//ovf:Item[rasd:Parent and not(rasd:AddressOnParent)]",
  ],
  [
    "processors and memory have a quantity",
    "//ovf:Item[rasd:ResourceType = 3 or rasd:ResourceType = 4][not(rasd:VirtualQuantity > 0)]",
  ],
  [
    "memory is counted in powers of two",
    "//ovf:Item[rasd:ResourceType = 4][not(starts-with(rasd:AllocationUnits, 'byte * 2^'))]",
  ],
  ["a network card is connected", "//ovf:Item[rasd:ResourceType = 10][not(rasd:Connection)]"],
  [
    "a disk has a controller and contents",
    "//ovf:Item[rasd:ResourceType = 17][not(rasd:HostResource and rasd:Parent)]",
  ],
  [
    "contents of a disk are described in the disk section",
    "//rasd:HostResource[not(substring-after(., 'ovf:/disk/') = //ovf:Disk/@ovf:diskId)]",
  ],
];

function xmllint(args: readonly string[], input: string): { status: number; text: string } {
  const done = spawnSync("xmllint", ["--nonet", ...args], { input, encoding: "utf8" });
  if (done.error !== undefined) throw done.error;
  return { status: done.status ?? 1, text: done.stdout + done.stderr };
}

/** What is wrong with a descriptor; nothing for a valid one. */
export function ovfFaults(path: string): string[] {
  const { status, text } = xmllint(["--noout", "--schema", schema, path], "");
  if (status !== 0) return text.trim().split("\n");
  const questions = rules.map(([, violations]) => `xpath count(${violations})\n`).join("");
  const answers = xmllint(["--shell", path], `setrootns\n${questions}bye\n`);
  const counts = [...answers.text.matchAll(/Object is a number : (\d+)/g)].map(
    ([, count]) => count,
  );
  if (counts.length !== rules.length) throw new Error(answers.text);
  return rules.filter((_, index) => counts[index] !== "0").map(([rule]) => rule);
}
