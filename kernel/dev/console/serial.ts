/**
 * The 16550 serial port COM1, early and polled: the kernel log and panics go through it before (and
 * whether or not) anything else works. Needs no set-up, no heap and no interrupts.
 *
 * Registers: National Semiconductor PC16550D data sheet, section 8.
 * Neighbours: `console/serial-terminal` drives the same port by interrupts for a terminal.
 */
import { inb, outb } from "../../arch/cpu";

/** I/O port of the first register of COM1. */
export const COM1: u16 = 0x3f8;
/** GSI (and ISA IRQ) of COM1. */
export const COM1_IRQ: u32 = 4;

/** Receiver buffer (read) and transmitter holding register (write). */
export const UART_DATA: u16 = 0;
/** Interrupt enable register. */
export const UART_INTERRUPT_ENABLE: u16 = 1;
/** Interrupt identification (read), FIFO control (write). */
export const UART_INTERRUPT_IDENTIFICATION: u16 = 2;
export const UART_FIFO_CONTROL: u16 = 2;
export const UART_LINE_CONTROL: u16 = 3;
export const UART_MODEM_CONTROL: u16 = 4;
export const UART_LINE_STATUS: u16 = 5;

/** Line status: a received byte waits. */
export const LINE_DATA_READY: u8 = 1 << 0;
/** Line status: the transmitter (its FIFO, where on) is empty. */
export const LINE_TRANSMITTER_EMPTY: u8 = 1 << 5;

/** How often a full transmitter is asked before the byte is dropped: no UART hangs the kernel. */
const PATIENT_POLLS: u32 = 20_000_000;
/** The same once a byte was dropped: whoever should read will hardly come back. */
const IMPATIENT_POLLS: u32 = 1000;

let maxPolls: u32 = PATIENT_POLLS;

/** True once the port was found absent (a floating bus reads 0xff); output is then dropped. */
let absent: bool = false;

/**
 * Writes one byte to COM1, waiting until the transmitter takes it. Any context. No newline
 * translation except that "\n" is sent as "\r\n", as terminals on a serial line expect.
 */
export function serialWriteByte(byte: u8): void {
  if (byte == 0x0a) serialWriteRaw(0x0d);
  serialWriteRaw(byte);
}

/** Writes one byte to COM1 as it is, waiting until the transmitter takes it. Any context. */
export function serialWriteRaw(byte: u8): void {
  if (absent) return;
  for (let polls: u32 = 0; polls < maxPolls; polls++) {
    const status = inb(COM1 + UART_LINE_STATUS);
    if (status == 0xff) {
      absent = true;
      return;
    }
    if (status & LINE_TRANSMITTER_EMPTY) {
      outb(COM1 + UART_DATA, byte);
      return;
    }
  }
  maxPolls = IMPATIENT_POLLS;
}

/** Writes `text` (ASCII) to COM1, polled. */
export function serialWriteText(text: string): void {
  for (let i = 0, n = text.length; i < n; i++) serialWriteByte(<u8>text.charCodeAt(i));
}
