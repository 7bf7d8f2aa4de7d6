/*
 * What the generated C code stands on: types, memory access and those WebAssembly operations that
 * are not one C operator. Included by every generated file, before intrinsics.h.
 *
 * Integers are unsigned; signed operations cast. Arithmetic wraps (-fwrapv). Linear memory is the
 * address space itself.
 */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef signed char i8;
typedef short i16;
typedef int i32;
typedef long i64;
typedef unsigned __int128 u128;

/* Access to any address, aligned or not, overlapping anything. */
typedef u8 __attribute__((may_alias)) m8;
typedef u16 __attribute__((may_alias, aligned(1))) m16;
typedef u32 __attribute__((may_alias, aligned(1))) m32;
typedef u64 __attribute__((may_alias, aligned(1))) m64;
/* Naturally aligned, for atomic operations. */
typedef u8 __attribute__((may_alias)) a8;
typedef u16 __attribute__((may_alias)) a16;
typedef u32 __attribute__((may_alias)) a32;
typedef u64 __attribute__((may_alias)) a64;

#define W_INLINE static inline __attribute__((always_inline))
#define W_COLD __attribute__((cold))
#define W_NOINLINE __attribute__((noinline))
#define W_NORETURN __attribute__((noreturn))
#define W_UNLIKELY(x) __builtin_expect((x), 0)

/* A value that is known not to be 0. */
W_INLINE u64 w_nonzero(u64 value) {
  if (!value) __builtin_unreachable();
  return value;
}

/*
 * A pointer and a distance, so that gcc sees which accesses are neighbours and joins them. A cast alone
 * would do, but gcc adds the distance to the number before it casts; the builtin keeps them apart.
 */
#define W_AT(base, offset) ((u8 *)__builtin_assume_aligned((void *)(base), 1) + (offset))

#define M8(address) (*(m8 *)(address))
#define M16(address) (*(m16 *)(address))
#define M32(address) (*(m32 *)(address))
#define M64(address) (*(m64 *)(address))

/* Address in static data: `symbol` is a data segment, placed by asdata.S. */
#define W_DATA(symbol, offset) ((u64)symbol + offset)

#define A_LOAD(bits, address) __atomic_load_n((a##bits *)(address), __ATOMIC_SEQ_CST)
#define A_STORE(bits, address, value) \
  __atomic_store_n((a##bits *)(address), (u##bits)(value), __ATOMIC_SEQ_CST)
#define A_RMW(operation, bits, address, value) \
  __atomic_##operation((a##bits *)(address), (u##bits)(value), __ATOMIC_SEQ_CST)

/* Returns the value found; equal to `expected` if and only if `desired` was stored. */
#define W_CMPXCHG(bits)                                                                      \
  W_INLINE u##bits w_cmpxchg##bits(u64 address, u##bits expected, u##bits desired) {         \
    __atomic_compare_exchange_n((a##bits *)address, &expected, desired, 0, __ATOMIC_SEQ_CST, \
                                __ATOMIC_SEQ_CST);                                           \
    return expected;                                                                         \
  }
W_CMPXCHG(8)
W_CMPXCHG(16)
W_CMPXCHG(32)
W_CMPXCHG(64)

void *memcpy(void *, const void *, u64);
void *memmove(void *, const void *, u64);
void *memset(void *, int, u64);
int memcmp(const void *, const void *, u64);

/* Macros, so that the call carries the line of its user. */
#define w_copy(to, from, length) __builtin_memmove((void *)(to), (const void *)(from), (length))
#define w_fill(to, value, length) __builtin_memset((void *)(to), (int)(value), (length))

/* Division: x / 0 and MIN / -1 trap in hardware; MIN % -1 is 0, which the hardware would trap. */
W_INLINE u32 w_rem_s32(u32 a, u32 b) { return b == (u32)-1 ? 0 : (u32)((i32)a % (i32)b); }
W_INLINE u64 w_rem_s64(u64 a, u64 b) { return b == (u64)-1 ? 0 : (u64)((i64)a % (i64)b); }

W_INLINE u32 w_clz32(u32 x) { return x ? (u32)__builtin_clz(x) : 32; }
W_INLINE u32 w_ctz32(u32 x) { return x ? (u32)__builtin_ctz(x) : 32; }
W_INLINE u64 w_clz64(u64 x) { return x ? (u64)__builtin_clzl(x) : 64; }
W_INLINE u64 w_ctz64(u64 x) { return x ? (u64)__builtin_ctzl(x) : 64; }
/* Not __builtin_popcount: without POPCNT it would call a library. */
W_INLINE u64 w_popcnt64(u64 x) {
  x -= x >> 1 & 0x5555555555555555ul;
  x = (x & 0x3333333333333333ul) + (x >> 2 & 0x3333333333333333ul);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0ful;
  return x * 0x0101010101010101ul >> 56;
}
W_INLINE u32 w_popcnt32(u32 x) { return (u32)w_popcnt64(x); }
W_INLINE u32 w_rotl32(u32 x, u32 n) { return x << (n & 31) | x >> (-n & 31); }
W_INLINE u32 w_rotr32(u32 x, u32 n) { return x >> (n & 31) | x << (-n & 31); }
W_INLINE u64 w_rotl64(u64 x, u64 n) { return x << (n & 63) | x >> (-n & 63); }
W_INLINE u64 w_rotr64(u64 x, u64 n) { return x >> (n & 63) | x << (-n & 63); }
