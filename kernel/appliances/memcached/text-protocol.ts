/**
 * memcached's text protocol (doc/protocol.txt of memcached): a line of words; storage commands are
 * followed by the value and a line end.
 *
 * Neighbours: `session.ts` finds where requests end with `textRequestBytes` and has them carried out;
 * `text-storage.ts`, `stats-report.ts`, `store.ts`.
 */
import { indexOfByte, startsWithLiteral } from "../../lib/bytes";
import { Item, LINE_END_BYTES } from "./item";
import { BROKEN, INCOMPLETE, Session } from "./session";
import { KEY_MAX, NOT_A_NUMBER, NOT_FOUND, NO_MEMORY, STORED } from "./store";
import { reportStatistics } from "./stats-report";
import { executeStorage, storageCondition, valueBytesOf } from "./text-storage";
import { expiryOf } from "./time";
import { VERSION } from "./version";
import { Words } from "./words";

const LINE_FEED: u8 = 0x0a;
const CARRIAGE_RETURN: u8 = 0x0d;
/** Longest line, but for get with many keys. */
const LINE_MAX: usize = 2048;
const GET_LINE_MAX: usize = 1 << 20;

/** Length of the request at `at`, INCOMPLETE or, after an answer that says why, BROKEN. */
export function textRequestBytes(session: Session, at: usize, bytes: usize): i64 {
  const line = indexOfByte(at, bytes, LINE_FEED);
  if (line == bytes) {
    const isGet = startsWithLiteral(at, bytes, "get") || startsWithLiteral(at, bytes, "gat");
    if (bytes <= (isGet ? GET_LINE_MAX : LINE_MAX)) return INCOMPLETE;
    session.reply.writeText("CLIENT_ERROR line too long\r\n");
    return BROKEN;
  }
  const words = session.words;
  words.start(at, lineBytes(at, line));
  if (!words.next() || storageCondition(words) < 0) return <i64>line + 1;
  const value = valueBytesOf(words);
  // A line that is not understood has no value behind it.
  if (value < 0) return <i64>line + 1;
  if (value > <i64>session.settings.itemBytes) {
    session.reply.writeText("SERVER_ERROR object too large for cache\r\n");
    session.skipBytes = <u64>value + LINE_END_BYTES;
    return <i64>line + 1;
  }
  return <i64>line + 1 + value + LINE_END_BYTES;
}

/** Length of a line without its end. */
function lineBytes(at: usize, line: usize): usize {
  return line > 0 && load<u8>(at + line - 1) == CARRIAGE_RETURN ? line - 1 : line;
}

/** Carries out a whole request. */
export function executeText(session: Session, at: usize, bytes: usize): void {
  const line = indexOfByte(at, bytes, LINE_FEED);
  const words = session.words;
  words.start(at, lineBytes(at, line));
  if (!words.next()) {
    session.reply.writeText("ERROR\r\n");
    return;
  }
  if (words.is("get")) get(session, false);
  else if (words.is("gets")) get(session, true);
  else if (storageCondition(words) >= 0) executeStorage(session, at + line + 1, bytes - line - 1);
  else if (words.is("delete")) remove(session);
  else if (words.is("incr")) addTo(session, false);
  else if (words.is("decr")) addTo(session, true);
  else if (words.is("touch")) touch(session);
  else if (words.is("gat")) getAndTouch(session, false);
  else if (words.is("gats")) getAndTouch(session, true);
  else if (words.is("stats")) reportStatistics(session);
  else if (words.is("flush_all")) flush(session);
  else if (words.is("version")) {
    session.reply.writeText("VERSION ");
    session.reply.writeText(VERSION);
    session.reply.writeText("\r\n");
  } else if (words.is("verbosity")) {
    verbosity(session);
  } else if (words.is("quit")) session.isOver = true;
  else session.reply.writeText("ERROR\r\n");
}

/** True if one of the remaining words is `noreply`, which is the last. */
export function hasNoReply(words: Words): bool {
  let result = false;
  while (words.next()) result = words.is("noreply");
  return result;
}

/** Reads a key; false after an answer if there is none or it is too long. */
export function readKey(session: Session): bool {
  const words = session.words;
  if (!words.next()) {
    session.reply.writeText("ERROR\r\n");
    return false;
  }
  if (words.length > KEY_MAX) {
    session.reply.writeText("CLIENT_ERROR bad command line format\r\n");
    return false;
  }
  return true;
}

function get(session: Session, withUnique: bool): void {
  if (!readKey(session)) return;
  const words = session.words;
  do {
    if (words.length > KEY_MAX) {
      session.reply.writeText("CLIENT_ERROR bad command line format\r\n");
      return;
    }
    const item = session.store.find(words.word, words.length);
    if (item) writeItem(session, item, withUnique);
  } while (words.next());
  session.reply.writeText("END\r\n");
}

function getAndTouch(session: Session, withUnique: bool): void {
  const words = session.words;
  if (!words.readSigned()) {
    session.reply.writeText("CLIENT_ERROR invalid exptime argument\r\n");
    return;
  }
  const expiry = expiryOf(session.store, <i64>words.number);
  if (!readKey(session)) return;
  do {
    if (words.length > KEY_MAX) {
      session.reply.writeText("CLIENT_ERROR bad command line format\r\n");
      return;
    }
    const item = session.store.touch(words.word, words.length, expiry);
    session.store.statistics.gets++;
    if (item) {
      session.store.statistics.getHits++;
      item.wasFetched = true;
      writeItem(session, item, withUnique);
    } else session.store.statistics.getMisses++;
  } while (words.next());
  session.reply.writeText("END\r\n");
}

/** `VALUE key flags bytes [unique]`, the value. */
function writeItem(session: Session, item: Item, withUnique: bool): void {
  const reply = session.reply;
  reply.writeText("VALUE ");
  reply.writeBytes(item.key, item.keyBytes);
  reply.writeByte(0x20);
  reply.writeNumber(item.flags);
  reply.writeByte(0x20);
  reply.writeNumber(item.valueBytes);
  if (withUnique) {
    reply.writeByte(0x20);
    reply.writeNumber(item.unique);
  }
  reply.writeText("\r\n");
  reply.writeBytes(item.value, item.valueBytes + LINE_END_BYTES);
}

function remove(session: Session): void {
  if (!readKey(session)) return;
  const words = session.words;
  const key = words.word;
  const keyBytes = words.length;
  let isQuiet = false;
  if (words.next()) {
    // Once a time could be given; only 0 still may (doc/protocol.txt, "Deletion").
    isQuiet = words.is("noreply");
    if (!isQuiet && words.is("0")) isQuiet = hasNoReply(words);
    else if (!isQuiet) {
      session.reply.writeText(
        "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n",
      );
      return;
    }
  }
  const result = session.store.remove(key, keyBytes, 0);
  if (!isQuiet) session.reply.writeText(result == STORED ? "DELETED\r\n" : "NOT_FOUND\r\n");
}

function addTo(session: Session, isDecrement: bool): void {
  if (!readKey(session)) return;
  const words = session.words;
  const key = words.word;
  const keyBytes = words.length;
  if (!words.readNumber()) {
    session.reply.writeText("CLIENT_ERROR invalid numeric delta argument\r\n");
    return;
  }
  const amount = words.number;
  const isQuiet = hasNoReply(words);
  const result = session.store.addTo(key, keyBytes, amount, isDecrement, 0);
  if (isQuiet) return;
  const reply = session.reply;
  if (result == NOT_FOUND) reply.writeText("NOT_FOUND\r\n");
  else if (result == NOT_A_NUMBER) {
    reply.writeText("CLIENT_ERROR cannot increment or decrement non-numeric value\r\n");
  } else if (result == NO_MEMORY) reply.writeText("SERVER_ERROR out of memory in incr\r\n");
  else {
    reply.writeNumber(session.store.number);
    reply.writeText("\r\n");
  }
}

function touch(session: Session): void {
  if (!readKey(session)) return;
  const words = session.words;
  const key = words.word;
  const keyBytes = words.length;
  if (!words.readSigned()) {
    session.reply.writeText("CLIENT_ERROR invalid exptime argument\r\n");
    return;
  }
  const expiry = expiryOf(session.store, <i64>words.number);
  const isQuiet = hasNoReply(words);
  const item = session.store.touch(key, keyBytes, expiry);
  if (!isQuiet) session.reply.writeText(item ? "TOUCHED\r\n" : "NOT_FOUND\r\n");
}

/** There is nothing to be more talkative about, but a level must be given. */
function verbosity(session: Session): void {
  const words = session.words;
  if (!words.next()) session.reply.writeText("ERROR\r\n");
  else if (words.is("noreply")) return;
  else if (!words.isSigned()) {
    session.reply.writeText("CLIENT_ERROR bad command line format\r\n");
  } else if (!hasNoReply(words)) session.reply.writeText("OK\r\n");
}

function flush(session: Session): void {
  const words = session.words;
  let isQuiet = false;
  let at: u32 = 0;
  if (words.next()) {
    isQuiet = words.is("noreply");
    if (!isQuiet) {
      if (!words.isSigned()) {
        session.reply.writeText("CLIENT_ERROR bad command line format\r\n");
        return;
      }
      at = expiryOf(session.store, <i64>words.number);
      isQuiet = hasNoReply(words);
    }
  }
  if (session.settings.refusesFlush) {
    session.reply.writeText("CLIENT_ERROR flush_all not allowed\r\n");
    return;
  }
  session.store.flush(at);
  if (!isQuiet) session.reply.writeText("OK\r\n");
}
