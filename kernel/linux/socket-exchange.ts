/**
 * What goes along with the bytes of a message: addresses, descriptors (SCM_RIGHTS) and the
 * identity of the sender (SCM_CREDENTIALS).
 *
 * Neighbours: `socket-messages.ts`, `socket-control.ts` (control data), `unix-socket.ts`.
 */
import { EINVAL, ENOMEM } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { Rights, dropRights } from "../net/unix/rights";
import { copyIn } from "./user-memory";

/** Largest address (struct sockaddr_storage). */
export const ADDRESS_BYTES: usize = 128;

/** Copies a socket address from the application to a heap block; 0 or a negative error. */
export function copyAddress(block: usize, address: usize, length: usize): i64 {
  if (length > ADDRESS_BYTES) return -EINVAL;
  return copyIn(block, address, length);
}

class Exchange {
  /** Room for ADDRESS_BYTES, and how many are used; 0 = no address. */
  address: usize = 0;
  addressLength: usize = 0;
  /** Descriptors that are passed; owned by this object. */
  rights: Rights | null = null;
  /** Who sent the message, if `hasIdentity`. */
  hasIdentity: bool = false;
  process: i32 = 0;
  user: u32 = 0;
  group: u32 = 0;

  /** Takes the descriptors out; null if there are none (any more). */
  takeRights(): Rights | null {
    const rights = this.rights;
    this.rights = null;
    return rights;
  }

  setIdentity(process: i32, user: u32, group: u32): void {
    this.hasIdentity = true;
    this.process = process;
    this.user = user;
    this.group = group;
  }

  protected allocateAddress(): i64 {
    this.address = heapAllocate(ADDRESS_BYTES);
    return this.address == 0 ? -ENOMEM : 0;
  }

  dispose(): void {
    const rights = this.takeRights();
    if (rights) dropRights(rights);
    if (this.address != 0) heapFree(this.address);
    free(this);
  }
}

/** What is sent along. */
export class Outgoing extends Exchange {
  /** Control data for the protocol (struct cmsghdr records) in a heap block; 0 = none. */
  control: usize = 0;
  controlLength: usize = 0;

  /** Copies the destination from the application; 0, -EINVAL, -EFAULT or -ENOMEM. */
  setAddress(address: usize, length: usize): i64 {
    if (length > ADDRESS_BYTES) return -EINVAL;
    const status = this.allocateAddress();
    if (status < 0) return status;
    this.addressLength = length;
    return copyAddress(this.address, address, length);
  }

  dispose(): void {
    if (this.control != 0) heapFree(this.control);
    super.dispose();
  }
}

/** What came along. */
export class Incoming extends Exchange {
  /** MSG_TRUNC if a datagram did not fit. */
  flags: u32 = 0;
  /** Control data of the protocol; null until somebody wants it. */
  control: ByteWriter | null = null;

  /** Makes room for the sender's address; 0 or -ENOMEM. */
  wantAddress(): i64 {
    return this.allocateAddress();
  }

  /** Notes the sender's address if it is wanted. */
  putAddress(bytes: usize, length: usize): void {
    if (this.address == 0) return;
    this.addressLength = min(length, ADDRESS_BYTES);
    memory.copy(this.address, bytes, this.addressLength);
  }

  dispose(): void {
    const control = this.control;
    if (control) {
      control.dispose();
      free(control);
    }
    super.dispose();
  }
}
