/**
 * COM1 as a line for a terminal: the 16550 driven by interrupts
 * (National Semiconductor PC16550D data sheet, section 8).
 *
 * Locks: `output.lock` guards the transmitter, `lock` the receiver, either one the interrupt enable
 * register's copy (`enableLock`, a leaf). Neighbours: `console/serial` is the same port for the
 * kernel log; both may write, byte by byte.
 */
import { inb, outb } from "../../arch/cpu";
import { InterruptHandler, registerIsaIrq } from "../../arch/irq";
import { SpinLock } from "../../arch/spinlock";
import { heapAllocate } from "../../mm/heap";
import { WaitQueue } from "../../sched/wait";
import { InputReceiver, TerminalLine } from "./line";
import { OutputRing } from "./output-ring";
import {
  COM1,
  COM1_IRQ,
  LINE_DATA_READY,
  LINE_TRANSMITTER_EMPTY,
  UART_DATA,
  UART_FIFO_CONTROL,
  UART_INTERRUPT_ENABLE,
  UART_INTERRUPT_IDENTIFICATION,
  UART_LINE_CONTROL,
  UART_LINE_STATUS,
  UART_MODEM_CONTROL,
} from "./serial";

const RING_BYTES: usize = 4096;
/** Bytes the transmitter takes once it is empty. */
const FIFO_BYTES: u32 = 16;
/** Bytes sent in one go to a port that is empty again at once, as emulated ones are. */
const BURST_BYTES: u32 = 1024;
/** Input kept while the terminal has no room. */
const HELD_BYTES: u32 = 64;

const ENABLE_RECEIVER: u8 = 1 << 0;
const ENABLE_TRANSMITTER: u8 = 1 << 1;
const NO_INTERRUPT_PENDING: u8 = 1;
/** FIFOs on, an interrupt for every received byte. */
const FIFO_ON: u8 = 1;
/** 8 data bits, no parity, 1 stop bit. */
const FORMAT_8N1: u8 = 3;
/** DTR, RTS, and OUT2, which on a PC lets the interrupt through. */
const MODEM_READY: u8 = 0x0b;
/** Rounds of one interrupt before the handler gives up on a port that never quiets down. */
const MAX_ROUNDS: u32 = 64;

let enabled: u8 = 0;
const enableLock = new SpinLock();

/** Turns one interrupt source on or off; the register is written only when that changes it. */
function enableInterrupt(source: u8, on: bool): void {
  enableLock.acquire();
  const wanted = on ? enabled | source : enabled & ~source;
  if (wanted != enabled) {
    enabled = wanted;
    outb(COM1 + UART_INTERRUPT_ENABLE, wanted);
  }
  enableLock.release();
}

class SerialOutput extends OutputRing {
  constructor(changed: WaitQueue) {
    super(RING_BYTES, changed);
  }

  protected advance(): bool {
    let burst: u32 = 0;
    while ((inb(COM1 + UART_LINE_STATUS) & LINE_TRANSMITTER_EMPTY) != 0) {
      this.freed = this.sent;
      if (this.sent == this.written || burst >= BURST_BYTES) break;
      for (let i: u32 = 0; i < FIFO_BYTES && this.sent < this.written; i++) {
        const offset = <usize>(this.sent & (this.sizeBytes - 1));
        outb(COM1 + UART_DATA, load<u8>(this.ring + offset));
        this.sent++;
        burst++;
      }
    }
    const interested = this.sent != this.written || (this.wanted && this.freed != this.written);
    enableInterrupt(ENABLE_TRANSMITTER, interested);
    return false;
  }

  protected notify(): void {}
}

class SerialInterrupt extends InterruptHandler {
  constructor(readonly line: SerialLine) {
    super();
  }

  handle(): void {
    // The wire is edge-triggered: it must have been quiet once before the handler ends.
    for (let round: u32 = 0; round < MAX_ROUNDS; round++) {
      if (inb(COM1 + UART_INTERRUPT_IDENTIFICATION) & NO_INTERRUPT_PENDING) break;
      this.line.receive();
      this.line.output().interrupt();
    }
  }
}

export class SerialLine extends TerminalLine {
  private ring: SerialOutput;
  private lock: SpinLock = new SpinLock();
  private receiver: InputReceiver | null = null;
  private held: usize = 0;
  private heldCount: u32 = 0;

  constructor() {
    super();
    this.ring = new SerialOutput(new WaitQueue());
  }

  /** Turns the port on. @returns 0, or a negative errno if there is no interrupt for it */
  start(): i32 {
    this.held = heapAllocate(HELD_BYTES);
    outb(COM1 + UART_INTERRUPT_ENABLE, 0);
    outb(COM1 + UART_LINE_CONTROL, FORMAT_8N1);
    outb(COM1 + UART_FIFO_CONTROL, FIFO_ON);
    outb(COM1 + UART_MODEM_CONTROL, MODEM_READY);
    return registerIsaIrq(COM1_IRQ, new SerialInterrupt(this));
  }

  output(): OutputRing {
    return this.ring;
  }

  attach(receiver: InputReceiver): void {
    this.lock.acquire();
    this.receiver = receiver;
    this.lock.release();
    enableInterrupt(ENABLE_RECEIVER, true);
    this.receive();
  }

  resume(): void {
    if (this.heldCount == 0) return;
    this.receive();
  }

  /** Moves what has arrived to the receiver; what it does not take is held, and then waited with. */
  receive(): void {
    this.lock.acquire();
    const receiver = this.receiver;
    if (receiver != null && this.held != 0) {
      let taking = true;
      while (taking) {
        const fresh = this.fill();
        if (this.heldCount == 0) break;
        const used = <u32>receiver.receive(this.held, this.heldCount);
        this.heldCount -= used;
        memory.copy(this.held, this.held + used, this.heldCount);
        taking = fresh && this.heldCount == 0;
      }
      enableInterrupt(ENABLE_RECEIVER, this.heldCount == 0);
    }
    this.lock.release();
  }

  /** Empties the receiver into `held`. @returns true if anything came */
  private fill(): bool {
    const before = this.heldCount;
    while (this.heldCount < HELD_BYTES && (inb(COM1 + UART_LINE_STATUS) & LINE_DATA_READY) != 0) {
      store<u8>(this.held + this.heldCount++, inb(COM1 + UART_DATA));
    }
    return this.heldCount > before;
  }
}
