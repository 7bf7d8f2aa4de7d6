/**
 * Descriptors against the schema of `testing/`, in both dialects and for any values; and the schema
 * itself: a descriptor that breaks one rule is refused because of that rule. That real exports are
 * valid is tested in `export.test.ts`.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { withScratch } from "../image/erofs/testing.ts";
import { type OvfMachine, ovfDescriptor } from "./ovf.ts";
import { ovfFaults } from "./testing/ovf.ts";

const machine: OvfMachine = {
  name: "app",
  diskFile: "app-disk1.vmdk",
  diskFileBytes: 1000,
  diskBytes: 4 * 2 ** 20,
  populatedBytes: 2 ** 20,
  memoryBytes: 256 * 2 ** 20,
  cpus: 2,
};

function faultsOf(descriptor: string): Promise<string[]> {
  return withScratch(async (scratch) => {
    const path = join(scratch, "x.ovf");
    writeFileSync(path, descriptor);
    return ovfFaults(path);
  });
}

const machines = fc.record({
  // Names of applications are checked elsewhere; markup in them must do no harm here.
  name: fc.stringMatching(/^[\w&<>"' .ä-]{1,40}$/),
  diskFile: fc.stringMatching(/^[\w-]{1,20}\.vmdk$/),
  diskFileBytes: fc.nat({ max: 2 ** 45 }),
  diskBytes: fc.nat({ max: 2 ** 45 }),
  populatedBytes: fc.nat({ max: 2 ** 45 }),
  memoryBytes: fc.integer({ min: 1, max: 2 ** 45 }),
  cpus: fc.integer({ min: 1, max: 1024 }),
});

for (const dialect of ["virtualbox", "esxi"] as const) {
  test(`${dialect}: any machine's descriptor is valid`, () =>
    fc.assert(
      fc.asyncProperty(machines, async (any) => {
        assert.deepEqual(await faultsOf(ovfDescriptor(dialect, any)), []);
      }),
      { numRuns: 20 },
    ));
}

/** Ways to break a descriptor, and what the refusal speaks of. */
const breaches: Record<string, readonly [from: RegExp, to: string, because: RegExp]> = {
  "another namespace": [/envelope\/1/g, "envelope/2", /No matching global declaration/],
  "no references": [/<References>.*<\/References>/s, "", /Expected is .*References/],
  "sections after the machine": [
    /(<NetworkSection>.*<\/NetworkSection>)(.*)(<\/Envelope>)/s,
    "$2$1$3",
    /NetworkSection.* not expected/,
  ],
  "two machines": [/(<VirtualSystem .*<\/VirtualSystem>)/s, "$1$1", /VirtualSystem.* not expected/],
  "a section without words": [/<Info>Virtual disks<\/Info>/, "", /Expected is .*Info/],
  "a name before the words": [
    /(<Info>A virtual.*)(<Name>.*<\/Name>)/s,
    "$2$1",
    /Expected is .*Info/,
  ],
  "a file without id": [/<File ovf:id="file1"/, "<File", /File.*ovf.*id.* required/],
  "a file without place": [/ovf:href="[^"]*"/, "", /href.* required/],
  "a file of no size": [/ovf:size="\d+"/, 'ovf:size="big"', /not a valid value/],
  "an attribute without namespace": [/ovf:size=/, "size=", /attribute 'size' is not allowed/],
  "a file elsewhere": [/app-disk1/, "../app", /a file lies beside/],
  "two files of one id": [/(<File .*\/>)/, "$1$1", /Duplicate key-sequence \['file1'\]/],
  "a disk without id": [/ovf:diskId="disk1"/, "", /diskId.* required/],
  "a disk without capacity": [/ovf:capacity="\d+"/, "", /capacity.* required/],
  "a disk of no file": [/fileRef="file1"/, 'fileRef="file2"', /No match found .*\['file2'\]/],
  "no operating system": [
    /OperatingSystemSection ovf:id="102"/,
    "OperatingSystemSection",
    /id.* req/,
  ],
  "a system without id": [/<vssd:InstanceID>0<\/vssd:InstanceID>/, "", /Expected is .*InstanceID/],
  "properties out of order": [
    /(<rasd:ElementName>disk.*?)(<rasd:HostResource>.*?)(<rasd:InstanceID>)/s,
    "$2$1$3",
    /Expected is .*ElementName|not expected/,
  ],
  "a property twice": [/(<rasd:Parent>3<\/rasd:Parent>)/, "$1$1", /Parent.* not expected/],
  "an unknown property": [/rasd:Address>/g, "rasd:Adress>", /Adress.* not expected/],
  "hardware without name": [/<rasd:ElementName>disk<\/rasd:ElementName>/, "", /ElementName/],
  "hardware without id": [/<rasd:InstanceID>4<\/rasd:InstanceID>/, "", /InstanceID/],
  "two pieces of one id": [/InstanceID>4</, "InstanceID>3<", /Duplicate key-sequence \['3'\]/],
  "an unknown parent": [/Parent>3</, "Parent>9<", /No match found .*\['9'\]/],
  "an unknown network": [/Connection>network</, "Connection>lan<", /No match found .*\['lan'\]/],
  "a type of no number": [/ResourceType>17</, "ResourceType>disk<", /not a valid value/],
  "hardware without type": [
    /<rasd:ResourceType>20<\/rasd:ResourceType>/,
    "",
    /hardware has a type/,
  ],
  "no place at the controller": [/<rasd:AddressOnParent>.*/, "", /has an address there/],
  "no processor": [/<rasd:VirtualQuantity>2<.*/, "", /have a quantity/],
  "memory in unknown units": [/byte \* 2\^20/, "MegaBytes", /powers of two/],
  "a card without network": [/<rasd:Connection>.*/, "", /a network card is connected/],
  "a disk without contents": [/<rasd:HostResource>.*/, "", /controller and contents/],
  "an unknown disk": [/ovf:\/disk\/disk1/, "ovf:/disk/disk2", /described in the disk section/],
};

for (const [name, [from, to, because]] of Object.entries(breaches)) {
  test(`refused: ${name}`, async () => {
    const valid = ovfDescriptor("esxi", machine);
    const broken = valid.replace(from, to);
    assert.notEqual(broken, valid);
    assert.match((await faultsOf(broken)).join("\n"), because);
  });
}
