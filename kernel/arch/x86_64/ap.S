/*
 * First steps of every processor but the first: from real mode, where a start-up interrupt leaves it
 * (Intel SDM vol. 3 §9.4), to long mode and `apMain`.
 *
 * The bytes from apCodeStart to apCodeEnd are copied to physical AP_BASE, the page that the start-up
 * interrupt names; kernel/arch/x86_64/startup.ts fills in the parameters. The page tables given map
 * that page to itself.
 */

#define AP_BASE 0x8000
#define HERE(label) (AP_BASE + (label) - apCodeStart)

    .section .rodata
    .globl apCodeStart, apCodeEnd, apParameters
    .code16
apCodeStart:
    cli
    cld
    xor %ax, %ax
    mov %ax, %ds
    lgdtl HERE(apGdtPointer)
    mov %cr0, %eax
    or $1, %eax
    mov %eax, %cr0
    ljmpl $0x18, $HERE(apProtected)

    .code32
apProtected:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov HERE(apRoot), %eax
    mov %eax, %cr3
    mov $0x6a0, %eax            /* PAE, PGE, OSFXSR, OSXMMEXCPT */
    mov %eax, %cr4
    mov $0xc0000080, %ecx       /* EFER: SCE, LME, NXE */
    mov $0x901, %eax
    xor %edx, %edx
    wrmsr
    mov $0x80010023, %eax       /* PG, WP, NE, MP, PE */
    mov %eax, %cr0
    ljmp $0x08, $HERE(apLong)

    .code64
apLong:
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    mov HERE(apStack), %rsp
    mov HERE(apCpuBlock), %rax
    mov %rax, %rdx
    shr $32, %rdx
    mov $0xc0000101, %ecx       /* GS base */
    wrmsr
    xor %ebp, %ebp
    movabs $apMain, %rax
    call *%rax
    ud2

    .balign 8
apGdt:
    .quad 0
    .quad 0x00af9b000000ffff    /* 64-bit code */
    .quad 0x00cf93000000ffff    /* data */
    .quad 0x00cf9b000000ffff    /* 32-bit code */
apGdtPointer:
    .word 31
    .long HERE(apGdt)
    .balign 8
apParameters:
apRoot:     .quad 0
apStack:    .quad 0
apCpuBlock: .quad 0
apCodeEnd:
