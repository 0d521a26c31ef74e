// Calls that C cannot make: on another stack, or with a way back out of an exception.

    .text

// int call_on_stack(int (*fn)(void), uint64_t stack_top)
    .globl call_on_stack
call_on_stack:
    push %rbp
    mov %rsp, %rbp
    mov %rsi, %rsp
    and $-16, %rsp
    xor %eax, %eax
    call *%rdi
    mov %rbp, %rsp
    pop %rbp
    ret

// bool guard_call(void (*fn)(void *), void *arg)
// Guards nest: the outer guard's stack pointer waits on the stack.
    .globl guard_call
guard_call:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    push guard_sp(%rip)
    mov %rsp, guard_sp(%rip)
    mov %rdi, %rax
    mov %rsi, %rdi
    call *%rax
    mov $1, %eax
1:  pop guard_sp(%rip)
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

// The trap handler makes the interrupted code continue here when a guarded call faults.
    .globl guard_recover
guard_recover:
    mov guard_sp(%rip), %rsp
    xor %eax, %eax
    jmp 1b

// uint64_t efi_call8(uint64_t fn, const uint64_t args[8]): Microsoft ABI, four in registers, four on the stack.
    .globl efi_call8
efi_call8:
    push %rbp
    mov %rsp, %rbp
    push %rsi
    push %rdi
    sub $64, %rsp
    mov %rdi, %rax
    mov 32(%rsi), %rcx
    mov %rcx, 32(%rsp)
    mov 40(%rsi), %rcx
    mov %rcx, 40(%rsp)
    mov 48(%rsi), %rcx
    mov %rcx, 48(%rsp)
    mov 56(%rsi), %rcx
    mov %rcx, 56(%rsp)
    mov 0(%rsi), %rcx
    mov 8(%rsi), %rdx
    mov 16(%rsi), %r8
    mov 24(%rsi), %r9
    call *%rax
    leave
    ret

// Segment registers after a new GDT: void desc_load(const void *gdtr, uint16_t code, uint16_t data, uint16_t tss)
    .globl desc_load
desc_load:
    lgdt (%rdi)
    mov %edx, %ds
    mov %edx, %es
    mov %edx, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    movzwl %si, %esi
    push %rsi
    lea 1f(%rip), %rax
    push %rax
    lretq
1:  ltr %cx
    ret

    .section .note.GNU-stack, "", @progbits
