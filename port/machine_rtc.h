// class machine.RTC: machine_rtc.c.
#ifndef KEELBACK_PORT_MACHINE_RTC_H
#define KEELBACK_PORT_MACHINE_RTC_H

#include "py/obj.h"

extern const mp_obj_type_t machine_rtc_type;

#endif
