/**
 * The memcached appliance: a cache that speaks memcached's protocols, linked with the kernel and
 * served where packets arrive: no thread, no system call, no copy between driver and request.
 *
 * Neighbours: `settings.ts` (options), `stream-service.ts` (TCP), `datagrams.ts` (UDP), `store.ts`;
 * `../start.ts` calls.
 */
import { randomU64 } from "../../dev/random";
import { AF_INET6 } from "../../net/socket";
import { TcpSocket } from "../../net/tcp-socket";
import { onlineCpus } from "../../sched/run-queue";
import { ApplianceArguments } from "../arguments";
import { bindToPort } from "../listen";
import { MemcachedDatagrams } from "./datagrams";
import { Settings } from "./settings";
import { Store } from "./store";
import { MemcachedStreams } from "./stream-service";

const BACKLOG: i32 = 1024;

/** Starts the cache; ends the machine with a message if it cannot. */
export function startMemcached(given: ApplianceArguments): void {
  const settings = new Settings();
  readOptions(settings, given);
  if (settings.threads > onlineCpus()) {
    given.fail("-t asks for more processors than the machine has: give it more with --cpus");
  }
  const store = new Store(
    settings.memoryBytes,
    <u32>settings.itemBytes,
    settings.growthPercent,
    randomU64(),
  );
  if (!store.isComplete) given.fail("there is no memory for the table of keys: give more with -m");
  store.keepsEverything = settings.keepsEverything;
  if (settings.tcpPort != 0) {
    const listener = new TcpSocket(AF_INET6);
    listener.service = new MemcachedStreams(store, settings);
    const isOpen =
      bindToPort(listener, <u16>settings.tcpPort) == 0 && listener.listen(BACKLOG) == 0;
    if (!isOpen) given.fail("the TCP port cannot be listened to");
  }
  if (settings.udpPort != 0) {
    const datagrams = new MemcachedDatagrams(store, settings);
    if (bindToPort(datagrams, <u16>settings.udpPort) != 0) given.fail("the UDP port is taken");
  }
}

function readOptions(settings: Settings, given: ApplianceArguments): void {
  let at: u32 = 0;
  while (at < given.count) {
    const hasValue = at + 1 < given.count;
    const taken = settings.take(
      given.at(at),
      given.lengthAt(at),
      hasValue ? given.at(at + 1) : 0,
      hasValue ? given.lengthAt(at + 1) : 0,
    );
    if (taken == 0) given.failAt(at, settings.problem);
    at += taken;
  }
}
