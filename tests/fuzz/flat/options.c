// Any text to the emulator's parser of snpemu.cfg and of load options (sev/emulator/options.c): a byte whose lowest bit says which, then the text.

#include "flat.h"

#include "sev/emulator/emu.h"

static void whole(const options_t *o) {
    static const struct { size_t at, room; } texts[] = {
#define TEXT(name) { offsetof(options_t, name), sizeof(((options_t *)0)->name) }
        TEXT(target), TEXT(args), TEXT(end), TEXT(fault), TEXT(product), TEXT(certs), TEXT(measurement), TEXT(host_data),
    };
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        must(memchr((const uint8_t *)o + texts[i].at, 0, texts[i].room) != NULL, "a text without an end");
    }
    const bool *switches[] = { &o->rdtsc, &o->log_serial, &o->notes, &o->vlek, &o->mask_chip };
    for (unsigned i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        must(*(const uint8_t *)switches[i] <= 1, "a switch that is neither on nor off");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    bool words = len > 0 && data[0] & 1;
    size_t n = len > 0 ? len - 1 : 0;
    char *text = malloc(n + 1);             // no end behind it: the sanitizer sees a byte too many
    char *exact = malloc(n);
    memcpy(text, data + (len > 0), n);
    memcpy(exact, text, n);
    text[n] = 0;
    options_t once, twice;
    options_default(&once);
    const char *wrong = options_parse(&once, exact, n, words);
    whole(&once);
    must(wrong == NULL || (strlen(wrong) > 0 && strchr(wrong, '\n') == NULL), "no line on what is wrong");
    twice = once;
    must((options_parse(&twice, exact, n, words) == NULL) == (wrong == NULL), "what was right is wrong, or the other way round");
    must(wrong != NULL || memcmp(&once.report, &twice.report, 4 * sizeof(uint64_t)) == 0, "the same text, another number");
    must(memcmp(text, exact, n) == 0, "the text changed");
    free(text);
    free(exact);
    return 0;
}
