/*
 * The boot loader, all of it: one sector that a BIOS loads to 0x7c00.
 *
 * It loads the boot information (a PVH start info with command line, made by capstan) to 0x10000 and
 * the kernel (a flat image, made by capstan) to its place above 1 MiB, adds the memory map, and
 * enters the kernel as a PVH hypervisor would: 32-bit, paging off, EBX = start info.
 *
 *     0x00500  memory map (24 bytes an entry)      0x10000  boot information
 *     0x07c00  this sector; stack below            0x20000  what was read last
 *
 * BIOS services: int 0x13 AH=0x42 (extended read, EDD-3), int 0x15 AX=0xe820 (ACPI 6.5, 15.1),
 * AX=0x2401 (A20). Start info: xen/include/public/arch-x86/hvm/start_info.h; its memory map entries
 * have the layout of E820's.
 *
 * Neighbours: `boot-sector.ts` holds the machine code and fills in the parameters at the end.
 */
#define SECTOR 512
#define MEMORY_MAP 0x500
#define INFO_SEGMENT 0x1000
#define INFO 0x10000
#define INFO_MAP_COUNT 0x10030
#define BUFFER_SEGMENT 0x2000
#define BUFFER 0x20000
/* Most sectors that every BIOS reads at once. */
#define CHUNK 127
#define SMAP 0x534d4150
#define FLAT 8
#define CODE32 16
#define COM1 0x3f8

    .code16
    .text
    .globl start
start:
    cli
    cld
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7c00, %sp
    sti
    ljmp $0, $1f
1:  mov $0x2401, %ax            /* addresses above 1 MiB: by the BIOS, and by port 0x92 */
    int $0x15
    in $0x92, %al
    or $2, %al
    and $0xfe, %al
    out %al, $0x92

    mov $infoPacket, %si        /* DL still has the drive */
    call read

next:
    mov kernelSectors, %eax
    test %eax, %eax
    jz mapMemory
    cmp $CHUNK, %eax
    jbe 1f
    mov $CHUNK, %eax
1:  sub %eax, kernelSectors
    mov %ax, kernelPacket + 2
    push %eax
    mov $kernelPacket, %si
    call read
    pop %ecx
    add %ecx, kernelPacket + 8
    /* Copied with the 4 GiB limits of protected mode, which BIOS calls do not keep. */
    cli
    lgdtw gdtPointer
    mov %cr0, %eax
    inc %ax
    mov %eax, %cr0
    mov $FLAT, %bx
    mov %bx, %ds
    mov %bx, %es
    shl $7, %ecx                /* sectors to double words */
    mov $BUFFER, %esi
    mov kernelEnd, %edi
    addr32 rep movsl
    mov %edi, kernelEnd
    dec %ax
    mov %eax, %cr0
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    sti
    jmp next

/* Reads by the packet at SI from drive DL. */
read:
    mov $0x42, %ah
    int $0x13
    jc fail
    ret

fail:
    mov $message, %si
1:  lodsb
    test %al, %al
    jz 2f
    push %dx
    mov $COM1, %dx
    out %al, %dx
    pop %dx
    mov $0x0e, %ah
    mov $7, %bx
    int $0x10
    jmp 1b
2:  hlt
    jmp 2b

mapMemory:
    mov $MEMORY_MAP, %di
    xor %ebx, %ebx
    xor %bp, %bp
1:  mov $0xe820, %eax
    mov $SMAP, %edx
    mov $20, %ecx
    movl $0, 20(%di)
    int $0x15
    jc 2f
    inc %bp
    add $24, %di
    test %ebx, %ebx
    jnz 1b
2:
    cli
    lgdtw gdtPointer
    mov %cr0, %eax
    inc %ax
    mov %eax, %cr0
    ljmp $CODE32, $protected

    .code32
protected:
    mov $FLAT, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    movzwl %bp, %ebp
    mov %ebp, INFO_MAP_COUNT
    mov kernelEnd, %edi
    mov zeroDwords, %ecx
    xor %eax, %eax
    rep stosl
    mov $INFO, %ebx
    jmp *kernelEntry

message:
    .asciz "boot: disk error\r\n"
    .align 4
gdtPointer:
    .word 23
    .long gdt
    .align 8
gdt:
    .quad 0
    .quad 0x00cf93000000ffff    /* FLAT: data */
    .quad 0x00cf9b000000ffff    /* CODE32 */

    /* Filled in by capstan: see boot-sector.ts for the offsets. */
    .org 440 - 48
infoPacket:
    .byte 16, 0
    .word 0                     /* sectors */
    .word 0, INFO_SEGMENT
    .quad 1
kernelPacket:
    .byte 16, 0
    .word 0
    .word 0, BUFFER_SEGMENT
    .quad 0                     /* first sector */
kernelSectors: .long 0
kernelEnd:     .long 0          /* where the kernel begins; advances with each read */
zeroDwords:    .long 0
kernelEntry:   .long 0
    .org 440
