/** Helpers of the tests of archives and images. Neighbours: the `*.test.ts` files of this folder. */
import { createHash } from "node:crypto";
import { openContent } from "../image/erofs/content.ts";
import { contentSizeBytes, type FileContent, type FsNode, type FsTree } from "../image/tree.ts";

function sha256Of(content: FileContent): string {
  const bytes = Buffer.alloc(contentSizeBytes(content));
  const reader = openContent(content);
  try {
    reader.read(bytes, 0);
  } finally {
    reader.close();
  }
  return createHash("sha256").update(bytes).digest("hex");
}

/** What a tree says, in a form that can be compared; names of one file share a number. */
export function described(tree: FsTree): unknown[] {
  const numbers = new Map<FsNode, number>();
  const lines = [...tree.walk()].filter(([, node]) => node.kind !== "socket");
  lines.sort(([a], [b]) => (a < b ? -1 : 1));
  return lines.map(([path, node]) => {
    const number = numbers.get(node) ?? numbers.size;
    numbers.set(node, number);
    const { xattrs, ...rest } = node.attributes;
    return {
      path,
      number,
      kind: node.kind,
      ...rest,
      xattrs: [...(xattrs ?? [])].map(([key, value]) => [key, Buffer.from(value).toString("hex")]),
      ...(node.kind === "symlink" ? { target: node.target } : {}),
      ...(node.kind === "character" || node.kind === "block"
        ? { device: [node.major, node.minor] }
        : {}),
      ...(node.kind === "file" ? { sha256: sha256Of(node.content) } : {}),
    };
  });
}
