/**
 * The processor the kernel is built for. Every port supplies the same names; this file chooses one.
 */
export * from "./x86_64/hw";
export * from "./x86_64/asm";
export * from "./x86_64/sym";
export * from "./x86_64/percpu";
export * from "./x86_64/control";
export * from "./x86_64/features";
