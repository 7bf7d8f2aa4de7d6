/**
 * Writes what the network told about names where programs look for it: /etc/resolv.conf
 * (resolv.conf(5)) and /etc/hostname (hostname(5)).
 *
 * Neighbours: `resolver.ts` has the facts; `init.ts` calls it when the network is configured.
 */
import { O_CREAT, O_TRUNC, O_WRONLY } from "../fs/constants";
import { File } from "../fs/file";
import { FsContext } from "../fs/fs-context";
import { Literal } from "../fs/literal";
import { rootDentry } from "../fs/mount";
import { openPath } from "../fs/open";
import { isError } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { writeIpAddress } from "../lib/ip-text";
import { log } from "../lib/log";
import { free } from "../lib/object";
import {
  domainLength,
  domainName,
  hostName,
  hostNameLength,
  nameServer,
  nameServerCount,
} from "./resolver";

const NEWLINE: u8 = 0x0a;

/** Writes the files for which something is known; the image's own stay otherwise. */
export function writeResolverFiles(): void {
  const out = new ByteWriter();
  if (nameServerCount() != 0) {
    if (domainLength() != 0) {
      out.writeString("search ");
      out.writeBytes(domainName(), domainLength());
      out.writeByte(NEWLINE);
    }
    for (let i: u32 = 0; i < nameServerCount(); i++) {
      out.writeString("nameserver ");
      writeIpAddress(out, nameServer(i));
      out.writeByte(NEWLINE);
    }
    writeFile("/etc/resolv.conf", out);
  }
  if (hostNameLength() != 0) {
    out.clear();
    out.writeBytes(hostName(), hostNameLength());
    out.writeByte(NEWLINE);
    writeFile("/etc/hostname", out);
  }
  out.dispose();
  free(out);
}

function writeFile(path: string, text: ByteWriter): void {
  const context = new FsContext(rootDentry(), rootDentry());
  const name = new Literal(path);
  const flags = O_WRONLY | O_CREAT | O_TRUNC;
  const opened = openPath(context, null, name.bytes, name.length, flags, 0o644);
  if (isError(opened)) log("net: resolv.conf or hostname cannot be written");
  else {
    const file = changetype<File>(opened);
    file.write(text.address, text.length);
    file.release();
  }
  name.dispose();
  context.release();
}
