/*
 * Changing from one kernel stack to another, and other things no compiler can express.
 *
 * Neighbours: kernel/sched/switch.ts.
 */
    .text
    .globl switchStack
/* switchStack(previousSpOut: rdi, nextSp: rsi): callee-saved registers of the SysV ABI. */
switchStack:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

/* A new thread's stack is made to look as if it had called switchStack from here. */
    .globl threadTrampoline
threadTrampoline:
    xor %ebp, %ebp
    call threadMain
    ud2

/* reloadSegments(code: rdi, data: rsi), after LGDT. */
    .globl reloadSegments
reloadSegments:
    mov %esi, %ds
    mov %esi, %es
    mov %esi, %ss
    pop %rax
    push %rdi
    push %rax
    lretq

/* An interrupt with no interrupt table: the processor shuts down and the machine resets. */
    .globl tripleFault
tripleFault:
    cli
    lidt noTable
    int3
1:  hlt
    jmp 1b

    .section .rodata
noTable:
    .word 0
    .quad 0
