/**
 * Terminal settings: flags, special characters and layouts of the Linux ABI
 * (termios(3), ioctl_tty(2); values of x86-64).
 *
 * Neighbours: `console/line-discipline` and `console/output-processor` act on them.
 */

/** What TCGETS and TCSETS move; TCGETS2 adds the two speeds. */
@unmanaged
export class Termios {
  inputFlags: u32;
  outputFlags: u32;
  controlFlags: u32;
  localFlags: u32;
  line: u8;
  /** First of the 19 special characters. */
  characters: u8;
}

export const TERMIOS_BYTES: usize = 36;
export const TERMIOS2_BYTES: usize = 44;
const CHARACTERS_OFFSET: usize = 17;
const SPEEDS_OFFSET: usize = 36;

/** Input flags. */
export const ISTRIP: u32 = 0x20;
export const INLCR: u32 = 0x40;
export const IGNCR: u32 = 0x80;
export const ICRNL: u32 = 0x100;
export const IUCLC: u32 = 0x200;
export const IXON: u32 = 0x400;
export const IXANY: u32 = 0x800;
export const IUTF8: u32 = 0x4000;

/** Output flags. */
export const OPOST: u32 = 0x1;
export const OLCUC: u32 = 0x2;
export const ONLCR: u32 = 0x4;
export const OCRNL: u32 = 0x8;
export const ONOCR: u32 = 0x10;
export const ONLRET: u32 = 0x20;
/** Both bits of the tab delay set: expand tabs. */
export const XTABS: u32 = 0x1800;

/** Control flags of pseudo-terminals: as below, without the hanging up. */
export const PSEUDO_CONTROL_FLAGS: u32 = 0xbf;
/** Control flags: 38400 baud, 8 bits, receiver on, hang up on close. None of them matters here. */
const DEFAULT_CONTROL_FLAGS: u32 = 0x4bf;
const DEFAULT_SPEED: u32 = 38400;

/** Local flags. */
export const ISIG: u32 = 0x1;
export const ICANON: u32 = 0x2;
export const ECHO: u32 = 0x8;
export const ECHOE: u32 = 0x10;
export const ECHOK: u32 = 0x20;
export const ECHONL: u32 = 0x40;
export const NOFLSH: u32 = 0x80;
export const TOSTOP: u32 = 0x100;
export const ECHOCTL: u32 = 0x200;
export const ECHOKE: u32 = 0x800;
export const IEXTEN: u32 = 0x8000;

/** Indexes of special characters; a character of 0 is switched off. */
export const VINTR: u32 = 0;
export const VQUIT: u32 = 1;
export const VERASE: u32 = 2;
export const VKILL: u32 = 3;
export const VEOF: u32 = 4;
export const VTIME: u32 = 5;
export const VMIN: u32 = 6;
export const VSTART: u32 = 8;
export const VSTOP: u32 = 9;
export const VSUSP: u32 = 10;
export const VEOL: u32 = 11;
export const VREPRINT: u32 = 12;
export const VDISCARD: u32 = 13;
export const VWERASE: u32 = 14;
export const VLNEXT: u32 = 15;
export const VEOL2: u32 = 16;

/** Signals that keys and size changes cause. */
export const SIGINT: i32 = 2;
export const SIGQUIT: i32 = 3;
export const SIGTSTP: i32 = 20;
/** Signals to those who use a terminal from the background. */
export const SIGTTIN: i32 = 21;
export const SIGTTOU: i32 = 22;
export const SIGWINCH: i32 = 28;

/** The special character `index` of settings at `termios`. */
export function characterOf(termios: Termios, index: u32): u8 {
  return load<u8>(changetype<usize>(termios) + CHARACTERS_OFFSET + index);
}

function setCharacter(termios: Termios, index: u32, value: u8): void {
  store<u8>(changetype<usize>(termios) + CHARACTERS_OFFSET + index, value);
}

/** Writes the settings of a fresh terminal to `TERMIOS2_BYTES` bytes. */
export function setDefaultTermios(termios: Termios): void {
  memory.fill(changetype<usize>(termios), 0, TERMIOS2_BYTES);
  termios.inputFlags = ICRNL | IXON;
  termios.outputFlags = OPOST | ONLCR;
  termios.controlFlags = DEFAULT_CONTROL_FLAGS;
  termios.localFlags = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
  setCharacter(termios, VINTR, 0x03);
  setCharacter(termios, VQUIT, 0x1c);
  setCharacter(termios, VERASE, 0x7f);
  setCharacter(termios, VKILL, 0x15);
  setCharacter(termios, VEOF, 0x04);
  setCharacter(termios, VMIN, 1);
  setCharacter(termios, VSTART, 0x11);
  setCharacter(termios, VSTOP, 0x13);
  setCharacter(termios, VSUSP, 0x1a);
  setCharacter(termios, VREPRINT, 0x12);
  setCharacter(termios, VDISCARD, 0x0f);
  setCharacter(termios, VWERASE, 0x17);
  setCharacter(termios, VLNEXT, 0x16);
  store<u32>(changetype<usize>(termios) + SPEEDS_OFFSET, DEFAULT_SPEED);
  store<u32>(changetype<usize>(termios) + SPEEDS_OFFSET + 4, DEFAULT_SPEED);
}
