/*
 * memcpy, memmove, memset and memcmp, which the C compiler calls and memory.copy, memory.fill use.
 *
 * Copies of up to 16 bytes are two overlapping moves. Longer ones move 32 bytes a round through
 * general registers; from memoryRepThreshold bytes on they use REP MOVSB / REP STOSB, which is the
 * fastest way on processors with ERMS and by far the slowest in an emulator that executes it byte by
 * byte (QEMU/TCG). The threshold is a variable: the kernel lowers it where REP is known to be fast.
 */
        .data
        .balign 8
        .globl  memoryRepThreshold
memoryRepThreshold:
        .quad   -1

        .section .text.memory, "ax", @progbits

/* void *memcpy(void *to (rdi), const void *from (rsi), size_t length (rdx)) */
        .globl  memcpy
        .type   memcpy, @function
        .balign 16
memcpy:
        movq    %rdi, %rax
.Lforward:
        cmpq    $16, %rdx
        jbe     .Lcopy_small
        cmpq    memoryRepThreshold(%rip), %rdx
        jae     .Lcopy_rep
        /* The last 32 bytes are read first: an overlapping copy may overwrite them. */
        cmpq    $32, %rdx
        jbe     .Lcopy_17_32
        pushq   %rbx
        movq    -32(%rsi,%rdx), %r8
        movq    -24(%rsi,%rdx), %r9
        movq    -16(%rsi,%rdx), %r10
        movq    -8(%rsi,%rdx), %r11
        leaq    -32(%rdi,%rdx), %rbx
        subq    $32, %rdx
1:      movq    (%rsi), %rcx
        movq    %rcx, (%rdi)
        movq    8(%rsi), %rcx
        movq    %rcx, 8(%rdi)
        movq    16(%rsi), %rcx
        movq    %rcx, 16(%rdi)
        movq    24(%rsi), %rcx
        movq    %rcx, 24(%rdi)
        addq    $32, %rsi
        addq    $32, %rdi
        subq    $32, %rdx
        ja      1b
        movq    %r8, (%rbx)
        movq    %r9, 8(%rbx)
        movq    %r10, 16(%rbx)
        movq    %r11, 24(%rbx)
        popq    %rbx
        ret
.Lcopy_17_32:
        movq    (%rsi), %rcx
        movq    8(%rsi), %r8
        movq    -16(%rsi,%rdx), %r9
        movq    -8(%rsi,%rdx), %r10
        movq    %rcx, (%rdi)
        movq    %r8, 8(%rdi)
        movq    %r9, -16(%rdi,%rdx)
        movq    %r10, -8(%rdi,%rdx)
        ret
.Lcopy_rep:
        movq    %rdx, %rcx
        rep movsb
        ret
.Lcopy_small:
        cmpl    $8, %edx
        jae     .Lcopy_8_16
        cmpl    $4, %edx
        jae     .Lcopy_4_7
        testl   %edx, %edx
        jz      2f
        /* 1 to 3 bytes: first, middle and last. */
        movzbl  (%rsi), %ecx
        movzbl  -1(%rsi,%rdx), %r8d
        movl    %edx, %r9d
        shrl    $1, %r9d
        movzbl  (%rsi,%r9), %r10d
        movb    %cl, (%rdi)
        movb    %r10b, (%rdi,%r9)
        movb    %r8b, -1(%rdi,%rdx)
2:      ret
.Lcopy_4_7:
        movl    (%rsi), %ecx
        movl    -4(%rsi,%rdx), %r8d
        movl    %ecx, (%rdi)
        movl    %r8d, -4(%rdi,%rdx)
        ret
.Lcopy_8_16:
        movq    (%rsi), %rcx
        movq    -8(%rsi,%rdx), %r8
        movq    %rcx, (%rdi)
        movq    %r8, -8(%rdi,%rdx)
        ret
        .size   memcpy, . - memcpy

/* void *memmove(void *to, const void *from, size_t length): the two may overlap. */
        .globl  memmove
        .type   memmove, @function
        .balign 16
memmove:
        movq    %rdi, %rax
        movq    %rdi, %rcx
        subq    %rsi, %rcx
        cmpq    %rdx, %rcx
        jae     .Lforward               /* to - from, unsigned, >= length: upwards is safe */
        cmpq    $16, %rdx
        jbe     .Lcopy_small            /* reads everything before it writes */
        cmpq    $32, %rdx
        jbe     .Lcopy_17_32
        /* Downwards; the first 32 bytes are read first and written last. */
        pushq   %rbx
        movq    (%rsi), %r8
        movq    8(%rsi), %r9
        movq    16(%rsi), %r10
        movq    24(%rsi), %r11
        movq    %rdi, %rbx
        subq    $32, %rdx
1:      movq    24(%rsi,%rdx), %rcx
        movq    %rcx, 24(%rdi,%rdx)
        movq    16(%rsi,%rdx), %rcx
        movq    %rcx, 16(%rdi,%rdx)
        movq    8(%rsi,%rdx), %rcx
        movq    %rcx, 8(%rdi,%rdx)
        movq    (%rsi,%rdx), %rcx
        movq    %rcx, (%rdi,%rdx)
        subq    $32, %rdx
        ja      1b
        movq    %r8, (%rbx)
        movq    %r9, 8(%rbx)
        movq    %r10, 16(%rbx)
        movq    %r11, 24(%rbx)
        popq    %rbx
        ret
        .size   memmove, . - memmove

/* void *memset(void *to (rdi), int byte (esi), size_t length (rdx)) */
        .globl  memset
        .type   memset, @function
        .balign 16
memset:
        movq    %rdi, %rax
        movzbl  %sil, %esi
        cmpq    memoryRepThreshold(%rip), %rdx
        jae     3f
        movabsq $0x0101010101010101, %rcx
        imulq   %rcx, %rsi
        cmpq    $8, %rdx
        jb      4f
        movq    %rsi, -8(%rdi,%rdx)
        subq    $32, %rdx
        jb      2f
1:      movq    %rsi, (%rdi)
        movq    %rsi, 8(%rdi)
        movq    %rsi, 16(%rdi)
        movq    %rsi, 24(%rdi)
        addq    $32, %rdi
        subq    $32, %rdx
        jae     1b
2:      addq    $32, %rdx               /* 0 to 31 bytes, of which the last 8 are done */
        subq    $8, %rdx
        jbe     6f
5:      movq    %rsi, (%rdi)
        addq    $8, %rdi
        subq    $8, %rdx
        ja      5b
6:      ret
3:      movq    %rax, %r8
        movl    %esi, %eax
        movq    %rdx, %rcx
        rep stosb
        movq    %r8, %rax
        ret
4:      testq   %rdx, %rdx
        jz      8f
7:      movb    %sil, -1(%rdi,%rdx)
        decq    %rdx
        jnz     7b
8:      ret
        .size   memset, . - memset

/* int memcmp(const void *a (rdi), const void *b (rsi), size_t length (rdx)) */
        .globl  memcmp
        .type   memcmp, @function
        .balign 16
memcmp:
        cmpq    $8, %rdx
        jb      2f
1:      movq    (%rdi), %rax
        movq    (%rsi), %rcx
        cmpq    %rcx, %rax
        jne     5f
        addq    $8, %rdi
        addq    $8, %rsi
        subq    $8, %rdx
        cmpq    $8, %rdx
        jae     1b
2:      testq   %rdx, %rdx
        jz      4f
3:      movzbl  (%rdi), %eax
        movzbl  (%rsi), %ecx
        subl    %ecx, %eax
        jne     6f
        incq    %rdi
        incq    %rsi
        decq    %rdx
        jnz     3b
4:      xorl    %eax, %eax
        ret
5:      bswapq  %rax                    /* the first byte decides */
        bswapq  %rcx
        cmpq    %rcx, %rax
        sbbl    %eax, %eax
        orl     $1, %eax
6:      ret
        .size   memcmp, . - memcmp

        .section .note.GNU-stack, "", @progbits
