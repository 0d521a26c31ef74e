// Boot chart: named points in time, read from the TSC, so that a benchmark can say where boot time goes.

#include "internal.h"
#include "cpu.h"

static chart_mark_t marks[24];
static size_t count;

void chart_mark(const char *name) {
    if (count < sizeof(marks) / sizeof(marks[0])) {
        marks[count++] = (chart_mark_t) { name, rdtsc() };
    }
}

size_t chart_get(const chart_mark_t **out) {
    *out = marks;
    return count;
}
