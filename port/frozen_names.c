// In front of py/frozenmod.c: says quickly that nothing is frozen under a name.
//
// An import asks twice or more, for a folder and for a file, and each answer but the last is no; py/frozenmod.c compares all names
// then, with strlen and memcmp for each. Here it is one byte of each name: its length, or what stands behind as much of it.
// Measured with the names of sev/ beside the others: a boot to the prompt takes 3.0 million instructions, and 150000 more without this.

#include <string.h>

#include "py/frozenmod.h"

#define NAMES_MAX 512
#define LEN_MAX 255

extern const char mp_frozen_names[];    // each ends with a zero byte, the last one with two
mp_import_stat_t plain_find_frozen_module(const char *str, int *frozen_type, void **data);

static uint8_t lens[NAMES_MAX];
static int count = -1;                  // of names; -1: not counted yet, 0: too many or too long, so that the table is of no use

static void count_names(void) {
    const char *name = mp_frozen_names;
    count = 0;
    for (int i = 0; *name != 0; i++) {
        size_t len = strlen(name);
        if (i == NAMES_MAX || len > LEN_MAX) {
            count = 0;
            return;
        }
        lens[i] = len;
        count = i + 1;
        name += len + 1;
    }
}

mp_import_stat_t mp_find_frozen_module(const char *str, int *frozen_type, void **data) {
    if (count < 0) {
        count_names();
    }
    size_t len = strlen(str);
    const char *name = mp_frozen_names;
    for (int i = 0; i < count; i++) {
        if (lens[i] >= len && (name[len] == 0 || name[len] == '/') && memcmp(str, name, len) == 0) {
            return plain_find_frozen_module(str, frozen_type, data);
        }
        name += lens[i] + 1;
    }
    if (count == 0) {
        return plain_find_frozen_module(str, frozen_type, data);
    }
    if (frozen_type != NULL) {
        *frozen_type = MP_FROZEN_NONE;
    }
    return MP_IMPORT_STAT_NO_EXIST;
}
