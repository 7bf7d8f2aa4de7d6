/*
 * From the hypervisor to the kernel's first line of TypeScript.
 *
 * PVH (xen/include/public/arch-x86/hvm/start_info.h): the virtual machine monitor finds the entry
 * address in an ELF note, and enters with paging off, flat 32-bit segments, interrupts off and EBX
 * holding the physical address of the start info. This code builds the first page tables, enters
 * long mode, and calls `enableProcessorFeatures` (features.ts) and `kmain(startInfo)`. Initialisers
 * of modules ran when the kernel was built.
 *
 * Neighbours: compiler/link/x86_64.ld (layout), kernel/main.ts (kmain), kernel/mm/pagetable.ts
 * (replaces these tables by the final ones).
 */

#define KERNEL_BASE 0xffffffff80000000

#define CR0_PE 0x00000001
#define CR0_MP 0x00000002
#define CR0_NE 0x00000020
#define CR0_WP 0x00010000
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define CR4_PGE 0x80
#define CR4_OSFXSR 0x200
#define CR4_OSXMMEXCPT 0x400
#define EFER_MSR 0xc0000080
#define EFER_SCE 0x001
#define EFER_LME 0x100
#define EFER_NXE 0x800
#define GS_BASE_MSR 0xc0000101

#define PRESENT 0x1
#define WRITABLE 0x2
#define LARGE 0x80

    .section .note.Xen, "a", @note
    .align 4
    .long 4                     /* name size */
    .long 4                     /* descriptor size */
    .long 18                    /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long pvhEntry

    .section .boot.text, "ax", @progbits
    .code32
    .globl pvhEntry
pvhEntry:
    cld
    mov %ebx, %esi              /* start info; kept in ESI until kmain */

    /* The direct map, the kernel image and, for the next few instructions, identity: one page
       directory set of 2 MiB pages over the first 4 GiB, seen through three top-level entries. */
    mov $(bootDirectories - KERNEL_BASE), %edi
    mov $(PRESENT | WRITABLE | LARGE), %eax
    mov $2048, %ecx
1:  mov %eax, (%edi)
    add $0x200000, %eax
    add $8, %edi
    dec %ecx
    jnz 1b

    mov $(bootPointers - KERNEL_BASE), %edi
    mov $(bootDirectories - KERNEL_BASE + PRESENT + WRITABLE), %eax
    mov %eax, (%edi)
    mov %eax, 0x1000 + 510 * 8(%edi)        /* 0xffffffff80000000 */
    add $0x1000, %eax
    mov %eax, 8(%edi)
    add $0x1000, %eax
    mov %eax, 16(%edi)
    add $0x1000, %eax
    mov %eax, 24(%edi)

    mov $(bootRoot - KERNEL_BASE), %edi
    mov $(bootPointers - KERNEL_BASE + PRESENT + WRITABLE), %eax
    mov %eax, (%edi)                        /* identity */
    mov %eax, 256 * 8(%edi)                 /* direct map */
    add $0x1000, %eax
    mov %eax, 511 * 8(%edi)                 /* kernel image */
    mov %edi, %cr3

    mov $(CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT), %eax
    mov %eax, %cr4
    mov $EFER_MSR, %ecx
    mov $(EFER_SCE | EFER_LME | EFER_NXE), %eax
    xor %edx, %edx
    wrmsr
    mov $(CR0_PE | CR0_MP | CR0_NE | CR0_WP | CR0_PG), %eax
    mov %eax, %cr0
    lgdt bootGdtPointer
    ljmp $0x08, $longMode

    .code64
longMode:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    movabs $startup, %rax
    jmp *%rax

    .section .boot.data, "aw", @progbits
    .align 8
bootGdt:
    .quad 0
    .quad 0x00af9b000000ffff    /* 64-bit code */
    .quad 0x00cf93000000ffff    /* data */
bootGdtPointer:
    .word 23
    .long bootGdt

    .text
startup:
    mov $bootStackTop, %rsp
    xor %ebp, %ebp
    mov $GS_BASE_MSR, %ecx      /* the boot processor's per-CPU block: see percpu.ts */
    mov $bootCpuBlock, %rax
    mov %rax, %rdx
    shr $32, %rdx
    wrmsr
    mov $bootCpuBlock, %rax
    mov %rax, (%rax)
    push %rsi
    push %rsi
    call enableProcessorFeatures
    pop %rdi
    call kmain
    ud2

    .bss
    .align 4096
    .globl bootPageTables, bootPageTablesEnd, bootStackTop
bootPageTables:
bootRoot:
    .skip 4096
bootPointers:
    .skip 2 * 4096
bootDirectories:
    .skip 4 * 4096
bootPageTablesEnd:
    .skip 16384
bootStackTop:
    .align 64
bootCpuBlock:
    .skip 256
