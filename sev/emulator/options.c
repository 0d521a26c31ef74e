// Options: name=value, one a line in snpemu.cfg, or words behind the target in the load options. docs/emulator.md lists them.

#include "emu.h"

typedef enum { TEXT, NUMBER, SWITCH } kind_t;
typedef struct { char name[16]; kind_t kind; uint16_t at, room; } entry_t;
#define FIELD(name, kind) { #name, kind, offsetof(options_t, name), sizeof(((options_t *)0)->name) }

static const entry_t entries[] = {
    FIELD(target, TEXT), FIELD(args, TEXT), FIELD(unaccepted, NUMBER), FIELD(split, NUMBER), FIELD(psc_chunk, NUMBER), FIELD(rdtsc, SWITCH),
    FIELD(log_serial, SWITCH), FIELD(notes, SWITCH), FIELD(end, TEXT), FIELD(fault, TEXT), FIELD(product, TEXT), FIELD(certs, TEXT),
    FIELD(measurement, TEXT), FIELD(host_data, TEXT), FIELD(report, NUMBER), FIELD(policy, NUMBER), FIELD(guest_svn, NUMBER), FIELD(used, NUMBER),
    FIELD(vlek, SWITCH), FIELD(mask_chip, SWITCH),
};
#define COUNT (sizeof(entries) / sizeof(entries[0]))

void options_default(options_t *o) {
    __builtin_memset(o, 0, sizeof(*o));
    __builtin_memcpy(o->target, "\\target.efi", 12);
    __builtin_memcpy(o->end, "off", 4);
    __builtin_memcpy(o->product, "genoa", 6);
    __builtin_memcpy(o->certs, "der", 4);
    o->report = 5;
    o->policy = 0x30000;
}

// Decimal, or hexadecimal behind 0x, at least one digit; K, M and G multiply. False too: more than 64 bits.
static bool number(const char *s, size_t len, uint64_t *out) {
    unsigned base = len > 2 && s[0] == '0' && s[1] == 'x' ? 16 : 10;
    uint64_t n = 0;
    size_t first = base == 16 ? 2 : 0, i = first;
    for (; i < len; i++) {
        unsigned digit = s[i] >= '0' && s[i] <= '9' ? s[i] - '0' : s[i] >= 'a' && s[i] <= 'f' ? s[i] - 'a' + 10 : 99;
        if (digit >= base) {
            break;
        }
        if (__builtin_mul_overflow(n, (uint64_t)base, &n) || __builtin_add_overflow(n, (uint64_t)digit, &n)) {
            return false;
        }
    }
    unsigned shift = i + 1 != len ? 0 : s[i] == 'K' ? 10 : s[i] == 'M' ? 20 : s[i] == 'G' ? 30 : 0;
    if (i == first || i + (shift != 0) != len || n > UINT64_MAX >> shift) {
        return false;
    }
    *out = n << shift;
    return true;
}

static bool is(const char *value, size_t len, const char *word) {
    return __builtin_strlen(word) == len && __builtin_memcmp(value, word, len) == 0;
}

#define NAME_SHOWN 32           // bytes; from a file of anybody's

// -> the option's name and what is wrong with it; until the next call.
static const char *about(const char *name, size_t len, const char *what) {
    static char text[NAME_SHOWN + 64];
    size_t n = len < NAME_SHOWN ? len : NAME_SHOWN;
    for (size_t i = 0; i < n; i++) {
        text[i] = name[i] > ' ' && name[i] < 0x7f ? name[i] : '?';
    }
    __builtin_memcpy(text + n, what, __builtin_strlen(what) + 1);
    return text;
}

static const char *set(options_t *o, const entry_t *e, const char *value, size_t len) {
    size_t name_len = __builtin_strlen(e->name);
    void *field = (uint8_t *)o + e->at;
    if (e->kind == TEXT) {
        if (len >= e->room) {
            return about(e->name, name_len, " is too long");
        }
        __builtin_memcpy(field, value, len);
        ((char *)field)[len] = 0;
    } else if (e->kind == NUMBER) {
        return number(value, len, field) ? NULL : about(e->name, name_len, " wants a number");
    } else {
        bool on = is(value, len, "yes") || is(value, len, "on");
        if (!on && !is(value, len, "no") && !is(value, len, "off")) {
            return about(e->name, name_len, " wants yes or no");
        }
        *(bool *)field = on;
    }
    return NULL;
}

static const char *one(options_t *o, const char *text, size_t len) {
    size_t eq = 0;
    while (eq < len && text[eq] != '=') {
        eq++;
    }
    size_t name_len = eq, value = eq + 1;
    while (name_len > 0 && text[name_len - 1] == ' ') {
        name_len--;
    }
    while (value < len && text[value] == ' ') {
        value++;
    }
    if (eq == len) {
        return "an option is NAME=VALUE";
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (is(text, name_len, entries[i].name)) {
            return set(o, &entries[i], text + value, len - value);
        }
    }
    return about(text, name_len, ": no such option; docs/emulator.md lists them");
}

// words: separated by spaces; else by line ends, and # begins a comment. A word without = is the target.
const char *options_parse(options_t *o, const char *text, size_t len, bool words) {
    while (len > 0) {
        size_t n = 0;
        while (n < len && text[n] != '\n' && !(words && text[n] == ' ')) {
            n++;
        }
        size_t use = n;
        while (use > 0 && (uint8_t)text[use - 1] <= ' ') {
            use--;
        }
        if (use > 0 && text[0] != '#') {
            bool named = __builtin_memchr(text, '=', use) != NULL;
            const char *wrong = words && !named ? set(o, &entries[0], text, use) : one(o, text, use);
            if (wrong != NULL) {
                return wrong;
            }
        }
        n += n < len;
        text += n;
        len -= n;
    }
    return NULL;
}
