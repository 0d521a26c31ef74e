// What the collected heap wants of MicroPython's headers, for its test on the host: registers and stack.
#ifndef TEST_GCHELPER_H
#define TEST_GCHELPER_H

void gc_helper_collect_regs_and_stack(void);

#endif
