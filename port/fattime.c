// The time that lib/oofatfs stamps on files of a FAT volume mounted by the user.

#include "lib/oofatfs/ff.h"
#include "py/mphal.h"
#include "shared/timeutils/timeutils.h"

// Two-second steps since 1980, packed as the FAT specification (1.03, "Date and Time Formats") says.
DWORD get_fattime(void) {
    timeutils_struct_time_t tm;
    timeutils_seconds_since_epoch_to_struct_time(mp_hal_time_ns() / 1000000000, &tm);
    return (DWORD)(tm.tm_year - 1980) << 25 | tm.tm_mon << 21 | tm.tm_mday << 16
        | tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2;
}
