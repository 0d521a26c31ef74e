// Complaints: one line of text, made without a C library; and two comparisons.

#include <stdarg.h>

#include "psp_guest.h"

#define LINE_LEN 200

static char line[LINE_LEN];
static bool set;

typedef struct {
    char *at, *end;
} out_t;

static void put_char(out_t *out, char c) {
    if (out->at < out->end) {
        *out->at++ = c;
    }
}

static void put_text(out_t *out, const char *text) {
    while (*text != 0) {
        put_char(out, *text++);
    }
}

static void put_number(out_t *out, uint64_t value, unsigned base) {
    char digits[20];
    unsigned count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    while (count > 0) {
        put_char(out, digits[--count]);
    }
}

void complain(const char *format, ...) {
    out_t out = { line, line + LINE_LEN - 1 };
    va_list list;
    va_start(list, format);
    for (; *format != 0; format++) {
        if (*format != '%') {
            put_char(&out, *format);
            continue;
        }
        switch (*++format) {
            case 's':
                put_text(&out, va_arg(list, const char *));
                break;
            case 'x':
                put_text(&out, "0x");
                put_number(&out, va_arg(list, uint64_t), 16);
                break;
            default:
                put_number(&out, va_arg(list, uint64_t), 10);
        }
    }
    va_end(list);
    *out.at = 0;
    set = true;
}

void complain_not(void) {
    set = false;
}

const char *psp_complaint(void) {
    return set ? line : NULL;
}

bool all_zero(const uint8_t *p, size_t len) {
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= p[i];
    }
    return any == 0;
}

bool same_text(const char *a, const char *b) {
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}
