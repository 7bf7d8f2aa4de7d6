/** `capstan image inspect IMAGE`: says what an image file is: format, partitions, what it starts. */
import { statSync } from "node:fs";
import { type ImageInside, lookInside } from "../disk/look-inside.ts";
import { uuidText } from "../image/uuid.ts";
import { decodeWord } from "../protocol/command-line.ts";
import { formatBytes, formatTable } from "../text/table.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const imageInspectCommand: CommandDefinition = {
  name: "image inspect",
  summary: "say what an image file is and what it starts",
  parameters: "<image>",
  options: [],
  examples: ["capstan image inspect app.vmdk", "capstan image inspect --json app.qcow2"],
  completes: "file",
  run: inspect,
};

async function inspect({ args, options }: CommandInput): Promise<number> {
  const [path = ""] = args;
  const inside = lookInside(path);
  try {
    const found = facts(inside);
    process.stdout.write(options.json === true ? `${JSON.stringify(found)}\n` : toText(found));
    return 0;
  } finally {
    inside.close();
  }
}

/** The words of a configuration, decoded. */
function programOf(configuration: string): string[] {
  const words = configuration.split(" ");
  return words.slice(words.indexOf("--") + 1).map(decodeWord);
}

function facts({ path, format, disk, table, boot, root }: ImageInside) {
  const stats = statSync(path);
  return {
    path,
    format: format.name,
    fileBytes: stats.size,
    allocatedBytes: stats.blocks * 512,
    diskBytes: disk.sizeBytes,
    signature: table?.signature.toString(16).padStart(8, "0") ?? null,
    partitions: (table?.partitions ?? []).map(({ type, firstSector, sectors, isActive }) => ({
      type: `0x${type.toString(16)}`,
      isActive,
      startBytes: firstSector * 512,
      sizeBytes: sectors * 512,
    })),
    boot:
      boot === undefined
        ? null
        : {
            program: programOf(boot.configuration),
            configuration: boot.configuration,
            kernelBytes: boot.parameters.kernelSectors * 512,
          },
    fileSystem:
      root === undefined
        ? null
        : {
            type: "erofs",
            uuid: uuidText(root.superblock.uuid),
            sizeBytes: root.superblock.blockCount * 4096,
            inodes: root.superblock.inodeCount,
          },
  };
}

function toText(found: ReturnType<typeof facts>): string {
  const { boot, fileSystem } = found;
  return formatTable([
    ["format", found.format],
    ["file", `${formatBytes(found.fileBytes)} (${formatBytes(found.allocatedBytes)} on disk)`],
    ["disk", formatBytes(found.diskBytes)],
    ...(found.signature === null ? [] : [["signature", found.signature]]),
    ...found.partitions.map(({ type, startBytes, sizeBytes }, index) => [
      `partition ${index + 1}`,
      `type ${type}, ${formatBytes(sizeBytes)} at ${formatBytes(startBytes)}`,
    ]),
    ...(boot === null
      ? []
      : [
          ["kernel", formatBytes(boot.kernelBytes)],
          ["program", boot.program.join(" ")],
        ]),
    ...(fileSystem === null
      ? []
      : [
          [
            "file system",
            `${fileSystem.type}, ${formatBytes(fileSystem.sizeBytes)}, ` +
              `${fileSystem.inodes} inodes, ${fileSystem.uuid}`,
          ],
        ]),
  ]);
}
