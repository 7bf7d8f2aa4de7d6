/** QCOW2, QEMU's own format. Neighbours: reader and writer stand beside this file. */
import type { DiskFormat } from "../disk-image.ts";
import { opening } from "../input-file.ts";
import { qcow2Magic } from "./qcow2-layout.ts";
import { type OpenBacking, Qcow2Disk } from "./qcow2-reader.ts";
import { writeQcow2 } from "./qcow2-writer.ts";

/** The format, given how backing files are opened. */
export function makeQcow2Format(openBacking: OpenBacking): DiskFormat {
  return {
    name: "qcow2",
    summary: "QEMU, KVM, Proxmox, OpenStack",
    extension: ".qcow2",
    recognises: (head) => head.length >= 4 && head.readUInt32BE(0) === qcow2Magic,
    open: (path) => opening(path, (file) => new Qcow2Disk(file, openBacking)),
    write: writeQcow2,
  };
}
