// What port/frames.h wants of MicroPython's header, for the collected heap's test on the host: a type's name.
#ifndef TEST_BC_H
#define TEST_BC_H

typedef struct mp_code_state mp_code_state_t;

#endif
