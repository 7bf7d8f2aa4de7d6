/*
 * Floating-point operations, for modules compiled as ordinary programs (tests). The kernel is
 * compiled without floating point and never includes this file.
 */
#pragma once

typedef float f32;
typedef double f64;

W_INLINE f32 w_f32(u32 bits) { f32 x; __builtin_memcpy(&x, &bits, 4); return x; }
W_INLINE f64 w_f64(u64 bits) { f64 x; __builtin_memcpy(&x, &bits, 8); return x; }
W_INLINE u32 w_bits32(f32 x) { u32 bits; __builtin_memcpy(&bits, &x, 4); return bits; }
W_INLINE u64 w_bits64(f64 x) { u64 bits; __builtin_memcpy(&bits, &x, 8); return bits; }

/* NaN if either is; -0 is less than +0. */
#define W_MINMAX(T, bits, u)                                                   \
  W_INLINE T w_min_##T(T a, T b) {                                             \
    if (a != a || b != b) return a + b;                                        \
    if (a == b) return w_##T(w_bits##bits(a) | w_bits##bits(b));               \
    return a < b ? a : b;                                                      \
  }                                                                            \
  W_INLINE T w_max_##T(T a, T b) {                                             \
    if (a != a || b != b) return a + b;                                        \
    if (a == b) return w_##T(w_bits##bits(a) & w_bits##bits(b));               \
    return a > b ? a : b;                                                      \
  }
W_MINMAX(f32, 32, u32)
W_MINMAX(f64, 64, u64)

/* Truncation: `low` and `high` are the exclusive bounds of what fits. */
#define W_TRUNC(T, R, name, low, high)                                         \
  W_INLINE u##R w_trunc_##name(T x) {                                          \
    if (!(x > (low) && x < (high))) __builtin_trap();                          \
    return (u##R)W_TO_##name(x);                                               \
  }                                                                            \
  W_INLINE u##R w_trunc_sat_##name(T x) {                                      \
    if (x != x) return 0;                                                      \
    if (!(x > (low))) return W_MIN_##name;                                     \
    if (!(x < (high))) return W_MAX_##name;                                    \
    return (u##R)W_TO_##name(x);                                               \
  }
#define W_TO_f32_i32_s (i32)
#define W_TO_f64_i32_s (i32)
#define W_TO_f32_i64_s (i64)
#define W_TO_f64_i64_s (i64)
#define W_TO_f32_i32_u (u32)
#define W_TO_f64_i32_u (u32)
#define W_TO_f32_i64_u (u64)
#define W_TO_f64_i64_u (u64)
#define W_MIN_f32_i32_s 0x80000000u
#define W_MAX_f32_i32_s 0x7fffffffu
#define W_MIN_f64_i32_s 0x80000000u
#define W_MAX_f64_i32_s 0x7fffffffu
#define W_MIN_f32_i64_s 0x8000000000000000ul
#define W_MAX_f32_i64_s 0x7ffffffffffffffful
#define W_MIN_f64_i64_s 0x8000000000000000ul
#define W_MAX_f64_i64_s 0x7ffffffffffffffful
#define W_MIN_f32_i32_u 0
#define W_MAX_f32_i32_u 0xffffffffu
#define W_MIN_f64_i32_u 0
#define W_MAX_f64_i32_u 0xffffffffu
#define W_MIN_f32_i64_u 0
#define W_MAX_f32_i64_u 0xfffffffffffffffful
#define W_MIN_f64_i64_u 0
#define W_MAX_f64_i64_u 0xfffffffffffffffful
W_TRUNC(f32, 32, f32_i32_s, -2147483904.0f, 2147483648.0f)
W_TRUNC(f64, 32, f64_i32_s, -2147483649.0, 2147483648.0)
W_TRUNC(f32, 32, f32_i32_u, -1.0f, 4294967296.0f)
W_TRUNC(f64, 32, f64_i32_u, -1.0, 4294967296.0)
W_TRUNC(f32, 64, f32_i64_s, -9223373136366403584.0f, 9223372036854775808.0f)
W_TRUNC(f64, 64, f64_i64_s, -9223372036854777856.0, 9223372036854775808.0)
W_TRUNC(f32, 64, f32_i64_u, -1.0f, 18446744073709551616.0f)
W_TRUNC(f64, 64, f64_i64_u, -1.0, 18446744073709551616.0)
