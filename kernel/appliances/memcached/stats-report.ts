/**
 * `stats` and its sections, named and ordered as in doc/protocol.txt of memcached. Text lines are
 * `STAT name value`; the binary protocol sends a packet for each. Neighbours: `statistics.ts`, `slabs.ts`.
 */
import { free } from "../../lib/object";
import { onlineCpus } from "../../sched/run-queue";
import { monotonicNs, realtimeNs } from "../../sched/clock";
import { Item } from "./item";
import { Session } from "./session";
import { Slabs } from "./slabs";
import { VERSION } from "./version";

const NS_PER_SECOND: u64 = 1_000_000_000;
const ONLY_PROCESS: u64 = 1;
/** memcached stops at 2 MiB of answer; so many of the longest keys fit. */
const DUMPED_MAX: u64 = 7000;

/** Where statistics go. */
export abstract class StatWriter {
  abstract number(name: string, value: u64): void;
  abstract text(name: string, value: string): void;
  /** Statistics of a slab class: `items:3:number`, or `3:chunk_size`. */
  abstract ofClass(section: string, index: u32, name: string, value: u64): void;
}

/** The text protocol's lines. */
class TextWriter extends StatWriter {
  constructor(private session: Session) {
    super();
  }

  number(name: string, value: u64): void {
    const reply = this.session.reply;
    reply.writeText("STAT ");
    reply.writeText(name);
    reply.writeByte(0x20);
    reply.writeNumber(value);
    reply.writeText("\r\n");
  }

  text(name: string, value: string): void {
    const reply = this.session.reply;
    reply.writeText("STAT ");
    reply.writeText(name);
    reply.writeByte(0x20);
    reply.writeText(value);
    reply.writeText("\r\n");
  }

  ofClass(section: string, index: u32, name: string, value: u64): void {
    const reply = this.session.reply;
    reply.writeText("STAT ");
    reply.writeText(section);
    reply.writeNumber(index);
    reply.writeByte(0x3a);
    reply.writeText(name);
    reply.writeByte(0x20);
    reply.writeNumber(value);
    reply.writeText("\r\n");
  }
}

/** The command `stats [items|slabs|settings|reset]`; its first word has been read. */
export function reportStatistics(session: Session): void {
  const words = session.words;
  const reply = session.reply;
  if (words.next()) {
    if (words.is("reset")) {
      session.store.statistics.reset();
      reply.writeText("RESET\r\n");
      return;
    }
    if (words.is("cachedump")) {
      dumpClass(session);
      return;
    }
    const writer = new TextWriter(session);
    const isKnown = writeSection(session, writer, words.word, words.length);
    free(writer);
    reply.writeText(isKnown ? "END\r\n" : "ERROR\r\n");
    return;
  }
  const writer = new TextWriter(session);
  writeGeneral(session, writer);
  free(writer);
  reply.writeText("END\r\n");
}

/** `stats cachedump CLASS LIMIT`: keys of a class, the newest first; 0 = as many as an answer holds. */
function dumpClass(session: Session): void {
  const words = session.words;
  const store = session.store;
  const hasClass = words.readNumber() && words.number >= 1 && words.number <= store.slabs.count;
  const index = <u32>words.number - 1;
  if (!hasClass || !words.readNumber()) {
    session.reply.writeText("CLIENT_ERROR bad command line\r\n");
    return;
  }
  let left = words.number == 0 ? DUMPED_MAX : min(words.number, DUMPED_MAX);
  const reply = session.reply;
  let at = store.slabs.at(index).newest;
  const bootSeconds = realtimeNs() / NS_PER_SECOND - store.nowSeconds;
  while (at != 0 && left > 0) {
    const item = changetype<Item>(at);
    at = item.older;
    left--;
    reply.writeText("ITEM ");
    reply.writeBytes(item.key, item.keyBytes);
    reply.writeText(" [");
    reply.writeNumber(item.valueBytes);
    reply.writeText(" b; ");
    reply.writeNumber(item.expiry == 0 ? 0 : bootSeconds + item.expiry);
    reply.writeText(" s]\r\n");
  }
  reply.writeText("END\r\n");
}

/** Writes a section; false if there is none of that name. */
export function writeSection(session: Session, out: StatWriter, name: usize, bytes: u32): bool {
  const words = session.words;
  words.word = name;
  words.length = bytes;
  if (words.is("items")) writeItems(session, out);
  else if (words.is("slabs")) writeSlabs(session, out);
  else if (words.is("settings")) writeSettings(session, out);
  else return false;
  return true;
}

/** `stats` without a section. */
export function writeGeneral(session: Session, out: StatWriter): void {
  const store = session.store;
  const s = store.statistics;
  out.number("pid", ONLY_PROCESS);
  out.number("uptime", monotonicNs() / NS_PER_SECOND);
  out.number("time", realtimeNs() / NS_PER_SECOND);
  out.text("version", VERSION);
  out.number("pointer_size", 64);
  out.number("curr_connections", s.connections);
  out.number("total_connections", s.totalConnections);
  out.number("cmd_get", s.gets);
  out.number("cmd_set", s.sets);
  out.number("cmd_flush", s.flushes);
  out.number("cmd_touch", s.touches);
  out.number("get_hits", s.getHits);
  out.number("get_misses", s.getMisses);
  out.number("get_expired", s.getExpired);
  out.number("get_flushed", s.getFlushed);
  out.number("delete_misses", s.deleteMisses);
  out.number("delete_hits", s.deleteHits);
  out.number("incr_misses", s.incrementMisses);
  out.number("incr_hits", s.incrementHits);
  out.number("decr_misses", s.decrementMisses);
  out.number("decr_hits", s.decrementHits);
  out.number("cas_misses", s.casMisses);
  out.number("cas_hits", s.casHits);
  out.number("cas_badval", s.casBad);
  out.number("touch_hits", s.touchHits);
  out.number("touch_misses", s.touchMisses);
  out.number("bytes_read", s.bytesRead);
  out.number("bytes_written", s.bytesWritten);
  out.number("limit_maxbytes", session.settings.memoryBytes);
  out.number("threads", onlineCpus());
  out.number("hash_bytes", store.table.bytes);
  out.number("bytes", store.usedBytes);
  out.number("curr_items", store.table.count);
  out.number("total_items", s.totalItems);
  out.number("evictions", s.evictions);
  out.number("reclaimed", s.reclaimed);
}

function writeItems(session: Session, out: StatWriter): void {
  const store = session.store;
  for (let i: u32 = 0; i < store.slabs.count; i++) {
    const slab = store.slabs.at(i);
    if (slab.usedChunks == 0) continue;
    out.ofClass("items:", i + 1, "number", slab.usedChunks);
    out.ofClass("items:", i + 1, "age", store.nowSeconds - changetype<Item>(slab.oldest).usedAt);
    out.ofClass("items:", i + 1, "evicted", slab.evictions);
    out.ofClass("items:", i + 1, "evicted_unfetched", slab.evictedUnfetched);
    out.ofClass("items:", i + 1, "outofmemory", slab.outOfMemory);
    out.ofClass("items:", i + 1, "reclaimed", slab.reclaimed);
  }
}

function writeSlabs(session: Session, out: StatWriter): void {
  const slabs: Slabs = session.store.slabs;
  let active: u64 = 0;
  for (let i: u32 = 0; i < slabs.count; i++) {
    const slab = slabs.at(i);
    if (slab.pages == 0) continue;
    active++;
    const perPage = slabs.chunksAPage(slab);
    out.ofClass("", i + 1, "chunk_size", slab.chunkBytes);
    out.ofClass("", i + 1, "chunks_per_page", perPage);
    out.ofClass("", i + 1, "total_pages", slab.pages);
    out.ofClass("", i + 1, "total_chunks", <u64>slab.pages * perPage);
    out.ofClass("", i + 1, "used_chunks", slab.usedChunks);
    out.ofClass("", i + 1, "free_chunks", slab.freeChunks);
    out.ofClass("", i + 1, "cmd_set", slab.storedTotal);
  }
  out.number("active_slabs", active);
  out.number("total_malloced", slabs.bytesUsed);
}

function writeSettings(session: Session, out: StatWriter): void {
  const settings = session.settings;
  out.number("maxbytes", settings.memoryBytes);
  out.number("tcpport", settings.tcpPort);
  out.number("udpport", settings.udpPort);
  out.number("num_threads", onlineCpus());
  out.text("evictions", settings.keepsEverything ? "off" : "on");
  out.number("item_size_max", settings.itemBytes);
  out.text("flush_enabled", settings.refusesFlush ? "no" : "yes");
  out.text("cas_enabled", "yes");
}
