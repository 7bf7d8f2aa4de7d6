#include "wasm.h"
#include "intrinsics.h"
#define W_UNREACHABLE() __builtin_trap()
__attribute__((used, no_reorder)) static void w_first(void) {}
extern void *const w_table[];
extern const u32 w_table_types[], w_table_size;
#define w_callee(index, type) __extension__ ({ const u32 w_i = (index); if (W_UNLIKELY(w_i >= w_table_size || w_table_types[w_i] != type)) W_UNREACHABLE(); w_table[w_i]; })
static u64 g_compiler_testdata_bumpheap_used;
static u32 g_argumentsLength;
W_NORETURN W_COLD void compiler_testdata_golden_objects_abort(u64, u64, u32, u32) __asm__("abort");
static inline u64 compiler_testdata_bumpheap_heapAllocate(u64);
static inline u64 lib_rt_osv_allocate(u64, u32);
static inline u64 lib_rt_osv___new(u64, u32);
static inline void compiler_testdata_golden_objects_Shape_set_side(u64, u32);
static inline u64 compiler_testdata_golden_objects_Shape_constructor(u64, u32);
static inline u64 compiler_testdata_golden_objects_Box_constructor(u64, u32);
static inline u64 compiler_testdata_golden_objects_Square_constructor(u64, u32);
static inline u32 compiler_testdata_golden_objects_Descriptor_get_flags(u64);
static inline void compiler_testdata_golden_objects_Descriptor_set_flags(u64, u32);
static inline u64 compiler_testdata_golden_objects_Descriptor_get_address(u64);
static inline u32 compiler_testdata_golden_objects_Shape_get_side(u64);
static inline u32 compiler_testdata_golden_objects_Square_area(u64);
static inline u32 compiler_testdata_golden_objects_Box_area(u64);
static inline u32 compiler_testdata_golden_objects_Shape_area_override(u64);
u32 compiler_testdata_golden_objects_area(u32) __asm__("area");
u64 compiler_testdata_golden_objects_mark(u64) __asm__("mark");
u32 compiler_testdata_golden_objects_apply(u64, u32) __asm__("apply");
u32 compiler_testdata_golden_objects_lock(u64) __asm__("lock");
void compiler_testdata_golden_objects_unlock(u64) __asm__("unlock");
W_NORETURN W_COLD void compiler_testdata_golden_objects_abort(u64, u64, u32, u32) __asm__("abort");
void start(void) __asm__("moduleInit");

static inline u64 compiler_testdata_bumpheap_heapAllocate(u64 sizeBytes) {
u64 start = 0;
start = (0xffffffff80100000ul + g_compiler_testdata_bumpheap_used);
g_compiler_testdata_bumpheap_used = (g_compiler_testdata_bumpheap_used + ((sizeBytes + 15ul) & (15ul ^ 0xfffffffffffffffful)));
u64 t1;
if (g_compiler_testdata_bumpheap_used <= 0x10000ul) {
t1 = start;
} else {
t1 = 0ul;
}
return t1;
}

static inline u64 lib_rt_osv_allocate(u64 size, u32 id) {
u64 block = 0, payload = 0;
if (size > 0x40000000ul) {
compiler_testdata_golden_objects_abort(0xffffffff80110020ul, 0ul, 0u, 0u);
}
block = compiler_testdata_bumpheap_heapAllocate((16ul + size));
if (block == 0ul) {
compiler_testdata_golden_objects_abort(0xffffffff80110080ul, 0ul, 0u, 0u);
}
payload = (block + 16ul);
M64(W_AT((payload - 16ul), 0)) = 0ul;
M32(W_AT((payload - 8ul), 0)) = id;
M32(W_AT((payload - 4ul), 0)) = (u32)size;
return payload;
}

static inline u64 lib_rt_osv___new(u64 size, u32 id) {
return lib_rt_osv_allocate(size, id);
}

static inline void compiler_testdata_golden_objects_Shape_set_side(u64 this, u32 side) {
M32(W_AT(this, 0)) = side;
}

static inline u64 compiler_testdata_golden_objects_Shape_constructor(u64 this, u32 side) {
if (this == 0) {
this = w_nonzero(lib_rt_osv___new(4ul, 4u));
}
compiler_testdata_golden_objects_Shape_set_side(this, side);
return this;
}

static inline u64 compiler_testdata_golden_objects_Box_constructor(u64 this, u32 side) {
if (this == 0) {
this = w_nonzero(lib_rt_osv___new(4ul, 5u));
}
this = compiler_testdata_golden_objects_Shape_constructor(this, side);
return this;
}

static inline u64 compiler_testdata_golden_objects_Square_constructor(u64 this, u32 side) {
if (this == 0) {
this = w_nonzero(lib_rt_osv___new(4ul, 6u));
}
this = compiler_testdata_golden_objects_Shape_constructor(this, side);
return this;
}

static inline u32 compiler_testdata_golden_objects_Descriptor_get_flags(u64 this) {
return (u32)M16(W_AT(this, 8));
}

static inline void compiler_testdata_golden_objects_Descriptor_set_flags(u64 this, u32 flags) {
M16(W_AT(this, 8)) = (u16)flags;
}

static inline u64 compiler_testdata_golden_objects_Descriptor_get_address(u64 this) {
return M64(W_AT(this, 0));
}

static inline u32 compiler_testdata_golden_objects_Shape_get_side(u64 this) {
return M32(W_AT(this, 0));
}

static inline u32 compiler_testdata_golden_objects_Square_area(u64 this) {
const u32 t1 = compiler_testdata_golden_objects_Shape_get_side(this);
return t1 * compiler_testdata_golden_objects_Shape_get_side(this);
}

static inline u32 compiler_testdata_golden_objects_Box_area(u64 this) {
const u32 t1 = compiler_testdata_golden_objects_Shape_get_side(this);
return (t1 * compiler_testdata_golden_objects_Shape_get_side(this)) * 6u;
}

static inline u32 compiler_testdata_golden_objects_Shape_area_override(u64 v0) {
u32 v1 = 0;
v1 = M32(W_AT((v0 - 8ul), 0));
if (v1 == 6u) goto L3;
if (v1 == 5u) goto L2;
goto L1;
L3:;
return compiler_testdata_golden_objects_Square_area(v0);
L2:;
return compiler_testdata_golden_objects_Box_area(v0);
L1:;
W_UNREACHABLE();
}

u32 compiler_testdata_golden_objects_area(u32 isBox) {
u64 shape = 0;
u64 t1;
if (isBox) {
t1 = compiler_testdata_golden_objects_Box_constructor(0ul, 3u);
} else {
t1 = compiler_testdata_golden_objects_Square_constructor(0ul, 3u);
}
shape = t1;
return compiler_testdata_golden_objects_Shape_area_override(shape);
}

u64 compiler_testdata_golden_objects_mark(u64 at) {
u64 descriptor = 0;
descriptor = at;
compiler_testdata_golden_objects_Descriptor_set_flags(descriptor, (compiler_testdata_golden_objects_Descriptor_get_flags(descriptor) | 4u));
return compiler_testdata_golden_objects_Descriptor_get_address(descriptor);
}

u32 compiler_testdata_golden_objects_apply(u64 f, u32 x) {
g_argumentsLength = 1u;
return ((u32 (*)(u32))w_callee(M32(W_AT(f, 0)), 2926496893))(x);
}

u32 compiler_testdata_golden_objects_lock(u64 at) {
return (u32)w_cmpxchg32(W_AT(at, 0), (u32)0u, (u32)1u) == 0u;
}

void compiler_testdata_golden_objects_unlock(u64 at) {
A_STORE(32, W_AT(at, 0), 0u);
}

void compiler_testdata_golden_objects_abort(u64 message, u64 file, u32 line, u32 column) {
W_UNREACHABLE();
}

void start(void) {
}
