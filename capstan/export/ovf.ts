/**
 * The OVF descriptor: one virtual machine with one disk and one network card, in the dialects of
 * VirtualBox and of ESXi.
 *
 * Reference: DMTF DSP0243, "Open Virtualization Format Specification", 1.1; resource types of
 * CIM_ResourceAllocationSettingData. Neighbours: `ova.ts` packs it.
 */

/** Whose dialect. */
export type OvfDialect = "virtualbox" | "esxi";

/** What the descriptor says. */
export interface OvfMachine {
  readonly name: string;
  readonly diskFile: string;
  readonly diskFileBytes: number;
  readonly diskBytes: number;
  /** What the disk takes without compression. */
  readonly populatedBytes: number;
  readonly memoryBytes: number;
  readonly cpus: number;
}

/** What differs between the dialects. */
const dialects = {
  virtualbox: { systemType: "virtualbox-2.2", sataType: "AHCI", networkType: "virtio" },
  esxi: { systemType: "vmx-10", sataType: "vmware.sata.ahci", networkType: "VmxNet3" },
} as const;

/** CIM resource types. */
const resource = { processor: 3, memory: 4, network: 10, disk: 17, storageController: 20 } as const;

const namespaces = {
  xmlns: "http://schemas.dmtf.org/ovf/envelope/1",
  "xmlns:ovf": "http://schemas.dmtf.org/ovf/envelope/1",
  "xmlns:rasd":
    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData",
  "xmlns:vssd": "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData",
} as const;

/** Text of an element or attribute. */
function escaped(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

/** One piece of hardware; the schema wants the fields in the order of their names. */
function item(fields: Readonly<Record<string, string | number>>): string {
  const lines = Object.keys(fields)
    .sort()
    .map((name) => `        <rasd:${name}>${escaped(String(fields[name]))}</rasd:${name}>\n`);
  return `      <Item>\n${lines.join("")}      </Item>\n`;
}

/** The descriptor's text. */
export function ovfDescriptor(dialect: OvfDialect, machine: OvfMachine): string {
  const { systemType, sataType, networkType } = dialects[dialect];
  const name = escaped(machine.name);
  const memoryMiB = Math.ceil(machine.memoryBytes / 2 ** 20);
  const attributes = Object.entries(namespaces).map(([key, value]) => ` ${key}="${value}"`);
  const hardware = [
    item({
      InstanceID: 1,
      ResourceType: resource.processor,
      ElementName: `${machine.cpus} virtual CPUs`,
      VirtualQuantity: machine.cpus,
    }),
    item({
      InstanceID: 2,
      ResourceType: resource.memory,
      AllocationUnits: "byte * 2^20",
      ElementName: `${memoryMiB} MB of memory`,
      VirtualQuantity: memoryMiB,
    }),
    item({
      InstanceID: 3,
      ResourceType: resource.storageController,
      ResourceSubType: sataType,
      ElementName: "SATA controller",
      Address: 0,
    }),
    item({
      InstanceID: 4,
      ResourceType: resource.disk,
      Parent: 3,
      AddressOnParent: 0,
      HostResource: "ovf:/disk/disk1",
      ElementName: "disk",
    }),
    item({
      InstanceID: 5,
      ResourceType: resource.network,
      ResourceSubType: networkType,
      AutomaticAllocation: "true",
      Connection: "network",
      ElementName: "network card",
    }),
  ].join("");
  return `<?xml version="1.0" encoding="UTF-8"?>
<Envelope${attributes.join("")} ovf:version="1.0" xml:lang="en-US">
  <References>
    <File ovf:id="file1" ovf:href="${escaped(machine.diskFile)}" ovf:size="${machine.diskFileBytes}"/>
  </References>
  <DiskSection>
    <Info>Virtual disks</Info>
    <Disk ovf:diskId="disk1" ovf:fileRef="file1" ovf:capacity="${machine.diskBytes}" ovf:populatedSize="${machine.populatedBytes}" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
  </DiskSection>
  <NetworkSection>
    <Info>Networks</Info>
    <Network ovf:name="network">
      <Description>The network of the application</Description>
    </Network>
  </NetworkSection>
  <VirtualSystem ovf:id="${name}">
    <Info>A virtual machine that runs one application</Info>
    <Name>${name}</Name>
    <OperatingSystemSection ovf:id="102">
      <Info>The kind of guest operating system</Info>
      <Description>Other (64-bit)</Description>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>Virtual hardware</Info>
      <System>
        <vssd:ElementName>Virtual hardware family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>${name}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>${systemType}</vssd:VirtualSystemType>
      </System>
${hardware}    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
`;
}
