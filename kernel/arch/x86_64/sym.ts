/**
 * Addresses of linker symbols (see `compiler/link/x86_64.ld`). Calling one yields its address.
 */
export declare function __image_start(): usize;
export declare function __image_end(): usize;
export declare function __text_start(): usize;
export declare function __text_end(): usize;
export declare function __rodata_start(): usize;
export declare function __rodata_end(): usize;
export declare function __data_start(): usize;
export declare function __data_end(): usize;
export declare function __bss_start(): usize;
export declare function __bss_end(): usize;
export declare function __ksyms_start(): usize;
export declare function __ksyms_end(): usize;
export declare function __early_heap_start(): usize;
export declare function __early_heap_end(): usize;
export declare function userCopyStart(): usize;
export declare function userCopyEnd(): usize;
export declare function userCopyFault(): usize;
export declare function trapStubs(): usize;
export declare function syscallEntryPoint(): usize;
/** First code of a new thread: `switchStack` returns there, and it calls `threadMain`. */
export declare function threadTrampoline(): usize;
/** A byte: whether copyUser uses string instructions (usercopy.S). */
export declare function useStringCopy(): usize;
/** Code that other processors start with, and where its parameters are (ap.S). */
export declare function apCodeStart(): usize;
export declare function apCodeEnd(): usize;
export declare function apParameters(): usize;
export declare function bootStackTop(): usize;
export declare function bootPageTables(): usize;
export declare function bootPageTablesEnd(): usize;
export declare function vdsoImageStart(): usize;
export declare function vdsoImageEnd(): usize;
export declare function memoryRepThreshold(): usize;
