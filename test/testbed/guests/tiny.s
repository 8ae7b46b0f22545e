# A guest operating system in 1.5 KiB (multiboot, 32 bit, machine `pc`): it boots in a moment also where everything is
# emulated twice, and does what a storage test asks of a guest. It lets go of a disk when asked to (so that a live detach
# really completes), heeds the power button, and drives virtio disks itself, those attached while it runs included.
#
# COM1, one line a command: a letter and hexadecimal words; SLOT is the disk's PCI slot on bus 0, DISK data is in MiB.
#   h SEQ                          are you there
#   s SEQ SLOT                     size                  = SECTORS(16 digits)
#   w SEQ SLOT FIRST COUNT MARK    write COUNT MiB       = COUNT
#   v SEQ SLOT FIRST COUNT MARK    read and compare      = COUNT
#   n SEQ / y SEQ                  no longer / again let go of a disk when asked to
#   q SEQ                          power off
# Answers: "SEQ = …", or "SEQ ! WHY WHERE": WHY 1 the disk refused, 100 no disk in that slot, 101 the disk went away,
# 102 other data: WHERE is the sector, and a third word what its first four bytes are.
# Each sector written begins with its number plus one, exclusive-or MARK * 2^24: no two sectors look alike, none like zeroes.

.set COM, 0x3f8
.set RING, 0x300000
.set DATA, 0x400000
.set STACK, 0x280000

.text
.align 4
        .long 0x1badb002, 0, -0x1badb002        # multiboot: an ELF file, no wishes

.globl _start
_start: cli
        cld
        movl $STACK, %esp
        lgdt gdt_at
        ljmp $8, $1f
1:      movw $16, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        # Every vector is an interrupt of no content: it only ends a hlt.
        movl $0x300, %ecx
        movl $idt, %edi
2:      movl $interrupt, %eax
        movw %ax, (%edi)
        movw $8, 2(%edi)
        movw $0x8e00, 4(%edi)
        shrl $16, %eax
        movw %ax, 6(%edi)
        addl $8, %edi
        subl $8, %ecx
        jnz 2b
        lidt idt_at
        # Interrupt controllers at vectors 0x20 and 0x28; open: clock, cascade, COM1, the PCI lines 10 and 11.
        movl $setup_ports, %esi
3:      lodsw
        testw %ax, %ax
        jz main
        movw %ax, %dx
        lodsb
        outb %al, %dx
        jmp 3b

main:   movw $0x602, %dx                        # the power button is to be told
        movw $0x100, %ax
        outw %ax, %dx
        call ok                                 # the greeting: sequence number 0
        call newline

# --- lines ------------------------------------------------------------------------------------------------------------
read_line:
        movl $line, %edi
1:      cli
        movw $COM+5, %dx
        inb %dx, %al
        testb $1, %al
        jnz 2f
        call events
        sti
        hlt
        jmp 1b
2:      movw $COM, %dx
        inb %dx, %al
        cmpb $10, %al
        je execute
        cmpl $line_end-1, %edi
        jae 1b
        stosb
        jmp 1b

execute:
        movb $0, (%edi)
        movl $line, %esi
        lodsb
        movb %al, command
        movl $words, %edi
        movl $5, %ecx
1:      call parse_hex
        stosl
        loop 1b
        movl words, %ecx
        movb command, %al
        cmpb $'h', %al
        je answer_ok
        cmpb $'n', %al
        je deaf
        cmpb $'y', %al
        je hearing
        cmpb $'q', %al
        je power_off
        call open_disk
        jc failed
        movb command, %al
        cmpb $'s', %al
        je size
        cmpb $'w', %al
        je transfer
        cmpb $'v', %al
        je transfer
        jmp read_line

deaf:   movb $1, is_deaf
        jmp answer_ok
hearing:
        movb $0, is_deaf
answer_ok:
        call ok
        call newline
        jmp read_line
failed: pushl %eax                              # eax: why, ebx: where
        movl words, %eax
        call put_hex
        movl $' '|'!'<<8|' '<<16, %eax
        call put_chars
        popl %eax
        call put_hex
        movb $' ', %al
        call put
        movl %ebx, %eax
        call put_hex
        movb $' ', %al
        call put
        movl found, %eax
        call put_hex
        call newline
        jmp read_line

size:   call ok
        movw io, %dx
        addw $0x18, %dx
        inl %dx, %eax
        call put_hex
        movw io, %dx
        addw $0x14, %dx
        inl %dx, %eax
        call put_hex
        call newline
        jmp read_line

# Skips spaces, reads hexadecimal digits at esi into eax.
parse_hex:
        xorl %edx, %edx
        xorl %eax, %eax
1:      cmpb $' ', (%esi)
        jne 2f
        incl %esi
        jmp 1b
2:      movb (%esi), %al
        subb $'0', %al
        jb 4f
        cmpb $10, %al
        jb 3f
        subb $'a'-'0'-10, %al
        cmpb $10, %al
        jb 4f
        cmpb $16, %al
        jae 4f
3:      shll $4, %edx
        orl %eax, %edx
        incl %esi
        jmp 2b
4:      movl %edx, %eax
        ret

ok:     movl words, %eax
        call put_hex
        movl $' '|'='<<8|' '<<16, %eax
put_chars:                                      # up to four characters in eax
        call put
        shrl $8, %eax
        jnz put_chars
        ret
newline:
        movb $10, %al
        jmp put
put_hex:
        pushl %ecx
        movl $8, %ecx
1:      roll $4, %eax
        pushl %eax
        andb $15, %al
        addb $'0', %al
        cmpb $'9', %al
        jbe 2f
        addb $'a'-'9'-1, %al
2:      call put
        popl %eax
        loop 1b
        popl %ecx
        ret
put:    pushl %edx
        pushl %eax
        movw $COM+5, %dx
1:      inb %dx, %al
        testb $0x20, %al
        jz 1b
        popl %eax
        movw $COM, %dx
        outb %al, %dx
        popl %edx
        ret

# --- what the machine asks of us --------------------------------------------------------------------------------------
interrupt:
        pushl %eax
        pushl %edx
        movw io, %dx
        testw %dx, %dx
        jz 1f
        addw $0x13, %dx                         # reading the disk's interrupt status takes its line down
        inb %dx, %al
1:      movb $0x20, %al
        outb %al, $0xa0
        outb %al, $0x20
        popl %edx
        popl %eax
        iret

events: pushal
        movw $0x600, %dx
        inw %dx, %ax
        testb $1, %ah
        jnz power_off
        cmpb $0, is_deaf
        jne 2f
        movw $0xae10, %dx                       # ACPI PCI hotplug: bus 0, which slots are to be emptied
        xorl %eax, %eax
        outl %eax, %dx
        movw $0xae04, %dx
        inl %dx, %eax
        testl %eax, %eax
        jz 2f
        bsfl %eax, %ecx
        cmpl words+4, %ecx
        jne 1f
        movb $1, is_gone
        movw $0, io                             # its ports may be another device's tomorrow
1:      movl $1, %eax
        shll %cl, %eax
        movw $0xae08, %dx
        outl %eax, %dx
2:      popal
        ret

power_off:
        movw $0x604, %dx
        movw $0x2000, %ax
        outw %ax, %dx
1:      hlt
        jmp 1b

# --- disks: legacy virtio-blk, one request at a time ------------------------------------------------------------------
# Finds the disk in slot words+4 and sets its one queue up. Carry: none there, eax says why.
open_disk:
        movw io, %dx                            # the disk before it is left reset: its line is nobody's to take down
        testw %dx, %dx
        jz 1f
        addw $0x12, %dx
        xorl %eax, %eax
        outb %al, %dx
1:      movw $0, io
        movb $0, is_gone
        xorl %ebx, %ebx
        movl %ebx, found
        movl words+4, %esi
        andl $31, %esi
        shll $11, %esi
        orl $0x80000000, %esi
        call pci_read
        cmpl $0x10011af4, %eax
        movl $0x100, %eax
        stc
        jne 9f
        leal 0x10(%esi), %esi
        call pci_read
        andl $0xfffc, %eax
        jnz 1f
        movl words+4, %eax                      # attached while we ran: nobody gave it ports yet
        shll $7, %eax
        addl $0xe000, %eax
        call pci_write
1:      pushl %eax
        subl $0x0c, %esi
        call pci_read
        orl $5, %eax
        call pci_write
        popl %ebx
        leal 0x12(%ebx), %edx
        movb $0, %al                            # reset, seen, driver
        outb %al, %dx
        movb $1, %al
        outb %al, %dx
        movb $3, %al
        outb %al, %dx
        leal 4(%ebx), %edx                      # no features: also no cache flushes
        xorl %eax, %eax
        outl %eax, %dx
        leal 0x0e(%ebx), %edx
        outw %ax, %dx
        leal 0x0c(%ebx), %edx
        xorl %eax, %eax
        inw %dx, %ax
        movl %eax, queue_size
        movl %eax, %ecx                         # avail ring after the descriptors, used ring on the next page
        shll $4, %ecx
        addl $RING, %ecx
        movl %ecx, avail
        leal 6+4095(%ecx,%eax,2), %ecx
        andl $~4095, %ecx
        movl %ecx, used
        movl $RING, %edi
        xorl %eax, %eax
        movl %eax, index
        movl $0x2000, %ecx
        rep stosl
        movl $descriptors, %esi
        movl $RING, %edi
        movl $12, %ecx
        rep movsl
        leal 8(%ebx), %edx
        movl $RING>>12, %eax
        outl %eax, %dx
        leal 0x12(%ebx), %edx
        movb $7, %al
        outb %al, %dx
        movw %bx, io
        xorl %ebx, %ebx
        clc
9:      ret

pci_read:
        movl %esi, %eax
        movw $0xcf8, %dx
        outl %eax, %dx
        movw $0xcfc, %dx
        inl %dx, %eax
        ret
pci_write:
        pushl %eax
        movl %esi, %eax
        movw $0xcf8, %dx
        outl %eax, %dx
        popl %eax
        movw $0xcfc, %dx
        outl %eax, %dx
        ret

# Writes or compares words+12 MiB from MiB words+8.
transfer:
        movl words+12, %ebp
        movl words+8, %ebx
        shll $11, %ebx                          # ebx: the sector
        movl words+16, %eax
        shll $24, %eax
        movl %eax, mark
1:      testl %ebp, %ebp
        jz 8f
        movl %ebx, request+8
        cmpb $'w', command
        jne 2f
        movl $1, request
        movw $1, RING+16+12
        call for_each_sector
        jmp 3f
2:      movl $0, request
        movw $3, RING+16+12
3:      call submit
        jc failed
        cmpb $'v', command
        jne 4f
        call for_each_sector
        jc failed
4:      addl $2048, %ebx
        decl %ebp
        jmp 1b
8:      call ok
        movl words+12, %eax
        call put_hex
        call newline
        jmp read_line

# Puts the stamps into the data, or looks for them there. Carry: ebx the sector that differs.
for_each_sector:
        movl $DATA, %edi
        movl $2048, %ecx
        pushl %ebx
1:      leal 1(%ebx), %eax
        xorl mark, %eax
        cmpb $'w', command
        jne 2f
        movl %eax, (%edi)
        jmp 3f
2:      movl (%edi), %edx
        cmpl %edx, %eax
        jne 4f
3:      incl %ebx
        addl $512, %edi
        loop 1b
        popl %ebx
        clc
        ret
4:      movl %edx, found
        addl $4, %esp
        movl $0x102, %eax
        stc
        ret

# One request, to its end. Carry: eax says why not.
submit: movl index, %eax
        xorl %edx, %edx
        divl queue_size
        movl avail, %edi
        movw $0, 4(%edi,%edx,2)
        incl index
        movl index, %eax
        movw %ax, 2(%edi)
        movb $0xff, request_status
        movw io, %dx
        addw $0x10, %dx
        xorl %eax, %eax
        outw %ax, %dx
1:      cli
        movl used, %edi
        movw index, %ax
        cmpw %ax, 2(%edi)
        je 2f
        call events
        movl $0x101, %eax
        cmpb $0, is_gone
        jne 3f
        sti
        hlt
        jmp 1b
2:      sti
        movzbl request_status, %eax
        testl %eax, %eax
        jz 4f
3:      sti
        stc
4:      ret

# --- data -------------------------------------------------------------------------------------------------------------
.align 8
gdt:    .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_at: .word 23
        .long gdt
idt_at: .word 0x2ff
        .long idt
.macro port_value port, value
        .word \port
        .byte \value
.endm
setup_ports:
        port_value 0x20, 0x11
        port_value 0xa0, 0x11
        port_value 0x21, 0x20
        port_value 0xa1, 0x28
        port_value 0x21, 4
        port_value 0xa1, 2
        port_value 0x21, 1
        port_value 0xa1, 1
        port_value 0x21, 0xea
        port_value 0xa1, 0xf3
        port_value COM+3, 3
        port_value COM+2, 7
        port_value COM+4, 0x0b
        port_value COM+1, 1
        .word 0
.align 16
descriptors:                                    # request, data, status
        .long request, 0, 16, 1|1<<16
        .long DATA, 0, 0x100000, 1|2<<16
        .long request_status, 0, 1, 2
request:
        .long 0, 0, 0, 0

.bss
idt:            .skip 0x300
words:          .skip 20
queue_size:     .skip 4
avail:          .skip 4
used:           .skip 4
index:          .skip 4
mark:           .skip 4
found:          .skip 4
io:             .skip 2
request_status: .skip 1
command:        .skip 1
is_deaf:        .skip 1
is_gone:        .skip 1
line:           .skip 64
line_end:
