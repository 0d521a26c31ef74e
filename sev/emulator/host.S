// What C cannot say of the emulator: entering the guest and coming back, tables of our own, MSRs that may fault, an AP's start.
// Source: APM volume 2, 15.5 (VMRUN: it keeps RAX, RSP, RIP and the segments of the host), 14.6 (long mode).

    .text

// void svm_run(vcpu_t *v): into the guest until its next exit
    .globl svm_run
svm_run:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdi
    mov 1*8(%rdi), %rcx
    mov 2*8(%rdi), %rdx
    mov 3*8(%rdi), %rbx
    mov 5*8(%rdi), %rbp
    mov 6*8(%rdi), %rsi
    mov 8*8(%rdi), %r8
    mov 9*8(%rdi), %r9
    mov 10*8(%rdi), %r10
    mov 11*8(%rdi), %r11
    mov 12*8(%rdi), %r12
    mov 13*8(%rdi), %r13
    mov 14*8(%rdi), %r14
    mov 15*8(%rdi), %r15
    mov 128(%rdi), %rax
    mov 7*8(%rdi), %rdi
    vmload %rax
    vmrun %rax
    vmsave %rax
    xchg %rdi, (%rsp)
    mov %rcx, 1*8(%rdi)
    mov %rdx, 2*8(%rdi)
    mov %rbx, 3*8(%rdi)
    mov %rbp, 5*8(%rdi)
    mov %rsi, 6*8(%rdi)
    mov %r8, 8*8(%rdi)
    mov %r9, 9*8(%rdi)
    mov %r10, 10*8(%rdi)
    mov %r11, 11*8(%rdi)
    mov %r12, 12*8(%rdi)
    mov %r13, 13*8(%rdi)
    mov %r14, 14*8(%rdi)
    mov %r15, 15*8(%rdi)
    pop %rax
    mov %rax, 7*8(%rdi)
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    cld
    ret

// void svm_launch(vcpu_t *v, void (*entry)(vcpu_t *)): the caller goes on as the guest; entry never returns
    .globl svm_launch
svm_launch:
    mov %rbx, 3*8(%rdi)
    mov %rbp, 5*8(%rdi)
    mov %r12, 12*8(%rdi)
    mov %r13, 13*8(%rdi)
    mov %r14, 14*8(%rdi)
    mov %r15, 15*8(%rdi)
    mov 128(%rdi), %rcx
    pushfq
    popq 0x570(%rcx)
    cli
    lea 1f(%rip), %rax
    mov %rax, 0x578(%rcx)
    mov %rsp, 0x5d8(%rcx)
    mov 136(%rdi), %rsp
    xor %ebp, %ebp
    push %rbp
    jmp *%rsi
1:  ret

// bool safe_rdmsr(uint32_t msr, uint64_t *value), bool safe_wrmsr(uint32_t msr, uint64_t value)
    .globl safe_rdmsr
safe_rdmsr:
    mov %edi, %ecx
    mov %rsi, %r8
rdmsr_at:
    rdmsr
    shl $32, %rdx
    or %rdx, %rax
    mov %rax, (%r8)
    mov $1, %eax
    ret
    .globl safe_wrmsr
safe_wrmsr:
    mov %edi, %ecx
    mov %rsi, %rax
    mov %rsi, %rdx
    shr $32, %rdx
wrmsr_at:
    wrmsr
    mov $1, %eax
    ret
msr_failed:
    xor %eax, %eax
    ret

// void host_tables(uint64_t cr3)
    .globl host_tables
host_tables:
    mov %rdi, %cr3
    lea gdt(%rip), %rax
    mov %rax, gdtr+2(%rip)
    lgdt gdtr(%rip)
    lea idt(%rip), %rdi
    mov %rdi, idtr+2(%rip)
    lea stubs(%rip), %rax
    mov $32, %ecx
1:  mov %ax, (%rdi)
    movw $8, 2(%rdi)
    movw $0x8e00, 4(%rdi)
    mov %rax, %rdx
    shr $16, %rdx
    mov %dx, 6(%rdi)
    shr $16, %rdx
    mov %edx, 8(%rdi)
    movl $0, 12(%rdi)
    add $16, %rdi
    add $STUB_LEN, %rax
    dec %ecx
    jnz 1b
    lidt idtr(%rip)
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    pushq $8
    lea 1f(%rip), %rax
    push %rax
    lretq
1:  ret

// Exceptions of the host itself: #GP at an MSR has a way on, the NMI that stops an AP is taken, the rest is a fault of ours.
    .set STUB_LEN, 16
    .balign 16
stubs:
    .set n, 0
    .rept 32
    .balign 16
    .if (n != 8) && (n != 17) && (n < 10 || n > 14) && (n != 21) && (n != 29) && (n != 30)
    push $0
    .endif
    push $n
    jmp host_exception
    .set n, n + 1
    .endr
    .balign 16
host_exception:
    push %rax
    push %rcx
    mov 16(%rsp), %rax
    cmp $2, %rax
    je 2f
    cmp $13, %rax
    jne 3f
    mov 32(%rsp), %rax
    lea rdmsr_at(%rip), %rcx
    cmp %rcx, %rax
    je 1f
    lea wrmsr_at(%rip), %rcx
    cmp %rcx, %rax
    jne 3f
1:  lea msr_failed(%rip), %rcx
    mov %rcx, 32(%rsp)
2:  pop %rcx
    pop %rax
    add $16, %rsp
    iretq
3:  mov 16(%rsp), %rdi
    mov 24(%rsp), %rsi
    mov 32(%rsp), %rdx
    mov %cr2, %rcx
    and $-16, %rsp
    call host_fault

// An AP's first instructions, copied to a page below 1 MiB: from real mode to ap_entry(vcpu).
    .balign 16
    .globl trampoline_start, trampoline_end, trampoline_arg
trampoline_start:
    .code16
    cli
    cld
    mov %cs, %ax
    mov %ax, %ds
    movzwl %ax, %ebx
    shll $4, %ebx                           # our linear address
    lea trampoline_gdt - trampoline_start(%ebx), %eax
    mov %eax, trampoline_gdtr - trampoline_start + 2
    lgdtl trampoline_gdtr - trampoline_start
    mov trampoline_cr3 - trampoline_start, %eax
    mov %eax, %cr3
    mov $0x20, %eax                         # PAE
    mov %eax, %cr4
    mov $0xc0000080, %ecx
    rdmsr
    or $0x1900, %eax                        # LME, NXE, SVME
    wrmsr
    lea trampoline_64 - trampoline_start(%ebx), %eax
    mov %eax, trampoline_far - trampoline_start
    mov $0x80000011, %eax                   # PG, ET, PE
    mov %eax, %cr0
    ljmpl *trampoline_far - trampoline_start
    .code64
trampoline_64:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov trampoline_arg(%rip), %rdi
    mov 136(%rdi), %rsp
    mov trampoline_arg + 8(%rip), %rax
    xor %ebp, %ebp
    push %rbp
    jmp *%rax
    .balign 8
trampoline_far:
    .long 0
    .word 8
trampoline_gdtr:
    .word 23
    .long 0
    .balign 8
trampoline_gdt:
    .quad 0, 0x00209a0000000000, 0x0000920000000000
trampoline_arg:
    .quad 0, 0                              # vcpu, ap_entry
    .globl trampoline_cr3
trampoline_cr3:
    .quad 0
trampoline_end:

    .data
    .balign 16
gdt:
    .quad 0, 0x00209a0000000000, 0x0000920000000000
gdtr:
    .word 23
    .quad 0
idtr:
    .word 511
    .quad 0
    .bss
    .balign 16
idt:
    .skip 512
    .section .note.GNU-stack, "", @progbits
