// <math.h> for doubles, in place of the host C library's: that one declares __sin, __cos and __tan,
// names which lib/libm_dbl has for functions of its own. The functions are lib/libm_dbl's and math.c's.
#ifndef KEELBACK_LIBC_MATH_H
#define KEELBACK_LIBC_MATH_H

typedef float float_t;
typedef double double_t;

#define NAN         __builtin_nanf("")
#define INFINITY    __builtin_inff()
#define HUGE_VAL    __builtin_inf()

#define M_E         2.7182818284590452354
#define M_LN2       0.69314718055994530942
#define M_LN10      2.30258509299404568402
#define M_PI        3.14159265358979323846
#define M_PI_2      1.57079632679489661923

enum { FP_NAN, FP_INFINITE, FP_ZERO, FP_SUBNORMAL, FP_NORMAL };

#define fpclassify(x) __builtin_fpclassify(FP_NAN, FP_INFINITE, FP_NORMAL, FP_SUBNORMAL, FP_ZERO, x)
#define isnan(x)    __builtin_isnan(x)
#define isinf(x)    __builtin_isinf(x)
#define isfinite(x) __builtin_isfinite(x)
#define isnormal(x) __builtin_isnormal(x)
#define signbit(x)  __builtin_signbit(x)
#define nan(tag)    __builtin_nan(tag)
#define fabs(x)     __builtin_fabs(x)

double acos(double), acosh(double), asin(double), asinh(double), atan(double), atan2(double, double), atanh(double);
double ceil(double), copysign(double, double), cos(double), cosh(double), erf(double), erfc(double);
double exp(double), exp2(double), expm1(double), floor(double), fmod(double, double);
double frexp(double, int *), ldexp(double, int), lgamma(double), log(double), log10(double), log1p(double), log2(double);
double modf(double, double *), nearbyint(double), pow(double, double), rint(double), round(double), scalbn(double, int);
double sin(double), sinh(double), sqrt(double), tan(double), tanh(double), tgamma(double), trunc(double);

#endif
