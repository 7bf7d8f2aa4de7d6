/**
 * The virtio console: named byte streams to the host, with a control channel that announces them
 * (VIRTIO 1.2, section 5.3).
 *
 *     driver                       device
 *     DEVICE_READY          ->
 *                           <-     PORT_ADD, one each
 *     PORT_READY, PORT_OPEN ->
 *                           <-     CONSOLE_PORT, PORT_NAME, PORT_OPEN
 *
 * A device that works while it is notified (QEMU without KVM) has finished the whole conversation
 * when `start` returns; otherwise it goes on by interrupts and `findConsolePort` waits.
 *
 * Locks: `lock` guards the control queues and the ports' state; then the locks of a port's input or
 * output. Neighbours: `console-port`; `console/ports` is what the rest of the kernel sees.
 */
import { SpinLock } from "../../arch/spinlock";
import { ENOMEM, isError } from "../../lib/errno";
import { log } from "../../lib/log";
import { heapAllocate } from "../../mm/heap";
import { monotonicNs } from "../../sched/clock";
import { WaitQueue } from "../../sched/wait";
import { physicalAddress } from "../dma";
import { Driver } from "../driver";
import { ConsolePort } from "./console-port";
import {
  CONFIGURATION_COLUMNS,
  CONFIGURATION_MAX_PORTS,
  CONFIGURATION_ROWS,
  CONSOLE_FEATURE_MULTIPORT,
  CONSOLE_FEATURE_SIZE,
  CONTROL_MESSAGE_BYTES,
  ControlMessage,
  EVENT_CONSOLE_PORT,
  EVENT_DEVICE_READY,
  EVENT_PORT_ADD,
  EVENT_PORT_NAME,
  EVENT_PORT_OPEN,
  EVENT_PORT_READY,
  EVENT_PORT_REMOVE,
  EVENT_RESIZE,
  QUEUE_CONTROL_RECEIVE,
  QUEUE_CONTROL_TRANSMIT,
  receiveQueueOf,
} from "./console-protocol";
import { FEATURE_EVENT_INDEX, Transport, VIRTIO_TYPE_CONSOLE, VirtioDriver } from "./transport";
import { Virtqueue } from "./virtqueue";

/** Ports used at most: their queues must be set up before the device says which exist. */
const MAX_PORTS: u32 = 8;
const RECEIVE_QUEUE_SIZE: u32 = 4;
const TRANSMIT_QUEUE_SIZE: u32 = 4;
/** A device drops messages that find no buffer, so there are enough for all ports at once. */
const CONTROL_QUEUE_SIZE: u32 = 32;
/** A message with the longest name that is kept. */
const CONTROL_BUFFER_BYTES: u32 = 80;

/** Messages owed to the device about a port. */
const OWED_READY: u32 = 1;
const OWED_OPEN: u32 = 2;

/** Port number in messages that concern the whole device. */
const ALL_PORTS: u32 = u32.MAX_VALUE;

let firstConsole: VirtioConsole | null = null;

export class VirtioConsole extends VirtioDriver {
  next: VirtioConsole | null = null;
  private lock: SpinLock = new SpinLock();
  /** Woken when a port is named, opened or closed. */
  private portsChanged: WaitQueue = new WaitQueue();
  private ports: StaticArray<ConsolePort | null> = new StaticArray<ConsolePort | null>(
    <i32>MAX_PORTS,
  );
  private portCount: u32 = 1;
  /** There only with a control channel. */
  private controlReceive: Virtqueue = changetype<Virtqueue>(<usize>0);
  private controlTransmit: Virtqueue = changetype<Virtqueue>(<usize>0);
  private hasControl: bool = false;
  private receiveBuffers: usize = 0;
  private transmitBuffers: usize = 0;
  /** Free transmit buffers, one bit each. */
  private freeTransmit: u32 = 0;

  constructor(readonly transport: Transport) {
    super();
  }

  /** Port `id`, which `createQueues` made. */
  private port(id: u32): ConsolePort {
    return changetype<ConsolePort>(this.ports[id]);
  }

  /** Sets the device up. @returns 0 or a negative errno */
  start(): i32 {
    const transport = this.transport;
    const result = transport.negotiate(
      CONSOLE_FEATURE_SIZE | CONSOLE_FEATURE_MULTIPORT | FEATURE_EVENT_INDEX,
    );
    if (result != 0) return result;
    const multiport = transport.has(CONSOLE_FEATURE_MULTIPORT);
    this.hasControl = multiport;
    if (multiport) {
      this.portCount = min(transport.configuration32(CONFIGURATION_MAX_PORTS), MAX_PORTS);
    }
    const error = this.createQueues(multiport);
    if (error != 0) return transport.fail(error);
    const connected = transport.connect(this);
    if (connected != 0) return transport.fail(connected);
    transport.start();
    if (multiport) this.openControlChannel();
    else this.adoptOnlyPort();
    return 0;
  }

  private createQueues(multiport: bool): i32 {
    for (let id: u32 = 0; id < this.portCount; id++) {
      const receive = this.transport.createQueue(receiveQueueOf(id), RECEIVE_QUEUE_SIZE);
      if (isError(receive)) return <i32>receive;
      const transmit = this.transport.createQueue(receiveQueueOf(id) + 1, TRANSMIT_QUEUE_SIZE);
      if (isError(transmit)) return <i32>transmit;
      this.ports[id] = new ConsolePort(
        id,
        this.transport,
        changetype<Virtqueue>(receive),
        changetype<Virtqueue>(transmit),
      );
    }
    if (!multiport) return 0;
    const receive = this.transport.createQueue(QUEUE_CONTROL_RECEIVE, CONTROL_QUEUE_SIZE);
    if (isError(receive)) return <i32>receive;
    this.controlReceive = changetype<Virtqueue>(receive);
    const transmit = this.transport.createQueue(QUEUE_CONTROL_TRANSMIT, CONTROL_QUEUE_SIZE);
    if (isError(transmit)) return <i32>transmit;
    this.controlTransmit = changetype<Virtqueue>(transmit);
    const receiveCount = this.controlReceive.size;
    const transmitCount = this.controlTransmit.size;
    const bytes = receiveCount * CONTROL_BUFFER_BYTES + transmitCount * CONTROL_MESSAGE_BYTES;
    this.receiveBuffers = heapAllocate(bytes);
    if (this.receiveBuffers == 0) return -ENOMEM;
    this.transmitBuffers = this.receiveBuffers + <usize>(receiveCount * CONTROL_BUFFER_BYTES);
    this.freeTransmit = transmitCount >= 32 ? u32.MAX_VALUE : (1 << transmitCount) - 1;
    this.controlTransmit.disableInterrupts();
    return 0;
  }

  private openControlChannel(): void {
    const receive = this.controlReceive;
    this.lock.acquire();
    for (let i: u32 = 0; i < receive.size; i++) this.postControlBuffer(i);
    // Interrupts start once the conversation that follows is over, or the device is slow.
    receive.disableInterrupts();
    const notify = receive.publish();
    this.send(ALL_PORTS, EVENT_DEVICE_READY, 1);
    this.lock.release();
    if (notify) this.transport.notify(receive);
    this.converse();
  }

  /** A device without control channel has one port, a console, always open. */
  private adoptOnlyPort(): void {
    const port = this.port(0);
    port.present = true;
    port.named = true;
    port.isConsole = true;
    port.setHostOpen(true);
    this.readSize();
  }

  private postControlBuffer(index: u32): void {
    const address = this.receiveBuffers + <usize>(index * CONTROL_BUFFER_BYTES);
    const receive = this.controlReceive;
    receive.append(physicalAddress(address), CONTROL_BUFFER_BYTES, true);
    receive.endChain(index);
  }

  /** Queues a control message; the lock is held. @returns false if there is no room now */
  private send(port: u32, event: u16, value: u16): bool {
    const transmit = this.controlTransmit;
    if (this.freeTransmit == 0) {
      while (transmit.takeUsed()) this.freeTransmit |= (<u32>1) << (<u32>transmit.usedToken);
    }
    if (this.freeTransmit == 0 || transmit.broken) return false;
    const index = <u32>ctz<u32>(this.freeTransmit);
    this.freeTransmit &= this.freeTransmit - 1;
    const address = this.transmitBuffers + <usize>(index * CONTROL_MESSAGE_BYTES);
    const message = changetype<ControlMessage>(address);
    message.port = port;
    message.event = event;
    message.value = value;
    transmit.append(physicalAddress(address), CONTROL_MESSAGE_BYTES, false);
    transmit.endChain(index);
    return true;
  }

  /** Sends what is owed as far as there is room; the lock is held. */
  private sendOwed(): void {
    for (let id: u32 = 0; id < this.portCount; id++) {
      const port = this.port(id);
      if (port.owedMessages & OWED_READY) {
        if (!this.send(id, EVENT_PORT_READY, 1)) return;
        port.owedMessages &= ~OWED_READY;
      }
      if (port.owedMessages & OWED_OPEN) {
        if (!this.send(id, EVENT_PORT_OPEN, 1)) return;
        port.owedMessages &= ~OWED_OPEN;
      }
    }
  }

  /** Sends and receives control messages until there is nothing more to do at once. */
  private converse(): void {
    const receive = this.controlReceive;
    const transmit = this.controlTransmit;
    for (;;) {
      this.lock.acquire();
      this.receiveMessages();
      this.sendOwed();
      const notifyReceive = receive.publish();
      const notifyTransmit = transmit.publish();
      const more = !notifyTransmit && !receive.broken && receive.enableInterrupts();
      this.lock.release();
      if (notifyReceive) this.transport.notify(receive);
      if (notifyTransmit) this.transport.notify(transmit);
      else if (!more) break;
    }
  }

  private receiveMessages(): void {
    const receive = this.controlReceive;
    while (receive.takeUsed()) {
      const index = <u32>receive.usedToken;
      const length = receive.usedBytes;
      if (length >= CONTROL_MESSAGE_BYTES) {
        this.handleMessage(this.receiveBuffers + <usize>(index * CONTROL_BUFFER_BYTES), length);
      }
      this.postControlBuffer(index);
    }
  }

  /** One message from the device; the lock is held. */
  private handleMessage(address: usize, length: u32): void {
    const message = changetype<ControlMessage>(address);
    const id = message.port;
    if (id >= this.portCount) {
      if (message.event == EVENT_PORT_ADD) {
        log("virtio-console: a port is not used: its number is too high");
        this.send(id, EVENT_PORT_READY, 0);
      }
      return;
    }
    const port = this.port(id);
    const body = address + CONTROL_MESSAGE_BYTES;
    const bodyBytes = length - CONTROL_MESSAGE_BYTES;
    switch (message.event) {
      case EVENT_PORT_ADD:
        port.present = true;
        port.owedMessages |= OWED_READY | OWED_OPEN;
        break;
      case EVENT_PORT_REMOVE:
        port.present = false;
        port.setHostOpen(false);
        break;
      case EVENT_CONSOLE_PORT:
        port.isConsole = true;
        break;
      case EVENT_RESIZE:
        if (bodyBytes >= 4) port.setSize(load<u16>(body), load<u16>(body + 2));
        break;
      case EVENT_PORT_NAME:
        port.setPortName(body, bodyBytes);
        break;
      case EVENT_PORT_OPEN:
        port.setHostOpen(message.value != 0);
        break;
      default:
        return;
    }
    this.portsChanged.wakeAll();
  }

  interrupt(): void {
    if (this.hasControl && this.controlReceive.hasUsed()) this.converse();
    for (let id: u32 = 0; id < this.portCount; id++) {
      const port = this.port(id);
      port.interrupt();
    }
  }

  configurationChanged(): void {
    this.readSize();
  }

  /** Without control channel the size of the only port is in the configuration space. */
  private readSize(): void {
    const transport = this.transport;
    if (!transport.has(CONSOLE_FEATURE_SIZE) || this.hasControl) return;
    const columns = transport.configuration16(CONFIGURATION_COLUMNS);
    const rows = transport.configuration16(CONFIGURATION_ROWS);
    this.port(0).setSize(columns, rows);
  }

  /** The port called `name`, or the console port if `name` is "console"; null so far. */
  private lookUp(name: string): ConsolePort | null {
    for (let id: u32 = 0; id < this.portCount; id++) {
      const port = this.port(id);
      if (port.present && port.isNamed(name)) return port;
    }
    if (name != "console") return null;
    for (let id: u32 = 0; id < this.portCount; id++) {
      const port = this.port(id);
      if (port.present && port.isConsole && port.named) return port;
    }
    return null;
  }

  /**
   * Finds a port by name and waits until the host's end is open; sleeps.
   * @param deadlineNs when to give up
   * @returns the port, open or not; null if there is none by then
   */
  find(name: string, deadlineNs: u64): ConsolePort | null {
    this.lock.acquire();
    let port = this.lookUp(name);
    while (port == null) {
      if (this.portsChanged.sleep(this.lock, deadlineNs, false) != 0) break;
      port = this.lookUp(name);
    }
    if (port) {
      // The device says "open" right after the name. A host that has closed its end before the
      // conversation began is never said to be open.
      const graceEndNs = min(monotonicNs() + OPEN_GRACE_NS, deadlineNs);
      while (!port.hostOpen) {
        if (this.portsChanged.sleep(this.lock, graceEndNs, false) != 0) break;
      }
    }
    this.lock.release();
    return port;
  }

  /** Waits until the host has taken all output of all ports. */
  drain(): void {
    for (let id: u32 = 0; id < this.portCount; id++) {
      const port = this.port(id);
      port.output.drain();
    }
  }
}

const OPEN_GRACE_NS: u64 = 50_000_000;

/** The first console device, or null; follow `next`. */
export function firstVirtioConsole(): VirtioConsole | null {
  return firstConsole;
}

/** Starts virtio consoles. */
export class VirtioConsoleDriver extends Driver {
  constructor() {
    super();
    this.name = "virtio-console";
  }

  matchesVirtio(deviceType: u32): bool {
    return deviceType == VIRTIO_TYPE_CONSOLE;
  }

  startVirtio(transport: Transport): i32 {
    const device = new VirtioConsole(transport);
    const result = device.start();
    // A console that did not start stays allocated: the machine is unusable without it anyway.
    if (result != 0) return result;
    device.next = firstConsole;
    firstConsole = device;
    return 0;
  }
}
