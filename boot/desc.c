// Our GDT and TSS, with one interrupt stack per kind of fault that must not run on a broken one.
// Source: AMD64 Architecture Programmer's Manual, volume 2, 4.8 (long-mode descriptors), 12.2.5 (64-bit TSS).

#include "internal.h"

#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS 0x18

#define FAULT_STACK_LEN (16 * 1024)
STACK(stack_double_fault, FAULT_STACK_LEN);
STACK(stack_nmi, FAULT_STACK_LEN);
STACK(stack_machine_check, FAULT_STACK_LEN);
STACK(stack_vc, FAULT_STACK_LEN);
STACK(stack_fault, FAULT_STACK_LEN);
STACK(stack_irq, FAULT_STACK_LEN);

static struct __attribute__((packed)) {
    uint32_t reserved0;
    uint64_t rsp[3], reserved1, ist[7], reserved2;
    uint16_t reserved3, iomap;
} tss;
_Static_assert(sizeof(tss) == 104, "64-bit TSS");

static uint64_t gdt[5] = {
    [SEL_CODE / 8] = 0x00af9b000000ffffull,         // 64-bit code, present, accessed
    [SEL_DATA / 8] = 0x00cf93000000ffffull,         // data, writable, accessed
};

void desc_load(const void *gdtr, uint16_t code, uint16_t data, uint16_t tss_selector);

void desc_init(void) {
    uint8_t *const stacks[] = { stack_double_fault, stack_nmi, stack_machine_check, stack_vc, stack_fault, stack_irq };
    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        tss.ist[i] = (uint64_t)stacks[i] + PAGE_SIZE + FAULT_STACK_LEN;
        paging_unmap((uint64_t)stacks[i]);
    }
    tss.rsp[0] = STACK_TOP(main_stack);
    tss.iomap = sizeof(tss);
    uint64_t base = (uint64_t)&tss;
    gdt[SEL_TSS / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[SEL_TSS / 8 + 1] = base >> 32;
    struct __attribute__((packed)) { uint16_t limit; uint64_t base; } gdtr = { sizeof(gdt) - 1, (uint64_t)gdt };
    desc_load(&gdtr, SEL_CODE, SEL_DATA, SEL_TSS);
}
