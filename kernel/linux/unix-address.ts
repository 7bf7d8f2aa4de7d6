/**
 * Addresses of local sockets (struct sockaddr_un, unix(7)): a path, an abstract name that begins
 * with a zero byte, or nothing but the family.
 *
 * Neighbours: `net/unix/unix-name.ts` (the table of names), `unix-socket.ts`.
 */
import { S_IFMT, S_IFSOCK } from "../fs/constants";
import { Dentry } from "../fs/dentry";
import { makeNode } from "../fs/namespace";
import { RESOLVE_FOLLOW, resolve } from "../fs/path";
import {
  EADDRINUSE,
  ECONNREFUSED,
  EEXIST,
  EINVAL,
  ENOMEM,
  EPROTOTYPE,
  asError,
  errorOf,
  isError,
} from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { UnixEnd } from "../net/unix/unix-end";
import { UnixName, enterName, findAbstract, findByFile } from "../net/unix/unix-name";
import { fsContext } from "./path-argument";
import { ADDRESS_BYTES } from "./socket-exchange";

export const AF_UNIX: i32 = 1;

/** Bytes of the family, before the name. */
export const FAMILY_BYTES: usize = 2;
/** Bytes of struct sockaddr_un. */
const SOCKADDR_BYTES: usize = 110;
const SOCKET_MODE: u32 = 0o777;
/** Bytes of an address that the kernel chose: the family, a zero, five hexadecimal digits. */
const AUTOBIND_BYTES: usize = 8;
const AUTOBIND_NAMES: u32 = 1 << 20;

let nextAutobind: u32 = 0;

/** Checks family and length; 0 or -EINVAL. */
export function checkUnixAddress(address: usize, length: usize): i64 {
  if (length < FAMILY_BYTES || length > SOCKADDR_BYTES) return -EINVAL;
  return load<u16>(address) == <u16>AF_UNIX ? 0 : -EINVAL;
}

function isAbstract(address: usize): bool {
  return load<u8>(address + FAMILY_BYTES) == 0;
}

/** Length of the path in an address; it ends at a zero byte or with the address. */
function pathLengthOf(address: usize, length: usize): usize {
  let end = FAMILY_BYTES;
  while (end < length && load<u8>(address + end) != 0) end++;
  return end - FAMILY_BYTES;
}

/**
 * Finds the socket with an address.
 * @param type its SOCK_* type
 * @returns a UnixEnd with a reference, or -EINVAL, -ECONNREFUSED, -EPROTOTYPE, -ENOENT and the
 *   other errors of a path
 */
export function findUnixEnd(address: usize, length: usize, type: i32): usize {
  if (length <= FAMILY_BYTES) return asError(-EINVAL);
  const found = isAbstract(address)
    ? changetype<usize>(findAbstract(address, length, type))
    : findByPath(address, length);
  if (isError(found)) return found;
  if (found == 0) return asError(-ECONNREFUSED);
  const end = changetype<UnixEnd>(found);
  if (end.type == type) return found;
  end.release();
  return asError(-EPROTOTYPE);
}

function findByPath(address: usize, length: usize): usize {
  const path = address + FAMILY_BYTES;
  const found = resolve(fsContext(), null, path, pathLengthOf(address, length), RESOLVE_FOLLOW);
  if (isError(found)) return found;
  const dentry = changetype<Dentry>(found);
  const isSocket = (dentry.node.mode & S_IFMT) == S_IFSOCK;
  const end = isSocket ? changetype<usize>(findByFile(dentry.node)) : 0;
  dentry.release();
  return end;
}

/** bind(2) to a checked address; the family alone asks for a free abstract name. */
export function bindUnixEnd(end: UnixEnd, address: usize, length: usize): i64 {
  if (length == FAMILY_BYTES) return end.name ? 0 : autobind(end);
  if (!isAbstract(address)) return bindPath(end, address, length);
  return end.name ? -EINVAL : bindName(end, address, length, null);
}

function bindName(end: UnixEnd, address: usize, length: usize, dentry: Dentry | null): i64 {
  const name = new UnixName(address, length, dentry);
  const status = enterName(name, end);
  name.release();
  return status;
}

function bindPath(end: UnixEnd, address: usize, length: usize): i64 {
  const path = address + FAMILY_BYTES;
  const pathLength = pathLengthOf(address, length);
  if (end.name) {
    // A path that exists is told first.
    const old = resolve(fsContext(), null, path, pathLength, 0);
    if (isError(old)) return -EINVAL;
    changetype<Dentry>(old).release();
    return -EADDRINUSE;
  }
  const made = makeNode(fsContext(), null, path, pathLength, S_IFSOCK | SOCKET_MODE, 0);
  if (made < 0) return made == -EEXIST ? -EADDRINUSE : made;
  const found = resolve(fsContext(), null, path, pathLength, 0);
  if (isError(found)) return errorOf(found);
  // The address in use ends with the zero byte of the path (unix(7)); the caller has room for it.
  const used = FAMILY_BYTES + pathLength + 1;
  assert(used <= ADDRESS_BYTES, "address longer than its block");
  store<u8>(path + pathLength, 0);
  return bindName(end, address, used, changetype<Dentry>(found));
}

function autobind(end: UnixEnd): i64 {
  const address = heapAllocate(AUTOBIND_BYTES);
  if (address == 0) return -ENOMEM;
  store<u16>(address, <u16>AF_UNIX);
  store<u8>(address + FAMILY_BYTES, 0);
  let status: i64 = -EADDRINUSE;
  for (let tried: u32 = 0; status == -EADDRINUSE && tried < AUTOBIND_NAMES; tried++) {
    let number = nextAutobind++ % AUTOBIND_NAMES;
    for (let i = AUTOBIND_BYTES - 1; i > FAMILY_BYTES; i--) {
      const digit = <u8>(number & 15);
      store<u8>(address + i, digit < 10 ? 0x30 + digit : 0x57 + digit);
      number >>= 4;
    }
    status = bindName(end, address, AUTOBIND_BYTES, null);
  }
  heapFree(address);
  return status;
}
