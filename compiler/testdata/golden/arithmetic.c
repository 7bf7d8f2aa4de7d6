#include "wasm.h"
#include "intrinsics.h"
#define W_UNREACHABLE() __builtin_trap()
__attribute__((used, no_reorder)) static void w_first(void) {}
extern void *const w_table[];
extern const u32 w_table_types[], w_table_size;
#define w_callee(index, type) __extension__ ({ const u32 w_i = (index); if (W_UNLIKELY(w_i >= w_table_size || w_table_types[w_i] != type)) W_UNREACHABLE(); w_table[w_i]; })
static u32 g_compiler_testdata_golden_arithmetic_counter = 7u;
static inline u32 compiler_testdata_golden_arithmetic_next(void);
u32 compiler_testdata_golden_arithmetic_order(u32) __asm__("order");
u32 compiler_testdata_golden_arithmetic_clamp(u32, u32, u32) __asm__("clamp");
u64 compiler_testdata_golden_arithmetic_alignUp(u64, u64) __asm__("alignUp");
u64 compiler_testdata_golden_arithmetic_divide(u32, u32) __asm__("divide");
void start(void) __asm__("moduleInit");

static inline u32 compiler_testdata_golden_arithmetic_next(void) {
u32 v0 = 0;
v0 = g_compiler_testdata_golden_arithmetic_counter;
g_compiler_testdata_golden_arithmetic_counter = (v0 + 1u);
return v0;
}

u32 compiler_testdata_golden_arithmetic_order(u32 a) {
const u32 t1 = g_compiler_testdata_golden_arithmetic_counter;
const u32 t2 = compiler_testdata_golden_arithmetic_next();
const u32 t3 = (t1 + (t2 * (a - compiler_testdata_golden_arithmetic_next())));
return t3 + g_compiler_testdata_golden_arithmetic_counter;
}

u32 compiler_testdata_golden_arithmetic_clamp(u32 value, u32 low, u32 high) {
u32 t1;
if ((i32)value < (i32)low) {
t1 = low;
} else {
u32 t2;
if ((i32)value > (i32)high) {
t2 = high;
} else {
t2 = value;
}
t1 = t2;
}
return t1;
}

u64 compiler_testdata_golden_arithmetic_alignUp(u64 value, u64 alignment) {
return ((value + alignment) - 1ul) & ((alignment - 1ul) ^ 0xfffffffffffffffful);
}

u64 compiler_testdata_golden_arithmetic_divide(u32 a, u32 b) {
return (((u64)(i32)(u32)((i32)a / (i32)b) + (u64)(i32)w_rem_s32(a, b)) + (u64)(i32)(u32)((i32)a >> 3)) + (u64)(a >> 3);
}

void start(void) {
}
