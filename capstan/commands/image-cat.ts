/** `capstan image cat IMAGE PATH...`: prints files in an image of any format. */
import { DescriptorSink } from "../console/output.ts";
import { withFilesOf } from "../disk/look-inside.ts";
import { UserError } from "../errors.ts";
import { contentsOf, findInImage } from "../image/image-files.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const imageCatCommand: CommandDefinition = {
  name: "image cat",
  summary: "print files in an image",
  parameters: "<image> <path...>",
  options: [{ flags: "--json", description: "print an object with path and base64 for each file" }],
  examples: ["capstan image cat app.qcow2 /etc/hostname"],
  completes: "file",
  run: print,
};

async function print({ args, options }: CommandInput): Promise<number> {
  const [image = "", ...paths] = args;
  const out = new DescriptorSink(1);
  return withFilesOf(image, async (root) => {
    for (const path of paths) {
      const { inode, path: resolved } = findInImage(root, path, true);
      if (inode.kind !== "file") {
        throw new UserError({
          code: "NotAFile",
          what: `cannot print ${path}`,
          why: `${resolved} is a ${inode.kind}`,
          fix: "list directories with capstan image ls",
        });
      }
      if (options.json === true) {
        const content = Buffer.concat([...contentsOf(root, inode)]).toString("base64");
        await out.write(Buffer.from(`${JSON.stringify({ path: resolved, base64: content })}\n`));
        continue;
      }
      for (const piece of contentsOf(root, inode)) await out.write(piece);
    }
    return 0;
  });
}
