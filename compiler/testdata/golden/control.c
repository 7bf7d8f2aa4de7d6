#include "wasm.h"
#include "intrinsics.h"
#define W_UNREACHABLE() __builtin_trap()
__attribute__((used, no_reorder)) static void w_first(void) {}
extern void *const w_table[];
extern const u32 w_table_types[], w_table_size;
#define w_callee(index, type) __extension__ ({ const u32 w_i = (index); if (W_UNLIKELY(w_i >= w_table_size || w_table_types[w_i] != type)) W_UNREACHABLE(); w_table[w_i]; })
u32 compiler_testdata_golden_control_collatz(u64) __asm__("collatz");
u32 compiler_testdata_golden_control_days(u32, u32) __asm__("days");
u64 compiler_testdata_golden_control_find(u64, u64, u32) __asm__("find");
void start(void) __asm__("moduleInit");

u32 compiler_testdata_golden_control_collatz(u64 start) {
u32 steps = 0; u64 n = 0;
steps = 0u;
n = start;
L2:;
if (n != 1ul) {
if ((n & 1ul) != 0ul) {
n = ((3ul * n) + 1ul);
} else {
n = (n >> 1);
}
if (steps == 1000u) {
goto L1;
}
steps = (steps + 1u);
goto L2;
}
L1:;
return steps;
}

u32 compiler_testdata_golden_control_days(u32 month, u32 leap) {
u32 v2 = 0;
v2 = month;
if (v2 == 2u) goto L6;
if (v2 == 4u) goto L5;
if (v2 == 6u) goto L4;
if (v2 == 9u) goto L3;
if (v2 == 11u) goto L2;
goto L1;
L6:;
u32 t1;
if (leap) {
t1 = 29u;
} else {
t1 = 28u;
}
return t1;
L5:;
L4:;
L3:;
L2:;
return 30u;
L1:;
return 31u;
}

u64 compiler_testdata_golden_control_find(u64 start, u64 length, u32 byte) {
u64 i = 0;
i = 0ul;
L2:;
u32 t1;
if (i < length) {
t1 = ((u32)M8(W_AT((start + i), 0)) != (byte & 255u));
} else {
t1 = 0u;
}
if (t1) {
i = (i + 1ul);
goto L2;
}
u64 t2;
if (i < length) {
t2 = i;
} else {
t2 = 0xfffffffffffffffful;
}
return t2;
}

void start(void) {
}
