// What lib/libm_dbl lacks, or has with less precision than a double can hold.

#include <math.h>

double sqrt(double x) {
    __asm__ ("sqrtsd %0, %0" : "+x" (x));
    return x;
}

// The compiler makes this of a sine and a cosine of the same argument.
void sincos(double x, double *sine, double *cosine) {
    *sine = sin(x);
    *cosine = cos(x);
}

#define LN2_HIGH    0x1.62e42fefa39ep-1L            // ends in zeroes, so that n * LN2_HIGH is exact
#define LN2_LOW     0x0.f35793c7673007e5fp-49L      // ln 2 - LN2_HIGH
#define LOG2_E      0x1.71547652b82fe1777dp+0L
#define OVERFLOWS   709.8
#define UNDERFLOWS  -745.2

// e to the power of x, in the x87's 64 bits of precision: exp(1.0) == math.e, which lib/libm_dbl misses.
// Source: Intel SDM volume 2, F2XM1 (argument from -1 to 1) and FSCALE.
double exp(double x) {
    if (!(x < OVERFLOWS)) {
        return x * INFINITY;            // NaN stays NaN
    }
    if (x < UNDERFLOWS) {
        return 0;
    }
    long double n = x * LOG2_E, power;
    __asm__ ("frndint" : "+t" (n));
    long double fraction = ((x - n * LN2_HIGH) - n * LN2_LOW) * LOG2_E;
    __asm__ ("f2xm1" : "=t" (power) : "0" (fraction));
    power += 1;
    __asm__ ("fscale" : "+t" (power) : "u" (n));
    return power;
}
