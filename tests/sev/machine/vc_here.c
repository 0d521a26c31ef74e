// boot/vc.c, and what its endings leave behind.

#include "boot/vc.c"

void vc_reset(void);

void vc_reset(void) {
    active = false;
    dr7 = DR7_ALWAYS;
}
