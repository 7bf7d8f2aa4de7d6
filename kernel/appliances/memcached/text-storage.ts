/**
 * The storing commands of the text protocol:
 *
 *     set|add|replace|append|prepend KEY FLAGS EXPTIME BYTES [noreply]\r\n VALUE \r\n
 *     cas KEY FLAGS EXPTIME BYTES UNIQUE [noreply]\r\n VALUE \r\n
 *
 * Neighbours: `text-protocol.ts`, `store.ts`.
 */
import { Session } from "./session";
import {
  EXISTS,
  KEY_MAX,
  NOT_FOUND,
  NOT_STORED,
  PUT_ADD,
  PUT_APPEND,
  PUT_PREPEND,
  PUT_REPLACE,
  PUT_SET,
  STORED,
  TOO_LARGE,
} from "./store";
import { expiryOf } from "./time";
import { Words } from "./words";
import { LINE_END_BYTES } from "./item";

/** PUT_SET with a condition on the value's number: cas. */
const CAS: i32 = 16;
/** No value is longer, whatever the settings say. */
const VALUE_MAX: u64 = 0x7fffffff;
const LINE_END: u16 = 0x0a0d;

/** What the word asks for: PUT_* or CAS; -1 if it is no storing command. */
export function storageCondition(words: Words): i32 {
  if (words.is("set")) return PUT_SET;
  if (words.is("add")) return PUT_ADD;
  if (words.is("replace")) return PUT_REPLACE;
  if (words.is("append")) return PUT_APPEND;
  if (words.is("prepend")) return PUT_PREPEND;
  return words.is("cas") ? CAS : -1;
}

/** Length of the value that the rest of the line announces; -1 if the line is not understood. */
export function valueBytesOf(words: Words): i64 {
  const isWhole =
    words.next() && words.next() && words.next() && words.readNumber() && words.number <= VALUE_MAX;
  return isWhole ? <i64>words.number : -1;
}

/**
 * Carries out a storing command. The first word has been read.
 * @param value what follows the line, with its line end
 */
export function executeStorage(session: Session, value: usize, bytes: usize): void {
  const words = session.words;
  const reply = session.reply;
  const condition = storageCondition(words);
  if (!words.next()) {
    reply.writeText("ERROR\r\n");
    return;
  }
  const key = words.word;
  const keyBytes = words.length;
  let isGood = keyBytes <= KEY_MAX && words.readNumber() && words.number <= u32.MAX_VALUE;
  const flags = <u32>words.number;
  isGood = isGood && words.readSigned();
  const expiry = expiryOf(session.store, <i64>words.number);
  isGood = isGood && words.readNumber() && words.number <= VALUE_MAX;
  const valueBytes = <u32>words.number;
  let unique: u64 = 0;
  if (condition == CAS) {
    isGood = isGood && words.readNumber();
    unique = words.number;
  }
  const isQuiet = words.next() && words.is("noreply");
  if (!isGood) {
    reply.writeText("CLIENT_ERROR bad command line format\r\n");
    return;
  }
  if (valueBytes > session.settings.itemBytes) return; // was answered when the line came
  if (bytes != valueBytes + LINE_END_BYTES || load<u16>(value + valueBytes) != LINE_END) {
    reply.writeText("CLIENT_ERROR bad data chunk\r\n");
    return;
  }
  const result = session.store.put(
    condition == CAS ? PUT_SET : <u32>condition,
    key,
    keyBytes,
    value,
    valueBytes,
    flags,
    expiry,
    // No value has number 0, and 0 would mean no condition.
    condition == CAS && unique == 0 ? u64.MAX_VALUE : unique,
  );
  if (isQuiet) return;
  if (result == STORED) reply.writeText("STORED\r\n");
  else if (result == NOT_STORED) reply.writeText("NOT_STORED\r\n");
  else if (result == EXISTS) reply.writeText("EXISTS\r\n");
  else if (result == NOT_FOUND) reply.writeText("NOT_FOUND\r\n");
  else if (result == TOO_LARGE) reply.writeText("SERVER_ERROR object too large for cache\r\n");
  else reply.writeText("SERVER_ERROR out of memory storing object\r\n");
}
