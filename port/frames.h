// Records of the Python frames that run: frames.c.
#ifndef KEELBACK_PORT_FRAMES_H
#define KEELBACK_PORT_FRAMES_H

void frames_reset(void);    // nothing runs: at start, and after an unwinding past the frames

#endif
