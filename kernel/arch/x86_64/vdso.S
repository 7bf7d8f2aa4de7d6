/*
 * The vDSO: a small shared library in the kernel that is mapped into every program, so that reading
 * the clock needs no system call (vdso(7)). It is written out here as a complete ELF file: headers,
 * dynamic section, symbols with version LINUX_2.6, code. C libraries and Go look the symbols up by
 * name and version.
 *
 * The page before the image is the data page (layout: kernel/linux/vdso.ts):
 *    0 sequence (u32, odd while being written)   4 number of CPUs (u32)
 *    8 multiplier: ns per TSC tick, 32 fractional bits
 *   16 base TSC    24 base ns (monotonic)    32 real time minus monotonic time, ns
 *
 * ELF: System V ABI generic part chapters 4 and 5; versions: Linux Standard Base, symbol versioning.
 * Neighbours: kernel/sched/clock.ts (computes the same), kernel/linux/vdso.ts (maps it).
 */

#define DATA (vdsoImageStart - 4096)
#define SEQUENCE 0
#define CPU_COUNT 4
#define MULTIPLIER 8
#define BASE_TSC 16
#define BASE_NS 24
#define REALTIME_OFFSET 32

#define NS_PER_SECOND 1000000000
/* Bit n: CLOCK n is served here. REALTIME 0, MONOTONIC 1, RAW 4, COARSE 5 and 6, BOOTTIME 7. */
#define SERVED_CLOCKS 0xf3
#define REALTIME_CLOCKS 0x21
#define NR_GETTIMEOFDAY 96
#define NR_CLOCK_GETTIME 228
#define NR_CLOCK_GETRES 229
#define NR_GETCPU 309

#define HASH_SONAME 0x0deebfa1
#define HASH_VERSION 0x03ae75f6

    .section .rodata.vdso, "a", @progbits
    .balign 4096
    .globl vdsoImageStart, vdsoImageEnd
vdsoImageStart:
    /* Elf64_Ehdr */
    .byte 0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0
    .quad 0
    .short 3, 62                /* ET_DYN, EM_X86_64 */
    .long 1
    .quad 0
    .quad programHeaders - vdsoImageStart
    .quad 0
    .long 0
    .short 64, 56, 2, 64, 0, 0

programHeaders:
    .long 1, 5                  /* PT_LOAD, R+X: one segment holds everything */
    .quad 0, 0, 0
    .quad vdsoImageEnd - vdsoImageStart
    .quad vdsoImageEnd - vdsoImageStart
    .quad 4096
    .long 2, 4                  /* PT_DYNAMIC, R */
    .quad dynamic - vdsoImageStart
    .quad dynamic - vdsoImageStart
    .quad dynamic - vdsoImageStart
    .quad dynamicEnd - dynamic
    .quad dynamicEnd - dynamic
    .quad 8

    .balign 8
dynamic:
    .quad 14, nameSoname - strings              /* DT_SONAME */
    .quad 4, hashTable - vdsoImageStart         /* DT_HASH */
    .quad 5, strings - vdsoImageStart           /* DT_STRTAB */
    .quad 6, symbols - vdsoImageStart           /* DT_SYMTAB */
    .quad 10, stringsEnd - strings              /* DT_STRSZ */
    .quad 11, 24                                /* DT_SYMENT */
    .quad 0x6ffffff0, symbolVersions - vdsoImageStart   /* DT_VERSYM */
    .quad 0x6ffffffc, versions - vdsoImageStart /* DT_VERDEF */
    .quad 0x6ffffffd, 2                         /* DT_VERDEFNUM */
    .quad 0, 0
dynamicEnd:

/* One bucket: every symbol is in its chain. */
    .balign 8
hashTable:
    .long 1, 11
    .long 1
    .long 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0

    .macro symbol name, function, binding
    .long \name - strings
    .byte (\binding << 4) | 2   /* STT_FUNC */
    .byte 0
    .short 1
    .quad \function - vdsoImageStart
    .quad \function\()End - \function
    .endm

    .balign 8
symbols:
    .quad 0, 0, 0
    symbol nameVdsoClockGettime, clockGettime, 1
    symbol nameClockGettime, clockGettime, 2
    symbol nameVdsoGettimeofday, getTimeOfDay, 1
    symbol nameGettimeofday, getTimeOfDay, 2
    symbol nameVdsoTime, getTime, 1
    symbol nameTime, getTime, 2
    symbol nameVdsoGetcpu, getCpu, 1
    symbol nameGetcpu, getCpu, 2
    symbol nameVdsoClockGetres, clockGetres, 1
    symbol nameClockGetres, clockGetres, 2

symbolVersions:
    .short 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2

    .balign 8
versions:
    .short 1, 1, 1, 1           /* the file itself */
    .long HASH_SONAME, 20, 28
    .long nameSoname - strings, 0
    .short 1, 0, 2, 1           /* LINUX_2.6 */
    .long HASH_VERSION, 20, 0
    .long nameVersion - strings, 0

strings:
    .byte 0
nameSoname: .asciz "linux-vdso.so.1"
nameVersion: .asciz "LINUX_2.6"
nameVdsoClockGettime: .ascii "__vdso_"
nameClockGettime: .asciz "clock_gettime"
nameVdsoGettimeofday: .ascii "__vdso_"
nameGettimeofday: .asciz "gettimeofday"
nameVdsoTime: .ascii "__vdso_"
nameTime: .asciz "time"
nameVdsoGetcpu: .ascii "__vdso_"
nameGetcpu: .asciz "getcpu"
nameVdsoClockGetres: .ascii "__vdso_"
nameClockGetres: .asciz "clock_getres"
stringsEnd:

/* Nanoseconds of a clock: mask of REALTIME clocks & 1 << clock in R10 decides. RAX = ns; keeps RDI
   and RSI. */
    .balign 16
nanoseconds:
    lea DATA(%rip), %r8
1:  mov SEQUENCE(%r8), %r9d
    test $1, %r9d
    jnz 1b
    lfence                      /* the TSC is read after the sequence, and not before this call */
    rdtsc
    shl $32, %rdx
    or %rdx, %rax
    sub BASE_TSC(%r8), %rax
    mulq MULTIPLIER(%r8)
    shrd $32, %rdx, %rax
    add BASE_NS(%r8), %rax
    test %r10d, %r10d
    jz 2f
    add REALTIME_OFFSET(%r8), %rax
2:  cmp %r9d, SEQUENCE(%r8)
    jne 1b
    ret

/* int clock_gettime(clockid_t edi, struct timespec *rsi) */
    .balign 16
clockGettime:
    cmp $7, %edi
    ja 3f
    mov $SERVED_CLOCKS, %eax
    bt %edi, %eax
    jnc 3f
    mov $1, %r10d
    mov %edi, %ecx
    shl %cl, %r10d
    and $REALTIME_CLOCKS, %r10d
    call nanoseconds
    xor %edx, %edx
    mov $NS_PER_SECOND, %ecx
    div %rcx
    mov %rax, (%rsi)
    mov %rdx, 8(%rsi)
    xor %eax, %eax
    ret
3:  mov $NR_CLOCK_GETTIME, %eax
    syscall
    ret
clockGettimeEnd:

/* int gettimeofday(struct timeval *rdi, struct timezone *rsi) */
    .balign 16
getTimeOfDay:
    test %rsi, %rsi
    jz 4f
    movq $0, (%rsi)
4:  test %rdi, %rdi
    jz 5f
    mov $1, %r10d
    call nanoseconds
    xor %edx, %edx
    mov $NS_PER_SECOND, %ecx
    div %rcx
    mov %rax, (%rdi)
    mov %rdx, %rax
    xor %edx, %edx
    mov $1000, %ecx
    div %rcx
    mov %rax, 8(%rdi)
5:  xor %eax, %eax
    ret
getTimeOfDayEnd:

/* time_t time(time_t *rdi) */
    .balign 16
getTime:
    mov $1, %r10d
    call nanoseconds
    xor %edx, %edx
    mov $NS_PER_SECOND, %ecx
    div %rcx
    test %rdi, %rdi
    jz 6f
    mov %rax, (%rdi)
6:  ret
getTimeEnd:

/* int getcpu(unsigned *rdi, unsigned *rsi, void *unused) */
    .balign 16
getCpu:
    lea DATA(%rip), %r8
    cmpl $1, CPU_COUNT(%r8)
    jne 8f
    xor %eax, %eax
    test %rdi, %rdi
    jz 7f
    mov %eax, (%rdi)
7:  test %rsi, %rsi
    jz 9f
    mov %eax, (%rsi)
9:  ret
8:  mov $NR_GETCPU, %eax
    syscall
    ret
getCpuEnd:

/* int clock_getres(clockid_t edi, struct timespec *rsi) */
    .balign 16
clockGetres:
    cmp $7, %edi
    ja 10f
    mov $SERVED_CLOCKS, %eax
    bt %edi, %eax
    jnc 10f
    test %rsi, %rsi
    jz 11f
    movq $0, (%rsi)
    movq $1, 8(%rsi)
11: xor %eax, %eax
    ret
10: mov $NR_CLOCK_GETRES, %eax
    syscall
    ret
clockGetresEnd:
vdsoImageEnd:
