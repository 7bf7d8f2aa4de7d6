/**
 * memcached's binary protocol (protocol_binary.xml, "Memcache Binary Protocol"):
 *
 *     0        1        2               4            5          6               8
 *     | magic  | opcode | key length    | extras len | data type| status/vbucket|
 *     | total body length (4)  | opaque (4)  | cas (8)                          |
 *     | extras … | key … | value …                                              |
 *
 * A quiet command answers only when it has something else to say than what is expected.
 * Neighbours: `session.ts`, `binary-opcodes.ts`, `store.ts`, `stats-report.ts`.
 */
import { free } from "../../lib/object";
import { Item } from "./item";
import {
  ADD,
  APPEND,
  DECREMENT,
  DELETE,
  FLUSH,
  GAT,
  GET,
  INCREMENT,
  NOOP,
  PREPEND,
  QUIT,
  REPLACE,
  SET,
  STAT,
  TOUCH,
  VERBOSITY,
  VERSION_OPCODE,
  UNKNOWN,
  plainOpcode,
  returnsKey,
  isQuietOpcode,
  STATUS_EXISTS,
  STATUS_INVALID,
  STATUS_NOT_FOUND,
  STATUS_NOT_STORED,
  STATUS_NO_MEMORY,
  STATUS_NOT_A_NUMBER,
  STATUS_OK,
  STATUS_TOO_LARGE,
  STATUS_UNKNOWN_COMMAND,
} from "./binary-opcodes";
import { BROKEN, INCOMPLETE, Session } from "./session";
import { StatWriter, writeGeneral, writeSection } from "./stats-report";
import {
  EXISTS,
  KEY_MAX,
  NOT_A_NUMBER,
  NOT_FOUND,
  NO_MEMORY,
  PUT_ADD,
  PUT_APPEND,
  PUT_PREPEND,
  PUT_REPLACE,
  PUT_SET,
  NOT_STORED,
  STORED,
  TOO_LARGE,
  digitsOf,
} from "./store";
import { expiryOf } from "./time";
import { VERSION } from "./version";

export const BINARY_REQUEST: u8 = 0x80;
const BINARY_RESPONSE: u8 = 0x81;
export const HEADER_BYTES: u32 = 24;
/** What may come before the value. */
const BEFORE_VALUE_MAX: u64 = 1024;
/** exptime of incr and decr: do not make the item. */
const NO_CREATION: u32 = u32.MAX_VALUE;

/** Fields of a request. */
@unmanaged
class Header {
  magic: u8;
  opcode: u8;
  private rawKeyBytes: u16;
  extraBytes: u8;
  dataType: u8;
  vbucket: u16;
  private rawBodyBytes: u32;
  /** Given back as it came. */
  opaque: u32;
  private rawUnique: u64;

  get keyBytes(): u32 {
    return bswap<u16>(this.rawKeyBytes);
  }

  get bodyBytes(): u32 {
    return bswap<u32>(this.rawBodyBytes);
  }

  get unique(): u64 {
    return bswap<u64>(this.rawUnique);
  }

  get extras(): usize {
    return changetype<usize>(this) + HEADER_BYTES;
  }

  get key(): usize {
    return this.extras + this.extraBytes;
  }

  get value(): usize {
    return this.key + this.keyBytes;
  }

  /** Negative if key and extras do not fit the body. */
  get valueBytes(): i64 {
    return <i64>this.bodyBytes - this.keyBytes - this.extraBytes;
  }

  extra32(offset: u32): u32 {
    return bswap<u32>(load<u32>(this.extras + offset));
  }

  extra64(offset: u32): u64 {
    return bswap<u64>(load<u64>(this.extras + offset));
  }
}

/** Length of the request at `at`, INCOMPLETE or, after an answer that says why, BROKEN. */
export function binaryRequestBytes(session: Session, at: usize, bytes: usize): i64 {
  if (bytes < HEADER_BYTES) return INCOMPLETE;
  const header = changetype<Header>(at);
  if (header.bodyBytes > session.settings.itemBytes + BEFORE_VALUE_MAX) {
    answerStatus(session, header, STATUS_TOO_LARGE);
    return BROKEN;
  }
  return <i64>HEADER_BYTES + header.bodyBytes;
}

/** Carries out a whole request. */
export function executeBinary(session: Session, at: usize): void {
  const header = changetype<Header>(at);
  const opcode = plainOpcode(header.opcode);
  if (opcode == UNKNOWN) {
    answerStatus(session, header, STATUS_UNKNOWN_COMMAND);
    return;
  }
  if (header.valueBytes < 0 || header.keyBytes > KEY_MAX || !hasForm(header, opcode)) {
    answerStatus(session, header, STATUS_INVALID);
    return;
  }
  switch (opcode) {
    case GET:
      get(session, header, false);
      break;
    case GAT:
      get(session, header, true);
      break;
    case TOUCH:
      touch(session, header);
      break;
    case SET:
      put(session, header, PUT_SET);
      break;
    case ADD:
      put(session, header, PUT_ADD);
      break;
    case REPLACE:
      put(session, header, PUT_REPLACE);
      break;
    case APPEND:
      put(session, header, PUT_APPEND);
      break;
    case PREPEND:
      put(session, header, PUT_PREPEND);
      break;
    case DELETE:
      remove(session, header);
      break;
    case INCREMENT:
      addTo(session, header, false);
      break;
    case DECREMENT:
      addTo(session, header, true);
      break;
    case FLUSH:
      flush(session, header);
      break;
    case STAT:
      statistics(session, header);
      break;
    case VERSION_OPCODE:
      writeHeader(session, header, STATUS_OK, 0, 0, <u32>VERSION.length, 0);
      session.reply.writeText(VERSION);
      break;
    case QUIT:
      session.isOver = true;
      done(session, header, 0);
      break;
    default: // NOOP, VERBOSITY
      answerStatus(session, header, STATUS_OK);
  }
}

/** Whether a request has the extras, key and value that its command asks for. */
function hasForm(header: Header, opcode: u32): bool {
  const extras = <u32>header.extraBytes;
  const hasKey = header.keyBytes != 0;
  const hasValue = header.valueBytes != 0;
  switch (opcode) {
    case GET:
    case DELETE:
      return extras == 0 && hasKey && !hasValue;
    case TOUCH:
    case GAT:
      return extras == 4 && hasKey && !hasValue;
    case SET:
    case ADD:
    case REPLACE:
      return extras == 8 && hasKey;
    case APPEND:
    case PREPEND:
      return extras == 0 && hasKey;
    case INCREMENT:
    case DECREMENT:
      return extras == 20 && hasKey && !hasValue;
    case FLUSH:
      return (extras == 0 || extras == 4) && !hasKey && !hasValue;
    case VERBOSITY:
      return extras == 4 && !hasKey && !hasValue;
    case STAT:
      return extras == 0 && !hasValue;
    case NOOP:
    case VERSION_OPCODE:
    case QUIT:
      return extras == 0 && !hasKey && !hasValue;
    default:
      return false;
  }
}

function writeHeader(
  session: Session,
  request: Header,
  status: u32,
  extraBytes: u32,
  keyBytes: u32,
  valueBytes: u32,
  unique: u64,
): void {
  const reply = session.reply;
  reply.writeByte(BINARY_RESPONSE);
  reply.writeByte(request.opcode);
  reply.write16(keyBytes);
  reply.writeByte(<u8>extraBytes);
  reply.writeByte(0);
  reply.write16(status);
  reply.write32(extraBytes + keyBytes + valueBytes);
  reply.write32(bswap<u32>(request.opaque));
  reply.write64(unique);
}

/** An answer that is only a status; errors carry their words. */
function answerStatus(session: Session, request: Header, status: u32): void {
  const text = statusText(status);
  writeHeader(session, request, status, 0, 0, <u32>text.length, 0);
  session.reply.writeText(text);
}

function statusText(status: u32): string {
  switch (status) {
    case STATUS_OK:
      return "";
    case STATUS_NOT_FOUND:
      return "Not found";
    case STATUS_EXISTS:
      return "Data exists for key.";
    case STATUS_TOO_LARGE:
      return "Too large.";
    case STATUS_INVALID:
      return "Invalid arguments";
    case STATUS_NOT_STORED:
      return "Not stored.";
    case STATUS_NOT_A_NUMBER:
      return "Non-numeric server-side value for incr or decr";
    case STATUS_NO_MEMORY:
      return "Out of memory";
    default:
      return "Unknown command";
  }
}

/** The answer to a change that went well, unless the command is quiet. */
function done(session: Session, request: Header, unique: u64): void {
  if (!isQuietOpcode(request.opcode)) writeHeader(session, request, STATUS_OK, 0, 0, 0, unique);
}

function statusOf(result: u32): u32 {
  switch (result) {
    case EXISTS:
      return STATUS_EXISTS;
    case NOT_FOUND:
      return STATUS_NOT_FOUND;
    case TOO_LARGE:
      return STATUS_TOO_LARGE;
    case NO_MEMORY:
      return STATUS_NO_MEMORY;
    case NOT_A_NUMBER:
      return STATUS_NOT_A_NUMBER;
    default:
      return STATUS_NOT_STORED;
  }
}

function get(session: Session, request: Header, touches: bool): void {
  const store = session.store;
  let item: Item | null;
  if (touches) {
    item = store.touch(request.key, request.keyBytes, expiryOf(store, <i32>request.extra32(0)));
    store.statistics.gets++;
    if (item) store.statistics.getHits++;
    else store.statistics.getMisses++;
  } else item = store.find(request.key, request.keyBytes);
  const withKey = returnsKey(request.opcode);
  if (!item) {
    if (isQuietOpcode(request.opcode)) return;
    if (!withKey) answerStatus(session, request, STATUS_NOT_FOUND);
    else {
      writeHeader(session, request, STATUS_NOT_FOUND, 0, request.keyBytes, 0, 0);
      session.reply.writeBytes(request.key, request.keyBytes);
    }
    return;
  }
  item.wasFetched = true;
  const keyBytes: u32 = withKey ? item.keyBytes : 0;
  writeHeader(session, request, STATUS_OK, 4, keyBytes, item.valueBytes, item.unique);
  session.reply.write32(item.flags);
  if (withKey) session.reply.writeBytes(item.key, item.keyBytes);
  session.reply.writeBytes(item.value, item.valueBytes);
}

function touch(session: Session, request: Header): void {
  const store = session.store;
  const expiry = expiryOf(store, <i32>request.extra32(0));
  const item = store.touch(request.key, request.keyBytes, expiry);
  if (item) done(session, request, item.unique);
  else answerStatus(session, request, STATUS_NOT_FOUND);
}

function put(session: Session, request: Header, condition: u32): void {
  const store = session.store;
  const hasExtras = request.extraBytes == 8;
  const result = store.put(
    condition,
    request.key,
    request.keyBytes,
    request.value,
    <u32>request.valueBytes,
    hasExtras ? request.extra32(0) : 0,
    hasExtras ? expiryOf(store, <i32>request.extra32(4)) : 0,
    request.unique,
  );
  if (result == STORED) done(session, request, store.unique);
  else if (condition == PUT_ADD)
    answerStatus(session, request, result == NOT_STORED ? STATUS_EXISTS : statusOf(result));
  else if (condition == PUT_REPLACE)
    answerStatus(session, request, result == NOT_STORED ? STATUS_NOT_FOUND : statusOf(result));
  else answerStatus(session, request, statusOf(result));
}

function remove(session: Session, request: Header): void {
  const result = session.store.remove(request.key, request.keyBytes, request.unique);
  if (result == STORED) done(session, request, 0);
  else answerStatus(session, request, statusOf(result));
}

function addTo(session: Session, request: Header, isDecrement: bool): void {
  const store = session.store;
  const key = request.key;
  let result = store.addTo(key, request.keyBytes, request.extra64(0), isDecrement, request.unique);
  if (result == NOT_FOUND && request.extra32(16) != NO_CREATION) {
    store.number = request.extra64(8);
    result = store.putNumber(key, request.keyBytes, expiryOf(store, <i32>request.extra32(16)));
  }
  if (result != STORED) {
    answerStatus(session, request, statusOf(result));
    return;
  }
  if (isQuietOpcode(request.opcode)) return;
  writeHeader(session, request, STATUS_OK, 0, 0, 8, store.unique);
  session.reply.write64(store.number);
}

function flush(session: Session, request: Header): void {
  if (session.settings.refusesFlush) {
    answerStatus(session, request, STATUS_UNKNOWN_COMMAND);
    return;
  }
  const at = request.extraBytes == 4 ? expiryOf(session.store, <i32>request.extra32(0)) : 0;
  session.store.flush(at);
  done(session, request, 0);
}

/** A packet for each statistic; an empty one ends them. */
class BinaryWriter extends StatWriter {
  constructor(
    private session: Session,
    private request: usize,
  ) {
    super();
  }

  number(name: string, value: u64): void {
    writeStatNumber(this.session, changetype<Header>(this.request), "", u32.MAX_VALUE, name, value);
  }

  text(name: string, value: string): void {
    const request = changetype<Header>(this.request);
    writeHeader(this.session, request, STATUS_OK, 0, <u32>name.length, <u32>value.length, 0);
    this.session.reply.writeText(name);
    this.session.reply.writeText(value);
  }

  ofClass(section: string, index: u32, name: string, value: u64): void {
    writeStatNumber(this.session, changetype<Header>(this.request), section, index, name, value);
  }
}

function writeStatNumber(
  session: Session,
  request: Header,
  section: string,
  index: u32,
  name: string,
  value: u64,
): void {
  const hasIndex = index != u32.MAX_VALUE;
  const indexBytes = hasIndex ? digitsOf(index) + 1 : 0;
  const nameBytes = <u32>section.length + indexBytes + <u32>name.length;
  writeHeader(session, request, STATUS_OK, 0, nameBytes, digitsOf(value), 0);
  const reply = session.reply;
  reply.writeText(section);
  if (hasIndex) {
    reply.writeNumber(index);
    reply.writeByte(0x3a);
  }
  reply.writeText(name);
  reply.writeNumber(value);
}

function statistics(session: Session, request: Header): void {
  const writer = new BinaryWriter(session, changetype<usize>(request));
  let isKnown = true;
  if (request.keyBytes == 0) writeGeneral(session, writer);
  else isKnown = writeSection(session, writer, request.key, request.keyBytes);
  free(writer);
  answerStatus(session, request, isKnown ? STATUS_OK : STATUS_NOT_FOUND);
}
