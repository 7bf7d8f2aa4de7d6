/*
 * Memory accesses that may fault: every touch of application memory by the kernel is one of these.
 *
 * A page fault between userCopyStart and userCopyEnd that the address space cannot resolve makes the
 * trap code continue at userCopyFault. At that point RCX counts the units left of the running loop,
 * R8 the bytes of one unit, and R9 the bytes that would have followed the loop. In loops of 8-byte
 * units R10D is 1 for a copy and 0 for clearing.
 *
 * Neighbours: kernel/trap.ts, kernel/arch/x86_64/asm.ts (declarations).
 */
    .text
    .globl userCopyStart, userCopyEnd, userCopyFault
    .align 16
userCopyStart:

/* copyUser(destination: rdi, source: rsi, length: rdx): rax = bytes not copied.
   Blocks of 64 bytes by plain loads and stores (under emulation far quicker than string
   instructions), or by REP MOVSB where the processor does it fast (useStringCopy). */
    .globl copyUser
copyUser:
    mov %rdx, %rcx
    cmp $64, %rdx
    jb 3f
    cmpb $0, useStringCopy
    jne 4f
    mov %rdx, %r9
    and $63, %r9
    shr $6, %rcx
    mov $64, %r8d
2:  mov (%rsi), %rax
    mov 8(%rsi), %rdx
    mov 16(%rsi), %r10
    mov 24(%rsi), %r11
    mov %rax, (%rdi)
    mov %rdx, 8(%rdi)
    mov %r10, 16(%rdi)
    mov %r11, 24(%rdi)
    mov 32(%rsi), %rax
    mov 40(%rsi), %rdx
    mov 48(%rsi), %r10
    mov 56(%rsi), %r11
    mov %rax, 32(%rdi)
    mov %rdx, 40(%rdi)
    mov %r10, 48(%rdi)
    mov %r11, 56(%rdi)
    add $64, %rsi
    add $64, %rdi
    dec %rcx
    jnz 2b
    mov %r9, %rcx
3:  mov $8, %r8d
    mov $1, %r10d
    mov %rcx, %r9
    and $7, %r9
    shr $3, %rcx
    jz 6f
5:  mov (%rsi), %rax
    mov %rax, (%rdi)
    add $8, %rsi
    add $8, %rdi
    dec %rcx
    jnz 5b
6:  mov %r9, %rcx
4:
copyBytes:
    mov $1, %r8d
    xor %r9d, %r9d
    rep movsb
    xor %eax, %eax
    ret

/* clearUser(destination: rdi, length: rsi): rax = bytes not cleared. */
    .globl clearUser
clearUser:
    mov %rsi, %rcx
    mov %rsi, %r9
    and $7, %r9
    shr $3, %rcx
    mov $8, %r8d
    xor %r10d, %r10d
    xor %eax, %eax
    rep stosq
    mov %r9, %rcx
clearBytes:
    xor %eax, %eax
    mov $1, %r8d
    xor %r9d, %r9d
    rep stosb
    ret

/* lengthUser(source: rdi, limit: rsi): bytes before the first zero byte, at most limit; -1 faults. */
    .globl lengthUser
lengthUser:
    xor %eax, %eax
    xor %ecx, %ecx
    mov $-1, %r9
    xor %r8d, %r8d
7:  cmp %rsi, %rax
    jae 8f
    cmpb $0, (%rdi,%rax)
    je 8f
    inc %rax
    jmp 7b
8:  ret

/* loadUser32(source: rdi, out: rsi): rax = 0, or not 0 after a fault. */
    .globl loadUser32
loadUser32:
    mov $1, %ecx
    mov $1, %r8d
    xor %r9d, %r9d
    mov (%rdi), %eax
    mov %eax, (%rsi)
    xor %eax, %eax
    ret

/* compareExchangeUser32(address: rdi, expected: esi, desired: edx, oldOut: rcx). */
    .globl compareExchangeUser32
compareExchangeUser32:
    mov %rcx, %r10
    mov $1, %ecx
    mov $1, %r8d
    xor %r9d, %r9d
    mov %esi, %eax
    lock cmpxchg %edx, (%rdi)
    mov %eax, (%r10)
    xor %eax, %eax
    ret
userCopyEnd:

/* Programs are told exactly how many bytes were moved (read(2) up to a fault in the buffer), so a
   fault in a loop of larger units goes on byte by byte; a second fault then ends it. */
userCopyFault:
    mov %rcx, %rax
    imul %r8, %rax
    add %r9, %rax
    cmp $64, %r8
    je 1f
    cmp $8, %r8
    jne 2f
    mov %rax, %rcx
    test %r10d, %r10d
    jz clearBytes
    jmp copyBytes
1:  mov %rax, %rcx
    jmp copyBytes
2:  ret

    .data
    .globl useStringCopy
useStringCopy:
    .byte 0
