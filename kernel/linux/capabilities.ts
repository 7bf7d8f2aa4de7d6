/**
 * capget(2) and capset(2). Nothing in the kernel asks for a capability: root is said to have all of
 * them (capabilities(7)), anybody else none.
 *
 * Neighbours: `identity.ts`.
 */
import { EFAULT, EINVAL, ESRCH } from "../lib/errno";
import { currentLinuxThread, currentProcess } from "./process";
import { copyIn, copyOut, scratch, store32 } from "./user-memory";

const CAPABILITY_VERSION_1: u32 = 0x19980330;
const CAPABILITY_VERSION_2: u32 = 0x20071026;
const CAPABILITY_VERSION_3: u32 = 0x20080522;
/** Capabilities 0 to 40 (capabilities(7)), as two words. */
const ALL_LOW: u32 = 0xffff_ffff;
const ALL_HIGH: u32 = 0x1ff;

/** capget(2): root has every capability, anybody else none. */
export function sysCapget(header: usize, data: usize): i64 {
  const words = capabilityWords(header);
  if (words < 0) return data == 0 && words == -EINVAL ? 0 : words;
  if (data == 0) return 0;
  const isRoot = currentProcess().credentials.effectiveUser == 0;
  const buffer = scratch();
  memory.fill(buffer, 0, 24);
  for (let i: i64 = 0; i < words && isRoot; i++) {
    const value = i == 0 ? ALL_LOW : ALL_HIGH;
    store<u32>(buffer + <usize>i * 12, value); // effective
    store<u32>(buffer + <usize>i * 12 + 4, value); // permitted
  }
  return copyOut(data, buffer, <usize>words * 12);
}

/** capset(2): accepted for the caller itself; nothing is ever refused for lack of a capability. */
export function sysCapset(header: usize, data: usize): i64 {
  const words = capabilityWords(header);
  if (words < 0) return words;
  return copyIn(scratch(), data, <usize>words * 12);
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
