// Options: key=value words, from a text file beside the executable and from the load options, the last one winning.
// Both come from outside: everything is bounded, and what is not key=value is passed over.

#include "internal.h"

#define OPTIONS_MAX 64
#define TEXT_MAX 8192                       // bytes of all keys and values

static const char *keys[OPTIONS_MAX], *values[OPTIONS_MAX];
static size_t count;
static char text_store[TEXT_MAX];
static size_t text_used;

static const char *store(const char *s, size_t len) {
    if (text_used + len + 1 > TEXT_MAX) {
        return NULL;
    }
    char *p = text_store + text_used;
    __builtin_memcpy(p, s, len);
    p[len] = 0;
    text_used += len + 1;
    return p;
}

static bool key_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

// Python takes the values as UTF-8: a continuation byte follows a lead byte and nothing else.
static bool is_utf8(const char *s, size_t len) {
    for (size_t i = 0; i < len;) {
        uint8_t c = s[i++];
        int more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : (c & 0xf0) == 0xe0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : -1;
        for (; more > 0 && i < len && (s[i] & 0xc0) == 0x80; more--) {
            i++;
        }
        if (more != 0) {
            return false;
        }
    }
    return true;
}

// One "key = value" within s[0..len); spaces around both are dropped.
static void add(const char *s, size_t len) {
    size_t eq = 0;
    while (eq < len && key_char(s[eq])) {
        eq++;
    }
    size_t key_len = eq;
    while (eq < len && (s[eq] == ' ' || s[eq] == '\t')) {
        eq++;
    }
    if (key_len == 0 || eq >= len || s[eq] != '=' || count == OPTIONS_MAX || !is_utf8(s, len)) {
        return;
    }
    size_t start = eq + 1;
    while (start < len && (s[start] == ' ' || s[start] == '\t')) {
        start++;
    }
    while (len > start && (uint8_t)s[len - 1] <= ' ') {
        len--;
    }
    const char *k = store(s, key_len), *v = store(s + start, len - start);
    if (k != NULL && v != NULL) {
        keys[count] = k;
        values[count++] = v;
    }
}

// One option a line; '#' and ';' open a comment; a byte order mark and CR are tolerated.
void options_parse_file(const char *text, size_t len) {
    if (len >= 3 && __builtin_memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    while (len > 0) {
        size_t n = 0, next;
        while (n < len && text[n] != '\n') {
            n++;
        }
        next = n < len ? n + 1 : n;
        while (n > 0 && (*text == ' ' || *text == '\t')) {
            text++, n--, next--, len--;
        }
        if (n > 0 && *text != '#' && *text != ';') {
            add(text, n);
        }
        text += next;
        len -= next;
    }
}

// Words between white space; the program's name, which a UEFI shell puts first, has no '='.
void options_parse_words(const char *text) {
    while (*text) {
        size_t n = 0;
        while ((uint8_t)text[n] > ' ') {
            n++;
        }
        if (n > 0) {
            add(text, n);
        }
        text += n;
        while (*text && (uint8_t)*text <= ' ') {
            text++;
        }
    }
}

const char *option_get(const char *key) {
    for (size_t i = count; i-- > 0;) {
        if (__builtin_strcmp(keys[i], key) == 0) {
            return values[i];
        }
    }
    return NULL;
}

size_t option_count(void) {
    return count;
}

const char *option_key(size_t i) {
    return keys[i];
}

const char *option_value(size_t i) {
    return values[i];
}
