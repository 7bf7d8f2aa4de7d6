/*
 * Ways into the kernel from running code: system calls, exceptions and interrupts; and the way back.
 *
 * All of them build the same register frame (trapframe.ts) on the thread's kernel stack:
 *   r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi | vector error | rip cs rflags rsp ss
 * In user mode GS belongs to the application; `swapgs` on the way in makes it point to the per-CPU
 * block (percpu.ts). Intel SDM vol. 3 §6.14 (interrupts in 64-bit mode), §5.8.8 (SYSCALL/SYSRET).
 *
 * Neighbours: kernel/trap.ts (trapEntry, trapFatalEntry, userReturn), kernel/linux/dispatch.ts (systemCall).
 */

#define CPU_KERNEL_STACK 8
#define CPU_USER_RSP 16
#define CPU_USER_WORK 44
#define VECTOR_SYSCALL 0x100
#define MSR_GS_BASE 0xc0000101
#define KERNEL_DATA 0x10
#define USER_DATA 0x23
#define USER_CODE 0x2b

    .text
    .globl syscallEntryPoint
    .align 16
syscallEntryPoint:
    swapgs
    mov %rsp, %gs:CPU_USER_RSP
    mov %gs:CPU_KERNEL_STACK, %rsp
    push $USER_DATA
    push %gs:CPU_USER_RSP
    push %r11
    push $USER_CODE
    push %rcx
    push %rax                   /* "error" holds the call's number, for restarts */
    push $VECTOR_SYSCALL
    push %rdi
    push %rsi
    push %rdx
    push %rcx
    push %rax
    push %r8
    push %r9
    push %r10
    push %r11
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    sti
    xor %ebp, %ebp              /* backtraces end here */
    mov %rsp, %rdi
    call systemCall
    cli
    cmpl $0, %gs:CPU_USER_WORK
    jne userWork
    cmpl $VECTOR_SYSCALL, 120(%rsp)
    jne restoreAll
    /* Nobody touched the frame: SYSRET. Callee-saved registers are as the application left them,
       but for RBP. */
    mov 32(%rsp), %rbp
    mov 56(%rsp), %r10
    mov 64(%rsp), %r9
    mov 72(%rsp), %r8
    mov 80(%rsp), %rax
    mov 96(%rsp), %rdx
    mov 104(%rsp), %rsi
    mov 112(%rsp), %rdi
    mov 136(%rsp), %rcx
    mov 152(%rsp), %r11
    mov 160(%rsp), %rsp
    swapgs
    sysretq

userWork:
    mov %rsp, %rdi
    call userReturn             /* signals, preemption; returns with interrupts off */
restoreAll:
    testb $3, 144(%rsp)
    jz 1f
    swapgs
1:  pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rax
    pop %rcx
    pop %rdx
    pop %rsi
    pop %rdi
    add $16, %rsp
    iretq

/* One stub a vector, 16 bytes apart: push an error code where the processor does not, then the
   vector. Vectors with an error code: 8, 10-14, 17, 21, 29, 30. */
    .globl trapStubs
    .align 16
trapStubs:
    .set vector, 0
    .rept 256
    .align 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    push $0
    .endif
    push $vector
    .if vector == 2 || vector == 8 || vector == 18
    jmp trapFatal
    .else
    jmp trapCommon
    .endif
    .set vector, vector + 1
    .endr

    .macro pushRegisters
    push %rdi
    push %rsi
    push %rdx
    push %rcx
    push %rax
    push %r8
    push %r9
    push %r10
    push %r11
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    .endm

/* Non-maskable interrupt, double fault, machine check, on stacks of their own: they may come between
   a change of CS and SWAPGS, so only GS itself tells whose it is. Kernel addresses are negative.
   The report ends the machine. */
    .align 16
trapFatal:
    pushRegisters
    cld
    mov $MSR_GS_BASE, %ecx
    rdmsr
    test %edx, %edx
    js 1f
    swapgs
1:  xor %ebp, %ebp
    mov %rsp, %rdi
    call trapFatalEntry
    ud2

    .align 16
trapCommon:
    pushRegisters
    cld
    testb $3, 144(%rsp)
    jz 1f
    swapgs
    /* The processor left SS null. The kernel always runs with the same SS, as after SYSCALL: some
       processors keep a null one across SYSRET, and emulators translate code again for it. */
    mov $KERNEL_DATA, %edi
    mov %edi, %ss
    xor %ebp, %ebp
    mov %rsp, %rdi
    call trapEntry
    cli
    cmpl $0, %gs:CPU_USER_WORK
    jne userWork
    jmp restoreAll
1:  /* From kernel code. The frame pointer links the backtrace to the interrupted function, as if
       it had called: a return address and the saved RBP lie below the frame. */
    mov %rsp, %rdi
    push 136(%rdi)
    push %rbp
    mov %rsp, %rbp
    mov %rdi, %rbx
    and $-16, %rsp
    call trapEntry
    mov %rbx, %rsp
    jmp restoreAll

    .globl enterUser
enterUser:
    cli
    mov %rdi, %rsp
    cmpl $0, %gs:CPU_USER_WORK
    jne userWork
    jmp restoreAll
