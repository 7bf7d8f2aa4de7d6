/** VHDX, Hyper-V's format. Neighbours: reader and writer stand beside this file. */
import type { DiskFormat } from "../disk-image.ts";
import { opening } from "../input-file.ts";
import { fileIdentifier } from "./vhdx-layout.ts";
import { VhdxDisk } from "./vhdx-reader.ts";
import { writeVhdx } from "./vhdx-writer.ts";

/** The format. */
export const vhdxFormat: DiskFormat = {
  name: "vhdx",
  summary: "Hyper-V",
  extension: ".vhdx",
  recognises: (head) => head.toString("latin1", 0, fileIdentifier.length) === fileIdentifier,
  open: (path) => opening(path, (file) => new VhdxDisk(file)),
  write: writeVhdx,
};
