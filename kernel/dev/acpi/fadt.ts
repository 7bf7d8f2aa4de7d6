/**
 * The FADT (ACPI 6.5, section 5.2.9) and the one object of the DSDT that power-off needs: \_S5,
 * whose bytes are looked for in place of an AML interpreter.
 *
 * Neighbours: `acpi/tables` finds and checks the tables; `acpi/power` uses what is found.
 */
import { AcpiTables, SIGNATURE_DSDT, SIGNATURE_FADT, TABLE_HEADER_BYTES } from "./tables";

/** Offsets of fields. */
const DSDT: usize = 40;
const PM1A_CONTROL: usize = 64;
const PM1B_CONTROL: usize = 68;
const FLAGS: usize = 112;
const X_DSDT: usize = 140;
const SLEEP_CONTROL: usize = 244;

/** Lengths from which the field groups exist: ACPI 1.0, 2.0, 5.0. */
const FADT_V1_BYTES: u32 = 116;
const FADT_V2_BYTES: u32 = 244;
const FADT_V5_BYTES: u32 = 268;

const FLAG_HARDWARE_REDUCED: u32 = 1 << 20;

/** Generic address structure (section 5.2.3.2): space id at 0, address at 4. */
const SPACE_MEMORY: u8 = 0;
const SPACE_IO: u8 = 1;

/** AML bytes (section 20.2). */
const AML_ZERO: u8 = 0x00;
const AML_ONE: u8 = 0x01;
const AML_BYTE_PREFIX: u8 = 0x0a;
const AML_PACKAGE: u8 = 0x12;
/** "_S5_", little-endian. */
const NAME_S5: u32 = 0x5f35535f;

/** How to switch off; plain numbers. */
export class PowerFacts {
  /** Ports of the PM1 control registers; 0 = absent. */
  pm1aPort: u16 = 0;
  pm1bPort: u16 = 0;
  /** Values for the sleep type fields of the two. */
  sleepTypeA: u8 = 0;
  sleepTypeB: u8 = 0;
  /** The \_S5 object was found. */
  hasS5: bool = false;
  /** Sleep control register of hardware-reduced machines: its port, or physical address. */
  sleepControlPort: u16 = 0;
  sleepControlPhysical: u64 = 0;
}

/** Fills `facts`. @returns false if there is no valid FADT */
export function readFadt(tables: AcpiTables, facts: PowerFacts): bool {
  const table = tables.find(SIGNATURE_FADT, FADT_V1_BYTES);
  if (table == 0) return false;
  const length = tables.lengthBytes;
  let dsdt: u64 = load<u32>(table + DSDT);
  if (length >= FADT_V2_BYTES && load<u64>(table + X_DSDT) != 0) dsdt = load<u64>(table + X_DSDT);
  const reduced = (load<u32>(table + FLAGS) & FLAG_HARDWARE_REDUCED) != 0;
  if (reduced && length >= FADT_V5_BYTES) {
    const space = load<u8>(table + SLEEP_CONTROL);
    const address = load<u64>(table + SLEEP_CONTROL + 4);
    if (space == SPACE_IO) facts.sleepControlPort = <u16>address;
    else if (space == SPACE_MEMORY) facts.sleepControlPhysical = address;
  } else if (!reduced) {
    facts.pm1aPort = <u16>load<u32>(table + PM1A_CONTROL);
    facts.pm1bPort = <u16>load<u32>(table + PM1B_CONTROL);
  }
  const definitions = tables.open(dsdt, SIGNATURE_DSDT, TABLE_HEADER_BYTES);
  if (definitions != 0) findS5(definitions, tables.lengthBytes, facts);
  return true;
}

/** Looks for Name(\_S5, Package(n){a, b, ...}) byte by byte. */
function findS5(table: usize, length: u32, facts: PowerFacts): void {
  const end = table + length;
  for (let at = table + TABLE_HEADER_BYTES; at + 6 <= end; at++) {
    if (load<u32>(at) != NAME_S5 || load<u8>(at + 4) != AML_PACKAGE) continue;
    // The package's length takes 1 to 4 bytes; the top two bits of the first say how many more.
    // Then comes the number of elements.
    const first = at + 5 + 1 + (load<u8>(at + 5) >> 6) + 1;
    const a = amlByte(first, end);
    if (a < 0) continue;
    const b = amlByte(first + amlByteLength(first), end);
    facts.sleepTypeA = <u8>a;
    facts.sleepTypeB = b < 0 ? 0 : <u8>b;
    facts.hasS5 = true;
    return;
  }
}

/** The small number encoded at `at`; -1 if it is none, or not before `end`. */
function amlByte(at: usize, end: usize): i32 {
  if (at >= end) return -1;
  const code = load<u8>(at);
  if (code == AML_ZERO || code == AML_ONE) return code;
  if (code == AML_BYTE_PREFIX && at + 1 < end) return load<u8>(at + 1);
  return -1;
}

function amlByteLength(at: usize): usize {
  return load<u8>(at) == AML_BYTE_PREFIX ? 2 : 1;
}
