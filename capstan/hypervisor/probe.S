/*
 * The guest that capstan boots to find out whether an accelerator really runs guests. It does what
 * every 64-bit kernel does first: PVH entry in 32-bit mode, page tables, long mode, SSE, a
 * privileged register, an interrupt and its return. Then it writes 0x10 to the isa-debug-exit
 * device, which makes QEMU exit with status 0x21. A host whose /dev/kvm runs only some guests
 * (nested or paravirtual KVM) gets stuck before that.
 *
 * probe-guest.ts holds the assembled bytes; its test assembles this file and compares.
 */
        .set    PML4, 0x180000
        .set    PDPT, 0x181000
        .set    PD, 0x182000
        .set    IDT, 0x183000
        .set    STACK, 0x186000

        .text
        .code32
        .globl  start
start:
        /* Page tables that map the first 2 MiB onto themselves. Fresh memory is zero. */
        movl    $PDPT + 3, PML4
        movl    $PD + 3, PDPT
        movl    $0x83, PD
        movl    $PML4, %eax
        movl    %eax, %cr3
        movl    $0x620, %eax            /* PAE, OSFXSR, OSXMMEXCPT */
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx       /* EFER: long mode and system calls */
        rdmsr
        orl     $0x101, %eax
        wrmsr
        movl    $0x80010013, %eax       /* paging, write protection, protected mode, MP */
        movl    %eax, %cr0
        lgdt    gdt_pointer
        ljmp    $8, $long_mode

        .code64
long_mode:
        movl    $STACK, %esp
        xorl    %eax, %eax              /* the null selector is right for SS in 64-bit mode */
        movw    %ax, %ss
        /* One interrupt gate, for vector 0x20. */
        movl    $handler, %eax
        movl    $0x00080000, %ecx
        movw    %ax, %cx
        movl    %ecx, IDT + 0x200
        movw    $0x8e00, %ax
        movl    %eax, IDT + 0x204
        lidt    idt_pointer
        movl    $0xc0000101, %ecx       /* GS base */
        movl    $PD, %eax
        xorl    %edx, %edx
        wrmsr
        movq    %gs:0, %xmm0            /* reads the page-directory entry */
        movq    %xmm0, %rbx
        int     $0x20
        cmpl    $0x83 + 1, %ebx
        jne     stop
        movb    $0x10, %al
        outb    %al, $0xf4
stop:   hlt
        jmp     stop

handler:
        andl    $~0x60, %ebx            /* the processor may have set accessed and dirty */
        incl    %ebx
        iretq

        .balign 8
gdt:    .quad   0, 0x00209b0000000000
gdt_pointer:
        .word   15
        .long   gdt
idt_pointer:
        .word   0x20f
        .quad   IDT
