// Paths of the file system in memory, as text: made absolute, without ".", ".." and "//".

#include <string.h>

#include "py/mperrno.h"
#include "ramfs.h"

#define PARENT SIZE_MAX         // instead of a length: the component ".."

// The length of the component at p, 0 where it says nothing ("" or "."), or PARENT.
static size_t component(const char *p, const char **next) {
    size_t len = strcspn(p, "/");
    *next = p + len + (p[len] == '/');
    if (p[0] == '.' && (len == 1 || (len == 2 && p[1] == '.'))) {
        return len == 1 ? 0 : PARENT;
    }
    return len;
}

// Append the components of path to out, of length *len. -> 0, or EINVAL where one or all are too long.
static int append(const char *path, char *out, size_t *len) {
    for (const char *p = path, *next; *p != '\0'; p = next) {
        size_t n = component(p, &next);
        if (n == PARENT) {
            while (*len > 0 && out[--*len] != '/') {
            }
        } else if (n > 0) {
            if (n > RAMFS_NAME_MAX || *len + 1 + n > RAMFS_PATH_MAX) {
                return -MP_EINVAL;
            }
            out[(*len)++] = '/';
            memcpy(out + *len, p, n);
            *len += n;
        }
    }
    return 0;
}

int ramfs_resolve(const char *cwd, const char *path, char *out) {
    size_t len = 0;
    int err = *path == '/' ? 0 : append(cwd, out, &len);
    if (err == 0) {
        err = append(path, out, &len);
    }
    if (len == 0) {
        out[len++] = '/';
    }
    out[len] = '\0';
    return err;
}
