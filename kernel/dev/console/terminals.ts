/**
 * Creates the terminal that the command line asks for: `console=serial` (ttyS0) or `console=hvc`
 * (hvc0), also reachable as /dev/console. Without one of these there are only pseudo-terminals.
 * /dev/tty is whatever terminal controls the one who opens it.
 *
 * Options `rows=` and `cols=` give its size.
 * Neighbours: `console/tty`; `linux/init` opens `consoleTty` for the program.
 */
import { findOption } from "../../arch/bootinfo";
import { EIO, ENXIO, asError } from "../../lib/errno";
import { log } from "../../lib/log";
import { CharacterDevice, registerCharacterDevice } from "../character";
import { ConsolePort } from "../virtio/console-port";
import { InputReceiver, TerminalLine } from "./line";
import { OutputRing } from "./output-ring";
import { findConsolePort } from "./ports";
import { PtmxDevice } from "./pty";
import { SerialLine } from "./serial-line";
import { terminalUsers } from "./terminal-users";
import { consoleTty, O_NOCTTY, setConsoleTty, Tty } from "./tty";

/** Device numbers (Linux Documentation/admin-guide/devices.txt). */
const MAJOR_TTY: u32 = 4;
const MINOR_SERIAL: u32 = 64;
const MAJOR_HVC: u32 = 229;
const MAJOR_ALIAS: u32 = 5;
const MINOR_CURRENT_TTY: u32 = 0;
const MINOR_CONSOLE: u32 = 1;

/** A port of a virtio console as a line. */
class PortLine extends TerminalLine {
  constructor(readonly port: ConsolePort) {
    super();
  }

  output(): OutputRing {
    return this.port.output;
  }

  attach(receiver: InputReceiver): void {
    this.port.input.attach(receiver);
  }

  resume(): void {
    this.port.input.resume();
  }
}

/** A name for a terminal that is found out when it is opened. */
abstract class TtyAlias extends CharacterDevice {
  constructor(name: string, minor: u32, mode: u32) {
    super();
    this.name = name;
    this.major = MAJOR_ALIAS;
    this.minor = minor;
    this.mode = mode;
  }

  read(_buffer: usize, _length: usize, _nonBlocking: bool): i64 {
    return -(<i64>EIO);
  }

  write(_buffer: usize, _length: usize, _nonBlocking: bool): i64 {
    return -(<i64>EIO);
  }
}

/** /dev/console; never becomes a controlling terminal. */
class SystemConsole extends TtyAlias {
  constructor(readonly tty: Tty) {
    super("console", MINOR_CONSOLE, 0o600);
  }

  opened(flags: u32): usize {
    return this.tty.opened(flags | O_NOCTTY);
  }
}

/** /dev/tty: the controlling terminal of whoever opens it. */
class CurrentTty extends TtyAlias {
  constructor() {
    super("tty", MINOR_CURRENT_TTY, 0o666);
  }

  opened(flags: u32): usize {
    const users = terminalUsers();
    const tty = users ? users.current() : null;
    return tty ? tty.opened(flags | O_NOCTTY) : asError(-ENXIO);
  }
}

registerCharacterDevice(new CurrentTty());
registerCharacterDevice(new PtmxDevice());

/** Creates the terminal; devices must have been started. May sleep. */
export function initTerminals(): void {
  const console = findOption("console");
  if (console) {
    if (console.is("serial")) openSerial();
    else if (console.is("hvc")) openHvc();
  }
  const tty = consoleTty();
  if (tty) {
    const rows = numberOption("rows");
    const columns = numberOption("cols");
    if (rows != 0 || columns != 0) tty.setSize(columns, rows);
    registerCharacterDevice(tty);
    registerCharacterDevice(new SystemConsole(tty));
  }
}

function openSerial(): void {
  const line = new SerialLine();
  if (line.start() != 0) log("console: the serial port has no interrupt");
  open(new Tty(line, "ttyS0", MAJOR_TTY, MINOR_SERIAL));
}

function openHvc(): void {
  const port = findConsolePort("console");
  if (port == null) {
    log("console: console=hvc, but there is no virtio console port");
    return;
  }
  const tty = new Tty(new PortLine(port), "hvc0", MAJOR_HVC, 0);
  if (port.columns != 0) tty.setSize(port.columns, port.rows);
  open(tty);
}

function open(tty: Tty): void {
  if (tty.open()) setConsoleTty(tty);
  else log("console: no memory for the terminal");
}

/** A decimal option below 65536; 0 if absent or not a number. */
function numberOption(name: string): u16 {
  const option = findOption(name);
  if (!option) return 0;
  let value: u32 = 0;
  for (let i: usize = 0; i < option.length; i++) {
    const digit = <u32>load<u8>(option.address + i) - 0x30;
    if (digit > 9 || value > 6553) return 0;
    value = value * 10 + digit;
  }
  return <u16>value;
}
