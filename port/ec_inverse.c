// Inverses modulo the primes of elliptic curves, for mbedTLS' ecp.c and ecdsa.c: port.mk.
//
// mbedtls_mpi_gcd_modinv_odd() works for every odd modulus, and takes some 570 thousand instructions for 256 bits; a signature with
// P-256 needs two. A power by Fermat's theorem takes less than half of that: a login over SSH 6.6 M in place of 7.3 M, counted by
// tools/instrprofile.py. Its exponent is public, and its multiplications take the same time whatever they multiply
// (bignum_core.c), as secrets demand.

#include "mbedtls/bignum.h"
#include "library/bignum_internal.h"

// i = 1 / a modulo the prime n; a is not 0 and below n. gcd: not asked for.
int ec_inverse(mbedtls_mpi *gcd, mbedtls_mpi *i, const mbedtls_mpi *a, const mbedtls_mpi *n) {
    mbedtls_mpi exponent;
    mbedtls_mpi_init(&exponent);
    int status = gcd != NULL || i == NULL ? MBEDTLS_ERR_MPI_BAD_INPUT_DATA : mbedtls_mpi_sub_int(&exponent, n, 2);
    if (status == 0) {
        status = mbedtls_mpi_exp_mod_unsafe(i, a, &exponent, n, NULL);
    }
    mbedtls_mpi_free(&exponent);
    return status;
}
