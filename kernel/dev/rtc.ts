/**
 * The clock chip of a PC, MC146818: date and time to the second, for machines whose host does not
 * say on the command line what time it is.
 *
 * Reference: Motorola MC146818 data sheet; the century register is where ACPI puts it on PCs.
 * Neighbours: `main` sets the real-time clock by it; `sched/clock` keeps it.
 */
import { inb, outb } from "../arch/cpu";

const INDEX_PORT: u16 = 0x70;
const DATA_PORT: u16 = 0x71;

const SECONDS: u8 = 0;
const MINUTES: u8 = 2;
const HOURS: u8 = 4;
const DAY: u8 = 7;
const MONTH: u8 = 8;
const YEAR: u8 = 9;
const STATUS_A: u8 = 10;
const STATUS_B: u8 = 11;

/** Status A: the registers are about to change; for at most 2 ms. */
const UPDATING: u8 = 1 << 7;
/** Status B: hours run to 23; numbers are binary, not decimal digits. */
const HOURS_24: u8 = 1 << 1;
const BINARY: u8 = 1 << 2;
const HOURS_PM: u8 = 1 << 7;

/** What an absent chip reads as. */
const FLOATING: u8 = 0xff;
/** Reads of a port that take longer than an update. */
const MAX_READS: u32 = 10_000;
const SECONDS_PER_DAY: u64 = 86_400;

/** Seconds since 1970-01-01 00:00 UTC, taking the chip's time as UTC; 0 if there is no chip. */
export function readRtcSeconds(): u64 {
  if (readRegister(STATUS_B) == FLOATING) return 0;
  let seconds = readOnce();
  // Two equal readings cannot have met a change half-way.
  for (let i: u32 = 0; i < MAX_READS; i++) {
    const again = readOnce();
    if (again == seconds) break;
    seconds = again;
  }
  return seconds;
}

function readOnce(): u64 {
  for (let i: u32 = 0; i < MAX_READS && (readRegister(STATUS_A) & UPDATING) != 0; i++) {}
  const status = readRegister(STATUS_B);
  const rawHours = readRegister(HOURS);
  let hours = numberOf(rawHours & ~HOURS_PM, status);
  if (!(status & HOURS_24)) hours = (hours % 12) + (rawHours & HOURS_PM ? 12 : 0);
  else hours = numberOf(rawHours, status);
  // A year of two digits: the chip is younger than 1970, and the code of this kernel than 2000.
  const year = 2000 + numberOf(readRegister(YEAR), status);
  const days = daysBefore(
    year,
    numberOf(readRegister(MONTH), status),
    numberOf(readRegister(DAY), status),
  );
  const minutes = hours * 60 + numberOf(readRegister(MINUTES), status);
  return days * SECONDS_PER_DAY + minutes * 60 + numberOf(readRegister(SECONDS), status);
}

/** Days from 1970-01-01 to a date of the Gregorian calendar. */
export function daysBefore(year: u64, month: u64, day: u64): u64 {
  // Years that begin in March have the day that comes and goes at their end.
  const shifted = month > 2 ? year : year - 1;
  const fromMarch = (month + 9) % 12;
  const leapDays = shifted / 4 - shifted / 100 + shifted / 400;
  const daysSinceYear0 = shifted * 365 + leapDays + (fromMarch * 153 + 2) / 5 + day - 1;
  const daysFromYear0To1970: u64 = 719468;
  return daysSinceYear0 - daysFromYear0To1970;
}

function numberOf(raw: u8, status: u8): u64 {
  return status & BINARY ? raw : (raw >> 4) * 10 + (raw & 15);
}

function readRegister(register: u8): u8 {
  outb(INDEX_PORT, register);
  return inb(DATA_PORT);
}
