/**
 * Requests of ioctl(2) about network interfaces (netdevice(7)), which any socket answers.
 *
 *     struct ifreq: | name 16 | an address, a number or a hardware address 24 |
 *
 * Neighbours: `inet-socket.ts`, `unix-socket.ts`; `net/interface.ts`, `net/addresses.ts`.
 */
import { EADDRNOTAVAIL, EFAULT, EINVAL, ENODEV, ENOTTY, EOPNOTSUPP } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { IpAddress } from "../lib/ip-address";
import { free } from "../lib/object";
import { addAddress, InterfaceAddress, ORIGIN_STATIC, removeAddress } from "../net/addresses";
import { Interface, interfaceAt, interfaceNamed, loopback } from "../net/interface";
import { IFF_UP, interfaceFlags } from "../net/interface-facts";
import { V4_BITS } from "../net/routes";
import { writeAddressV4 } from "../net/sockaddr";
import { load32 as loadNetwork32 } from "../net/bytes";
import { copyIn, copyOut, load32, load64, loadedValue, scratch, store32 } from "./user-memory";

const SIOCGIFNAME: u32 = 0x8910;
const SIOCGIFCONF: u32 = 0x8912;
const SIOCGIFFLAGS: u32 = 0x8913;
const SIOCSIFFLAGS: u32 = 0x8914;
const SIOCGIFADDR: u32 = 0x8915;
const SIOCSIFADDR: u32 = 0x8916;
const SIOCGIFDSTADDR: u32 = 0x8917;
const SIOCGIFBRDADDR: u32 = 0x8919;
const SIOCGIFNETMASK: u32 = 0x891b;
const SIOCSIFNETMASK: u32 = 0x891c;
const SIOCGIFMETRIC: u32 = 0x891d;
const SIOCGIFMTU: u32 = 0x8921;
const SIOCSIFMTU: u32 = 0x8922;
const SIOCGIFHWADDR: u32 = 0x8927;
const SIOCGIFINDEX: u32 = 0x8933;
const SIOCGIFTXQLEN: u32 = 0x8942;
const SIOCETHTOOL: u32 = 0x8946;
const SIOCGIFMAP: u32 = 0x8970;

const REQUEST_FIRST: u32 = 0x8910;
const REQUEST_LAST: u32 = 0x89ff;
const IFREQ_BYTES: usize = 40;
const NAME_BYTES: usize = 16;
const HARDWARE_ETHERNET: u16 = 1;
const HARDWARE_LOOPBACK: u16 = 772;
const QUEUE_LENGTH: i32 = 1000;
const MTU_MIN: u32 = 68;
const DEFAULT_BITS: u32 = 24;

/** Answers a request, or -ENOTTY if it is about something else. */
export function interfaceIoctl(request: u32, argument: usize): i64 {
  if (request < REQUEST_FIRST || request > REQUEST_LAST) return -ENOTTY;
  if (request == SIOCGIFCONF) return listAddresses(argument);
  const block = scratch();
  if (copyIn(block, argument, IFREQ_BYTES) != 0) return -EFAULT;
  const value = block + NAME_BYTES;
  let result: i64;
  if (request == SIOCGIFNAME) result = putName(block, interfaceAt(load<u32>(value)));
  else {
    let length: usize = 0;
    while (length < NAME_BYTES && load<u8>(block + length) != 0) length++;
    const on = interfaceNamed(block, length);
    result = on ? answer(on, request, value) : -ENODEV;
  }
  if (result < 0) return result;
  return copyOut(argument, block, IFREQ_BYTES) != 0 ? -EFAULT : 0;
}

function putName(block: usize, on: Interface | null): i64 {
  if (!on) return -ENODEV;
  memory.fill(block, 0, NAME_BYTES);
  for (let i = 0; i < on.name.length; i++) {
    store<u8>(block + <usize>i, <u8>on.name.charCodeAt(i));
  }
  return 0;
}

/** Reads or sets one fact; `value` is behind the name. */
function answer(on: Interface, request: u32, value: usize): i64 {
  const first = firstEntry(on);
  const own: u32 = first ? first.address.v4 : 0;
  switch (request) {
    case SIOCGIFFLAGS:
      store<u16>(value, <u16>interfaceFlags(on));
      return 0;
    case SIOCSIFFLAGS:
      on.isUp = (load<u16>(value) & <u16>IFF_UP) != 0;
      return 0;
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
      if (!first) return -EADDRNOTAVAIL;
      writeAddressV4(value, own, 0);
      return 0;
    case SIOCGIFBRDADDR:
      if (!first) return -EADDRNOTAVAIL;
      writeAddressV4(value, first.broadcast, 0);
      return 0;
    case SIOCGIFNETMASK:
      if (!first) return -EADDRNOTAVAIL;
      writeAddressV4(value, maskOf(first.prefixBits - V4_BITS), 0);
      return 0;
    case SIOCSIFADDR:
      return setAddress(on, first, loadNetwork32(value + 4), V4_BITS + DEFAULT_BITS);
    case SIOCSIFNETMASK: {
      if (!first) return -EADDRNOTAVAIL;
      const mask = loadNetwork32(value + 4);
      const bits = mask == u32.MAX_VALUE ? 32 : <u32>clz<u32>(~mask);
      return setAddress(on, first, own, V4_BITS + bits);
    }
    case SIOCGIFMTU:
      store<u32>(value, on.mtuBytes);
      return 0;
    case SIOCSIFMTU: {
      const device = on.device;
      const mtu = load<u32>(value);
      if (mtu < MTU_MIN || (device && mtu > device.mtuBytes)) return -EINVAL;
      on.mtuBytes = mtu;
      return 0;
    }
    case SIOCGIFHWADDR:
      store<u64>(value, 0);
      store<u16>(value, on.isLoopback ? HARDWARE_LOOPBACK : HARDWARE_ETHERNET);
      if (!on.isLoopback) memory.copy(value + 2, on.macAddress, 6);
      return 0;
    case SIOCGIFINDEX:
      store<u32>(value, on.index);
      return 0;
    case SIOCGIFMETRIC:
      store<i32>(value, 0);
      return 0;
    case SIOCGIFTXQLEN:
      store<i32>(value, QUEUE_LENGTH);
      return 0;
    case SIOCGIFMAP:
      memory.fill(value, 0, IFREQ_BYTES - NAME_BYTES);
      return 0;
    case SIOCETHTOOL:
      return -EOPNOTSUPP;
  }
  return -ENOTTY;
}

/** The first IPv4 address of an interface. */
function firstEntry(on: Interface): InterfaceAddress | null {
  let entry = on.addresses;
  while (entry && !entry.address.isV4) entry = entry.next;
  return entry;
}

function maskOf(bits: u32): u32 {
  return bits == 0 ? 0 : u32.MAX_VALUE << (32 - bits);
}

/** Replaces the first IPv4 address. */
function setAddress(on: Interface, known: InterfaceAddress | null, host: u32, bits: u32): i64 {
  const address = new IpAddress();
  if (known) {
    address.copyFrom(known.address);
    removeAddress(on, address);
  }
  address.setV4(host);
  if (host != 0) addAddress(on, address, bits, ORIGIN_STATIC);
  free(address);
  return 0;
}

/** SIOCGIFCONF: struct ifconf, a length and at 8 a buffer for struct ifreq with IPv4 addresses. */
function listAddresses(argument: usize): i64 {
  if (load32(argument) < 0) return -EFAULT;
  const capacity = <usize>loadedValue();
  if (load64(argument + 8) < 0) return -EFAULT;
  const buffer = <usize>loadedValue();
  const out = new ByteWriter();
  let on: Interface | null = loopback();
  while (on) {
    let entry = on.addresses;
    while (entry) {
      if (entry.address.isV4) {
        out.writeString(on.name);
        out.writeRepeated(0, NAME_BYTES - <usize>on.name.length);
        out.writeRepeated(0, IFREQ_BYTES - NAME_BYTES);
        const value = out.address + out.length - (IFREQ_BYTES - NAME_BYTES);
        writeAddressV4(value, entry.address.v4, 0);
      }
      entry = entry.next;
    }
    on = on.next;
  }
  // Without a buffer, the application asks how long it must be.
  const whole = buffer == 0 ? out.length : min(out.length, capacity - (capacity % IFREQ_BYTES));
  let result: i64 = 0;
  if (buffer != 0 && copyOut(buffer, out.address, whole) != 0) result = -EFAULT;
  if (result == 0) result = store32(argument, <u32>whole);
  out.dispose();
  free(out);
  return result;
}
