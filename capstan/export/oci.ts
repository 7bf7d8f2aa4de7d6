/**
 * OCI images for Kubernetes, each one archive with an OCI layout: for KubeVirt a disk under /disk/
 * (containerDisk), for urunc kernel and file system with annotations that say how to start them.
 *
 * References: OCI image specification 1.1 (layout, manifest, config); KubeVirt user guide,
 * "containerDisk"; urunc, docs/package/ (annotations, /urunc.json).
 * Neighbours: `../archive/tar-writer.ts` writes the archives.
 */
import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { join } from "node:path";
import { writeTar } from "../archive/tar-writer.ts";
import type { DiskOutput } from "../disk/disk-image.ts";
import { qcow2Format } from "../disk/formats.ts";
import { type OutputFile, writeWhole } from "../disk/output-file.ts";
import { type FileNode, FsTree, identityOf, neutralAttributes } from "../image/tree.ts";
import {
  type Application,
  type ExportContext,
  type FileTarget,
  writeApplicationDisk,
} from "./target.ts";

const mediaTypes = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;

/** The user that runs virtual machines in KubeVirt's pods. */
const qemuUser = 107;

/** A file of the host as a node. */
function hostFile(path: string, mode: number, owner = 0): FileNode {
  const stats = statSync(path, { bigint: true });
  return {
    kind: "file",
    attributes: { ...neutralAttributes(mode), uid: owner, gid: owner },
    content: { from: "host", path, sizeBytes: Number(stats.size), identity: identityOf(stats) },
  };
}

function bytesFile(bytes: Uint8Array): FileNode {
  return { kind: "file", attributes: neutralAttributes(0o644), content: { from: "bytes", bytes } };
}

async function appendTar(tree: FsTree, output: DiskOutput): Promise<void> {
  for await (const piece of writeTar(tree, () => output.pause())) output.append(piece);
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Writes an image with one layer as an archive with an OCI layout. */
async function writeImage(
  root: FsTree,
  annotations: Readonly<Record<string, string>>,
  name: string,
  output: OutputFile,
  { scratchFolder, signal }: ExportContext,
): Promise<void> {
  const layerPath = join(scratchFolder(), "layer.tar");
  await writeWhole(layerPath, signal, (file) => appendTar(root, file));
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(layerPath, { highWaterMark: 2 ** 20 })) {
    hash.update(chunk);
  }
  const layerDigest = `sha256:${hash.digest("hex")}`;
  const layout = new FsTree();
  const addBlob = (digest: string, node: FileNode): void => {
    layout.set(`/blobs/sha256/${digest.slice("sha256:".length)}`, node);
  };
  const addJson = (mediaType: string, value: unknown): Descriptor => {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    addBlob(digest, bytesFile(bytes));
    return { mediaType, digest, size: bytes.length };
  };
  addBlob(layerDigest, hostFile(layerPath, 0o644));
  const config = addJson(mediaTypes.config, {
    architecture: "amd64",
    os: "linux",
    config: { Labels: annotations },
    rootfs: { type: "layers", diff_ids: [layerDigest] },
  });
  const layer = {
    mediaType: mediaTypes.layer,
    digest: layerDigest,
    size: statSync(layerPath).size,
  };
  const manifest = addJson(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: [layer],
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  });
  const named = { ...manifest, annotations: { "org.opencontainers.image.ref.name": name } };
  const platform = { architecture: "amd64", os: "linux" };
  const index = { schemaVersion: 2, manifests: [{ ...named, platform }] };
  layout.set("/index.json", bytesFile(Buffer.from(JSON.stringify(index))));
  layout.set("/oci-layout", bytesFile(Buffer.from('{"imageLayoutVersion":"1.0.0"}')));
  await appendTar(layout, output);
}

/** The target for KubeVirt. */
export const kubevirtTarget: FileTarget = {
  kind: "file",
  name: "kubevirt",
  summary: "KubeVirt containerDisk (OCI archive with /disk/disk.qcow2)",
  extension: ".oci.tar",
  async write(application, output, context) {
    const disk = join(context.scratchFolder(), "disk.qcow2");
    await writeWhole(disk, context.signal, (file) =>
      writeApplicationDisk(application, qcow2Format, file),
    );
    const root = new FsTree();
    const owned = { ...neutralAttributes(0o755), uid: qemuUser, gid: qemuUser };
    root.makeDirectory("/disk", owned);
    root.set("/disk/disk.qcow2", hostFile(disk, 0o440, qemuUser));
    await writeImage(root, {}, application.name, output, context);
  },
};

const kernelPath = "/unikernel/kernel.elf";
const rootPath = "/unikernel/rootfs.erofs";

/** How urunc is to start an application. */
export function uruncAnnotations({ configuration }: Application): Record<string, string> {
  const prefix = "com.urunc.unikernel.";
  const fields = {
    unikernelType: "osv",
    hypervisor: "qemu",
    binary: kernelPath,
    cmdline: configuration("/dev/vda", "serial"),
    block: rootPath,
    blkMntPoint: "/",
    mountRootfs: "false",
  };
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [prefix + key, value]));
}

/** The target for urunc. */
export const uruncTarget: FileTarget = {
  kind: "file",
  name: "urunc",
  summary: "urunc (OCI archive with kernel, file system, annotations)",
  extension: ".urunc.tar",
  async write(application, output, context) {
    const annotations = uruncAnnotations(application);
    const encoded = Object.entries(annotations).map(([key, value]) => {
      return [key, Buffer.from(value).toString("base64")];
    });
    const root = new FsTree();
    root.set(kernelPath, hostFile(application.kernelPath, 0o644));
    root.set(rootPath, hostFile(application.rootImagePath, 0o644));
    root.set("/urunc.json", bytesFile(Buffer.from(JSON.stringify(Object.fromEntries(encoded)))));
    await writeImage(root, annotations, application.name, output, context);
  },
};
