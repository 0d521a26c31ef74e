// Entry stubs of all 256 interrupt vectors: one frame layout (trap_frame_t in internal.h), then trap().
// Source: AMD64 Architecture Programmer's Manual, volume 2, 8.9 (long-mode interrupt stack frame).

    .text
    .balign 16
    .globl vectors_start
vectors_start:
    .set vector, 0
    .rept 256
    .balign 16
    // 8, 10-14, 17, 21, 29 and 30 push an error code; the others get a zero in its place.
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
    .else
    push $0
    .endif
    pushq $vector
    jmp trap_common
    .set vector, vector + 1
    .endr

trap_common:
    push %rax
    push %rbx
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %rbp
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    mov %rsp, %rdi
    mov %rsp, %rbp
    and $-16, %rsp
    call trap
    mov %rbp, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rbp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rbx
    pop %rax
    add $16, %rsp
    iretq

    .section .note.GNU-stack, "", @progbits
