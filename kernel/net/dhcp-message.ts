/**
 * DHCP messages as bytes: RFC 2131 section 2, options of RFC 2132, classless routes of RFC 3442.
 *
 * Neighbour: `dhcp.ts` sends and understands them.
 */
import { domainFound, hostName, hostNameFound, hostNameLength } from "./resolver";
import { load32, store16, store32 } from "./bytes";

// Offsets of the fixed fields.
const TRANSACTION: usize = 4;
const FLAGS: usize = 10;
const CLIENT_ADDRESS: usize = 12;
const YOUR_ADDRESS: usize = 16;
const CLIENT_HARDWARE: usize = 28;
const SERVER_NAME: usize = 44;
const FILE: usize = 108;
const COOKIE: usize = 236;
const OPTIONS: usize = 240;
const COOKIE_VALUE: u32 = 0x63825363;
/** Ask for answers by broadcast: we have no address yet (section 4.1). */
const FLAG_BROADCAST: u8 = 0x80;
const REQUEST_OPERATION: u8 = 1;
const REPLY_OPERATION: u8 = 2;
const HARDWARE_ETHERNET: u8 = 1;
const MAC_BYTES: usize = 6;
/** What every server must accept (section 2). */
export const MESSAGE_BYTES: usize = 300;
/** The longest answer that is taken. */
export const ANSWER_MAX: usize = 1500;

export const OPTION_MASK: u8 = 1;
export const OPTION_ROUTER: u8 = 3;
export const OPTION_NAME_SERVER: u8 = 6;
const OPTION_HOST_NAME: u8 = 12;
const OPTION_DOMAIN: u8 = 15;
export const OPTION_MTU: u8 = 26;
const OPTION_REQUESTED: u8 = 50;
export const OPTION_LEASE: u8 = 51;
const OPTION_OVERLOAD: u8 = 52;
const OPTION_TYPE: u8 = 53;
export const OPTION_SERVER: u8 = 54;
const OPTION_WANTED: u8 = 55;
const OPTION_SIZE: u8 = 57;
export const OPTION_RENEW: u8 = 58;
export const OPTION_REBIND: u8 = 59;
const OPTION_CLIENT: u8 = 61;
export const OPTION_ROUTES: u8 = 121;
const OPTION_END: u8 = 255;

export const DISCOVER: u8 = 1;
export const OFFER: u8 = 2;
export const REQUEST: u8 = 3;
export const ACKNOWLEDGE: u8 = 5;
export const REFUSE: u8 = 6;

/** Codes of the options that are asked for. */
const WANTED = memory.data<u8>([1, 3, 6, 12, 15, 26, 51, 58, 59, 121]);
const WANTED_COUNT: usize = 10;

/**
 * Writes a message of MESSAGE_BYTES.
 * @param own the address in use, while a lease is renewed; 0 = none yet
 * @param requested, server what an offer said, in a request for it; 0 = not in this message
 */
export function writeMessage(
  out: usize,
  type: u8,
  transaction: u32,
  mac: usize,
  own: u32,
  requested: u32,
  server: u32,
): void {
  memory.fill(out, 0, MESSAGE_BYTES);
  store<u8>(out, REQUEST_OPERATION);
  store<u8>(out, HARDWARE_ETHERNET, 1);
  store<u8>(out, <u8>MAC_BYTES, 2);
  store32(out + TRANSACTION, transaction);
  if (own == 0) store<u8>(out + FLAGS, FLAG_BROADCAST);
  store32(out + CLIENT_ADDRESS, own);
  memory.copy(out + CLIENT_HARDWARE, mac, MAC_BYTES);
  store32(out + COOKIE, COOKIE_VALUE);
  let at = begin(out + OPTIONS, OPTION_TYPE, 1);
  store<u8>(at++, type);
  at = begin(at, OPTION_CLIENT, <u8>(MAC_BYTES + 1));
  store<u8>(at, HARDWARE_ETHERNET);
  memory.copy(at + 1, mac, MAC_BYTES);
  at += MAC_BYTES + 1;
  at = begin(at, OPTION_SIZE, 2);
  store16(at, <u32>ANSWER_MAX);
  at += 2;
  if (requested != 0) at = put32(at, OPTION_REQUESTED, requested);
  if (server != 0) at = put32(at, OPTION_SERVER, server);
  // 300 bytes leave room for a name of this length.
  if (hostNameLength() != 0 && hostNameLength() <= 16) {
    at = begin(at, OPTION_HOST_NAME, <u8>hostNameLength());
    memory.copy(at, hostName(), hostNameLength());
    at += hostNameLength();
  }
  at = begin(at, OPTION_WANTED, <u8>WANTED_COUNT);
  memory.copy(at, WANTED, WANTED_COUNT);
  store<u8>(at + WANTED_COUNT, OPTION_END);
}

function begin(at: usize, code: u8, length: u8): usize {
  store<u8>(at, code);
  store<u8>(at, length, 1);
  return at + 2;
}

function put32(at: usize, code: u8, value: u32): usize {
  store32(begin(at, code, 4), value);
  return at + 6;
}

/** An answer to one of our messages, of `length` bytes. */
export class DhcpAnswer {
  address: usize = 0;
  length: usize = 0;

  /** The type of an answer to `transaction`; 0 if it is something else. */
  type(transaction: u32): u8 {
    const at = this.address;
    if (this.length <= OPTIONS || load<u8>(at) != REPLY_OPERATION) return 0;
    if (load32(at + TRANSACTION) != transaction || load32(at + COOKIE) != COOKIE_VALUE) return 0;
    const found = this.option(OPTION_TYPE);
    return found != 0 ? load<u8>(found) : 0;
  }

  get yourAddress(): u32 {
    return load32(this.address + YOUR_ADDRESS);
  }

  /** Address of an option's value, its length in the byte before; 0 if it is not there. */
  option(code: u8): usize {
    const at = this.address;
    const found = findOption(at + OPTIONS, at + this.length, code);
    if (found != 0 || code == OPTION_OVERLOAD) return found;
    // Options may go on in fields that are not needed otherwise (RFC 2132, section 9.3).
    const overload = this.option(OPTION_OVERLOAD);
    const uses: u8 = overload != 0 ? load<u8>(overload) : 0;
    const inFile = (uses & 1) != 0 ? findOption(at + FILE, at + COOKIE, code) : 0;
    if (inFile != 0 || (uses & 2) == 0) return inFile;
    return findOption(at + SERVER_NAME, at + FILE, code);
  }

  /** Length of the value of an option that was found. */
  lengthOf(value: usize): usize {
    return <usize>load<u8>(value - 1);
  }

  /** A 32-bit option, or `otherwise`. */
  number(code: u8, otherwise: u32): u32 {
    const at = this.option(code);
    return at != 0 && this.lengthOf(at) >= 4 ? load32(at) : otherwise;
  }

  /** Notes host name and domain, if they are told. */
  takeNames(): void {
    const domain = this.option(OPTION_DOMAIN);
    if (domain != 0) domainFound(domain, withoutZero(domain, this.lengthOf(domain)));
    const host = this.option(OPTION_HOST_NAME);
    if (host != 0) hostNameFound(host, withoutZero(host, this.lengthOf(host)));
  }
}

/** Some servers terminate texts as C does. */
function withoutZero(text: usize, length: usize): usize {
  return length > 0 && load<u8>(text + length - 1) == 0 ? length - 1 : length;
}

function findOption(start: usize, end: usize, code: u8): usize {
  let at = start;
  while (at + 2 <= end) {
    const found = load<u8>(at);
    if (found == OPTION_END) return 0;
    if (found == 0) {
      at++;
      continue;
    }
    const length = <usize>load<u8>(at, 1);
    if (at + 2 + length > end) return 0;
    if (found == code && length > 0) return at + 2;
    at += 2 + length;
  }
  return 0;
}
