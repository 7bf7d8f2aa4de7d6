/**
 * capget(2), capset(2) and the calls of prctl(2) about capabilities. Of all capabilities the kernel
 * asks only for those to change identities and limits.
 *
 * Neighbours: `credentials.ts` (the sets and their rules), `identity.ts`, `prctl.ts`.
 */
import { EFAULT, EINVAL, EPERM, ESRCH } from "../lib/errno";
import { CAP_SETPCAP, LAST_CAPABILITY } from "./credentials";
import { currentLinuxThread, currentProcess } from "./process";
import { copyIn, copyOut, scratch, store32 } from "./user-memory";

const CAPABILITY_VERSION_1: u32 = 0x19980330;
const CAPABILITY_VERSION_2: u32 = 0x20071026;
const CAPABILITY_VERSION_3: u32 = 0x20080522;
/** Bytes of the three sets (effective, permitted, inheritable) for 32 capabilities. */
const SETS_BYTES: usize = 12;

const AMBIENT_IS_SET: u64 = 1;
const AMBIENT_RAISE: u64 = 2;
const AMBIENT_LOWER: u64 = 3;
const AMBIENT_CLEAR_ALL: u64 = 4;

/** capget(2), about the caller's own process. */
export function sysCapget(header: usize, data: usize): i64 {
  const words = capabilityWords(header);
  if (words < 0) return data == 0 && words == -EINVAL ? 0 : words;
  if (data == 0) return 0;
  const identity = currentProcess().credentials;
  const buffer = scratch();
  for (let i: usize = 0; i < 2; i++) {
    const sets = buffer + i * SETS_BYTES;
    store<u32>(sets, <u32>(identity.effective >> (i * 32)));
    store<u32>(sets + 4, <u32>(identity.permitted >> (i * 32)));
    store<u32>(sets + 8, <u32>(identity.inheritable >> (i * 32)));
  }
  return copyOut(data, buffer, <usize>words * SETS_BYTES);
}

/** capset(2) for the caller itself: nobody gains a capability that was not permitted. */
export function sysCapset(header: usize, data: usize): i64 {
  const words = capabilityWords(header);
  if (words < 0) return words;
  const buffer = scratch();
  memory.fill(buffer, 0, 2 * SETS_BYTES);
  if (copyIn(buffer, data, <usize>words * SETS_BYTES) != 0) return -EFAULT;
  const effective = joinWords(buffer);
  const permitted = joinWords(buffer + 4);
  const inheritable = joinWords(buffer + 8);
  const identity = currentProcess().credentials;
  const mayInherit =
    identity.inheritable |
    (identity.may(CAP_SETPCAP) ? identity.bounding : identity.permitted & identity.bounding);
  const gains =
    (permitted & ~identity.permitted) | (effective & ~permitted) | (inheritable & ~mayInherit);
  if (gains != 0) return -EPERM;
  identity.setCapabilities(effective, permitted, inheritable);
  return 0;
}

function joinWords(low: usize): u64 {
  return <u64>load<u32>(low) | ((<u64>load<u32>(low + SETS_BYTES)) << 32);
}

/** PR_SET_KEEPCAPS. */
export function setKeepsCapabilities(value: u64): i64 {
  if (value > 1) return -EINVAL;
  currentProcess().credentials.keepsCapabilities = value == 1;
  return 0;
}

/** PR_CAPBSET_READ: 1 if the capability is in the bounding set. */
export function readBoundingSet(capability: u64): i64 {
  if (capability > LAST_CAPABILITY) return -EINVAL;
  return (currentProcess().credentials.bounding >> capability) & 1;
}

/** PR_CAPBSET_DROP. */
export function dropFromBoundingSet(capability: u64): i64 {
  if (capability > LAST_CAPABILITY) return -EINVAL;
  const identity = currentProcess().credentials;
  if (!identity.may(CAP_SETPCAP)) return -EPERM;
  identity.bounding &= ~(1 << capability);
  return 0;
}

/**
 * PR_CAP_AMBIENT: looks at the ambient set or changes it.
 * @param operation AMBIENT_*
 * @returns 0, for AMBIENT_IS_SET 0 or 1, or -EINVAL, -EPERM
 */
export function changeAmbientSet(operation: u64, capability: u64): i64 {
  const identity = currentProcess().credentials;
  if (operation == AMBIENT_CLEAR_ALL) {
    if (capability != 0) return -EINVAL;
    identity.ambient = 0;
    return 0;
  }
  if (capability > LAST_CAPABILITY) return -EINVAL;
  const bit = (<u64>1) << capability;
  if (operation == AMBIENT_IS_SET) return (identity.ambient & bit) != 0 ? 1 : 0;
  if (operation == AMBIENT_LOWER) identity.ambient &= ~bit;
  else if (operation != AMBIENT_RAISE) return -EINVAL;
  else if ((identity.permitted & identity.inheritable & bit) == 0) return -EPERM;
  else identity.ambient |= bit;
  return 0;
}

/** How many words the header's version has; tells the version we know if it is another one. */
function capabilityWords(header: usize): i64 {
  const buffer = scratch();
  if (copyIn(buffer, header, 8) != 0) return -EFAULT;
  const version = load<u32>(buffer);
  const pid = load<i32>(buffer + 4);
  if (!isVersion(version)) {
    return store32(header, CAPABILITY_VERSION_3) != 0 ? -EFAULT : -EINVAL;
  }
  if (pid < 0) return -EINVAL;
  const process = currentProcess();
  if (pid != 0 && pid != process.id && pid != currentLinuxThread().id) return -ESRCH;
  return version == CAPABILITY_VERSION_1 ? 1 : 2;
}

function isVersion(version: u32): bool {
  return (
    version == CAPABILITY_VERSION_1 ||
    version == CAPABILITY_VERSION_2 ||
    version == CAPABILITY_VERSION_3
  );
}
