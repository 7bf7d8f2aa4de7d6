/*
 * The smallest PVH kernel: enters long mode, runs the module's initialisers and `kmain`.
 * For tests of the compiler only.
 */
        .section .note.Xen, "a", @note
        .balign 4
        .long   4, 4, 18                /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz  "Xen"
        .long   pvhEntry

        .section .boot.text, "ax", @progbits
        .code32
        .globl  pvhEntry
pvhEntry:
        cli
        movl    $bootTables - 0xffffffff80000000, %edi
        movl    %edi, %esi
        xorl    %eax, %eax
        movl    $3 * 1024, %ecx
        rep stosl
        /* level 4: entries 0 and 511; level 3: entries 0 and 510; level 2: 512 pages of 2 MiB */
        leal    4096 + 3(%esi), %eax
        movl    %eax, (%esi)
        movl    %eax, 511 * 8(%esi)
        leal    8192 + 3(%esi), %eax
        movl    %eax, 4096(%esi)
        movl    %eax, 4096 + 510 * 8(%esi)
        movl    $0x83, %eax
        leal    8192(%esi), %edi
        movl    $512, %ecx
1:      movl    %eax, (%edi)
        addl    $8, %edi
        addl    $0x200000, %eax
        loop    1b
        movl    %esi, %cr3
        movl    %cr4, %eax
        orl     $0x20, %eax             /* PAE */
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx       /* EFER.LME */
        rdmsr
        orl     $0x100, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000001, %eax
        movl    %eax, %cr0
        lgdt    gdtPointer
        ljmp    $8, $entry64
        .code64
entry64:
        movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movabsq $upper, %rax
        jmp     *%rax

        .section .boot.data, "aw", @progbits
        .balign 8
gdt:    .quad   0, 0x00af9a000000ffff, 0x00cf92000000ffff
gdtPointer:
        .word   23
        .long   gdt

        .text
upper:
        leaq    stackTop(%rip), %rsp
        xorl    %ebp, %ebp
        call    kmain
2:      hlt
        jmp     2b

        .bss
        .balign 4096
bootTables:
        .skip   3 * 4096
        .balign 16
        .skip   65536
stackTop:

        .section .note.GNU-stack, "", @progbits
