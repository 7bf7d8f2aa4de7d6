/**
 * One port of a virtio console as a character device: a byte stream to the host.
 *
 * Neighbours: `virtio/console` makes it and passes on what the control channel says; input and
 * output are in `console-input` and `console-output`.
 */
import { ENOTTY, ESPIPE } from "../../lib/errno";
import { heapAllocate, heapFree } from "../../mm/heap";
import { WaitLink, WaitQueue } from "../../sched/wait";
import {
  CharacterDevice,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDNORM,
  POLLWRNORM,
} from "../character";
import { storeIntArgument } from "../console/ioctl";
import { ConsoleInput } from "./console-input";
import { ConsoleOutput } from "./console-output";
import { Transport } from "./transport";
import { Virtqueue } from "./virtqueue";

/** FIONREAD (ioctl_tty(2)). */
const FIONREAD: u32 = 0x541b;

/** Longest port name kept. */
export const MAX_PORT_NAME: u32 = 64;

export class ConsolePort extends CharacterDevice {
  input: ConsoleInput;
  output: ConsoleOutput;
  /** The port exists on the device. */
  present: bool = false;
  /** The device named it, or it needs no name. */
  named: bool = false;
  /** The host's end is open. */
  hostOpen: bool = false;
  /** The device says that this port is a console. */
  isConsole: bool = false;
  /** Size last announced by the host; 0 if unknown. */
  columns: u16 = 0;
  rows: u16 = 0;
  /** Messages that wait for room in the control queue (bits of `virtio/console`). */
  owedMessages: u32 = 0;
  /** Both directions change together: poll can wait for one queue only. */
  private changed: WaitQueue;
  private nameBytes: usize = 0;
  private nameLength: u32 = 0;

  constructor(
    readonly id: u32,
    transport: Transport,
    receive: Virtqueue,
    transmit: Virtqueue,
  ) {
    super();
    const changed = new WaitQueue();
    this.changed = changed;
    this.input = new ConsoleInput(transport, receive, changed);
    this.output = new ConsoleOutput(transport, transmit, changed);
    this.name = "vport";
    this.mode = 0o620;
  }

  /** Keeps a copy of the name that the device gave the port. */
  setPortName(bytes: usize, length: u32): void {
    if (length > MAX_PORT_NAME) length = MAX_PORT_NAME;
    if (this.nameBytes == 0) this.nameBytes = heapAllocate(MAX_PORT_NAME);
    if (this.nameBytes == 0) return;
    memory.copy(this.nameBytes, bytes, length);
    // QEMU counts a terminating zero in.
    while (length > 0 && load<u8>(this.nameBytes + length - 1) == 0) length--;
    this.nameLength = length;
    this.named = true;
  }

  /** True if the device called the port `name`. */
  isNamed(name: string): bool {
    if (!this.named || <u32>name.length != this.nameLength) return false;
    for (let i = 0, n = name.length; i < n; i++) {
      if (load<u8>(this.nameBytes + <usize>i) != <u8>name.charCodeAt(i)) return false;
    }
    return true;
  }

  /** The host's window has this size now; a terminal on the port is told. Interrupt context. */
  setSize(columns: u16, rows: u16): void {
    this.columns = columns;
    this.rows = rows;
    const receiver = this.input.attachedReceiver();
    if (receiver) receiver.setSize(columns, rows);
  }

  /** The host opened or closed its end. Interrupt context. */
  setHostOpen(open: bool): void {
    const closed = this.hostOpen && !open;
    this.hostOpen = open;
    this.input.setHostOpen(open);
    if (closed) this.output.setHungUp(true);
    else if (open) this.output.setHungUp(false);
  }

  /** The device may have used buffers of either queue. Interrupt context. */
  interrupt(): void {
    this.input.interrupt();
    if (this.output.queue.hasUsed()) this.output.interrupt();
  }

  read(buffer: usize, length: usize, nonBlocking: bool): i64 {
    return this.input.read(buffer, length, nonBlocking);
  }

  write(buffer: usize, length: usize, nonBlocking: bool): i64 {
    return this.output.write(buffer, length, nonBlocking);
  }

  ioctl(request: u32, argument: usize): i64 {
    if (request == FIONREAD) return storeIntArgument(argument, this.input.available());
    return -(<i64>ENOTTY);
  }

  poll(link: WaitLink | null): u32 {
    if (link) this.changed.add(link);
    let events: u32 = 0;
    if (this.input.isReadable()) events |= POLLIN | POLLRDNORM;
    if (this.input.isAtEnd()) events |= POLLHUP;
    if (this.output.wantRoom()) events |= POLLOUT | POLLWRNORM;
    if (this.output.hungUp) events |= POLLERR;
    return events;
  }

  unpoll(link: WaitLink): void {
    this.changed.remove(link);
  }

  seekResult(): i64 {
    return -(<i64>ESPIPE);
  }

  /** Frees everything; the device must have been reset. */
  dispose(): void {
    if (this.nameBytes != 0) heapFree(this.nameBytes);
  }
}
