/** Surface of a terminal for its tests: a line whose output is kept and whose input is fed by hand. */
import { WaitQueue } from "../../sched/wait";
import { InputReceiver, TerminalLine } from "./line";
import { OutputRing } from "./output-ring";
import { setTerminalUsers, TerminalUsers } from "./terminal-users";
import { Tty } from "./tty";

const SCREEN_BYTES: i32 = 65536;
const screen = new StaticArray<u8>(SCREEN_BYTES);
let screenLength: u32 = 0;
/** Bytes the screen still takes before it stalls. */
let screenRoom: u32 = SCREEN_BYTES;
let signals: u32 = 0;

class ScreenRing extends OutputRing {
  constructor() {
    super(4096, new WaitQueue());
  }

  protected advance(): bool {
    while (this.sent < this.written && screenRoom > 0) {
      const offset = <usize>(this.sent & (this.sizeBytes - 1));
      unchecked((screen[screenLength++] = load<u8>(this.ring + offset)));
      screenRoom--;
      this.sent++;
    }
    this.freed = this.sent;
    return false;
  }

  protected notify(): void {}
}

class TestLine extends TerminalLine {
  ring: ScreenRing = new ScreenRing();
  receiver: InputReceiver = changetype<InputReceiver>(<usize>0);
  resumed: u32 = 0;

  output(): OutputRing {
    return this.ring;
  }

  attach(receiver: InputReceiver): void {
    this.receiver = receiver;
  }

  resume(): void {
    this.resumed++;
  }
}

const line = new TestLine();
const tty = new Tty(line, "test", 4, 64);

/** One process, for which the terminal is its own, and which notes the signals. */
class TestUsers extends TerminalUsers {
  signalForeground(_tty: Tty, signal: i32): void {
    signals |= (<u32>1) << signal;
  }
  checkForeground(_tty: Tty, _signal: i32): i64 {
    return 0;
  }
  opened(_tty: Tty): void {}
  current(): Tty | null {
    return tty;
  }
  acquire(_tty: Tty, _steals: bool): i64 {
    return 0;
  }
  giveUp(_tty: Tty): i64 {
    return 0;
  }
  setForeground(target: Tty, group: i32): i64 {
    target.foregroundGroup = group;
    return 0;
  }
  hangUp(_tty: Tty): void {}
}

export function open(): bool {
  setTerminalUsers(new TestUsers());
  return tty.open();
}

export function feed(bytes: usize, length: usize): usize {
  return line.receiver.receive(bytes, length);
}

export function hangUp(): void {
  line.receiver.setHungUp(true);
}

export function resize(columns: u32, rows: u32): void {
  line.receiver.setSize(<u16>columns, <u16>rows);
}

export function read(buffer: usize, length: usize): i64 {
  return tty.read(buffer, length, true);
}

export function write(buffer: usize, length: usize): i64 {
  return tty.write(buffer, length, true);
}

export function ioctl(request: u32, argument: usize): i64 {
  return tty.ioctl(request, argument);
}

export function poll(): u32 {
  return tty.poll(null);
}

export function screenAddress(): usize {
  return changetype<usize>(screen);
}

export function takeScreen(): u32 {
  const length = screenLength;
  screenLength = 0;
  return length;
}

export function setScreenRoom(room: u32): void {
  screenRoom = room;
  line.ring.interrupt();
}

export function takeSignals(): u32 {
  const taken = signals;
  signals = 0;
  return taken;
}

export function settingsAddress(): usize {
  return changetype<usize>(tty.discipline.settings);
}
