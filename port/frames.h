// Records of the Python frames that run: frames.c; where a frame stands: frame_place.c.
#ifndef KEELBACK_PORT_FRAMES_H
#define KEELBACK_PORT_FRAMES_H

#include <stdint.h>
#include "py/bc.h"

typedef struct frame {
    struct frame *caller;
    mp_code_state_t *code;
} frame_t;

typedef struct {
    uint32_t file, function;        // qstr
    uint32_t line;
} place_t;

extern uint32_t frames_entered;     // calls of Python functions, ever; wraps
extern frame_t *frames_innermost;   // whole at any instruction: an interrupt may walk the list
void frames_reset(void);    // nothing runs: at start, and after an unwinding past the frames
place_t frame_place(const mp_code_state_t *code);   // callable from interrupt handlers

#endif
