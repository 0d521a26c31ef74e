// The console: the serial line, or the firmware's own console where there is no UART; and a small printf for reports.

#include <stdarg.h>
#include "internal.h"

static void firmware_write(const char *s, size_t len) {     // ASCII is enough for what is said this early
    CHAR16 buf[64];
    while (len > 0) {
        size_t n = 0;
        for (; len > 0 && n < 63; len--, s++) {
            if ((*s & 0xc0) != 0x80) {
                buf[n++] = *s < 0 ? '?' : *s;
            }
        }
        buf[n] = 0;
        ST->ConOut->OutputString(ST->ConOut, buf);
    }
}

void console_write(const char *s, size_t len) {
    if (serial_present()) {
        serial_write(s, len);
    } else if (BS != NULL) {
        firmware_write(s, len);
    }
}

bool console_readable(void) {
    return serial_readable();
}

int console_read(void) {
    return serial_read();
}

void console_puts(const char *s) {
    const char *start = s;
    for (; *s; s++) {
        if (*s == '\n') {
            console_write(start, s - start);
            console_write("\r\n", 2);
            start = s + 1;
        }
    }
    console_write(start, s - start);
}

static void put_number(uint64_t v, unsigned base, int width, char pad, bool negative) {
    char buf[24];
    int n = sizeof(buf);
    do {
        buf[--n] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v != 0);
    if (negative) {
        buf[--n] = '-';
    }
    for (int len = sizeof(buf) - n; len < width; width--) {
        console_write(&pad, 1);
    }
    console_write(buf + n, sizeof(buf) - n);
}

static void put_string(const char *s, int width) {
    int len = __builtin_strlen(s);
    console_write(s, len);
    for (; len < width; len++) {
        console_write(" ", 1);
    }
}

void console_vprintf(const char *fmt, va_list ap) {
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            const char one[2] = { *fmt, 0 };
            console_puts(one);
            continue;
        }
        char pad = *++fmt == '0' ? '0' : ' ';
        int width = 0, wide = 0;
        for (; *fmt >= '0' && *fmt <= '9'; fmt++) {
            width = width * 10 + *fmt - '0';
        }
        for (; *fmt == 'l' || *fmt == 'z'; fmt++) {
            wide = 1;
        }
        if (*fmt == 's') {
            put_string(va_arg(ap, const char *), width);
        } else if (*fmt == 'c') {
            char c = va_arg(ap, int);
            console_write(&c, 1);
        } else if (*fmt == 'd') {
            int64_t v = wide ? va_arg(ap, int64_t) : va_arg(ap, int);
            put_number(v < 0 ? -(uint64_t)v : (uint64_t)v, 10, width, pad, v < 0);
        } else if (*fmt == 'x' || *fmt == 'u') {
            uint64_t v = wide ? va_arg(ap, uint64_t) : va_arg(ap, unsigned);
            put_number(v, *fmt == 'x' ? 16 : 10, width, pad, false);
        } else {
            console_write(fmt, 1);
        }
    }
}

void console_printf(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    console_vprintf(fmt, ap);
    va_end(ap);
}

void panic(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    console_puts("\npanic: ");
    console_vprintf(fmt, ap);
    va_end(ap);
    console_puts("\n");
    panic_end();
}
