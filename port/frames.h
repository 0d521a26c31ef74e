// Records of the Python frames that run: frames.c.
#ifndef KEELBACK_PORT_FRAMES_H
#define KEELBACK_PORT_FRAMES_H

#include <stdint.h>

extern uint32_t frames_entered;     // calls of Python functions, ever; wraps
void frames_reset(void);    // nothing runs: at start, and after an unwinding past the frames

#endif
