"""Small C functions that an emitted file defines for itself where it needs them."""

from __future__ import annotations

import re
from collections.abc import Sequence

FUNCTIONS: dict[str, str] = {
    "square": """
static real square(real x) { return x * x; }
""",
    "larger": """
/* The larger of two; NaN where either is. */
static real larger(real a, real b) { return a > b || a != a ? a : b; }
""",
    "smaller": """
/* The smaller of two; NaN where either is. */
static real smaller(real a, real b) { return a < b || a != a ? a : b; }
""",
    "sign": """
static real sign(real x) { return (real)((x > 0) - (x < 0)); }
""",
    "dot": """
/* The sum of products of n entries. */
static real dot(size_t n, const real *x, size_t x_step, const real *y, size_t y_step)
{
#ifdef PLAIN_LOOPS
    real sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i * x_step] * y[i * y_step];
    return sum;
#else
    return BLAS(dot)((int)n, x, (int)x_step, y, (int)y_step);
#endif
}
""",
    "gemv": """
/* y = op(A) x, where A is m x n as it lies in memory and op is 'N' or, for the transpose, 'T'. */
static void gemv(char op, size_t m, size_t n, const real *a, size_t lda, const real *x, size_t x_step, real *y)
{
#ifdef PLAIN_LOOPS
    size_t rows = op == 'N' ? m : n, columns = op == 'N' ? n : m;
    for (size_t i = 0; i < rows; i++) {
        y[i] = 0;
        for (size_t j = 0; j < columns; j++)
            y[i] += (op == 'N' ? a[i * lda + j] : a[j * lda + i]) * x[j * x_step];
    }
#else
    BLAS(gemv)(CblasRowMajor, op == 'N' ? CblasNoTrans : CblasTrans, (int)m, (int)n, 1, a, (int)lda, x, (int)x_step,
               0, y, 1);
#endif
}
""",
    "gemm": """
/* C = op_a(A) op_b(B), where C is m x n, the sum goes over k, and op is 'N' or, for the transpose, 'T'. */
static void gemm(char op_a, char op_b, size_t m, size_t n, size_t k, const real *a, size_t lda, const real *b,
                 size_t ldb, real *c)
{
#ifdef PLAIN_LOOPS
    for (size_t i = 0; i < m * n; i++)
        c[i] = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t l = 0; l < k; l++) {
            const real left = op_a == 'N' ? a[i * lda + l] : a[l * lda + i];
            for (size_t j = 0; j < n; j++)
                c[i * n + j] += left * (op_b == 'N' ? b[l * ldb + j] : b[j * ldb + l]);
        }
#else
    BLAS(gemm)(CblasRowMajor, op_a == 'N' ? CblasNoTrans : CblasTrans, op_b == 'N' ? CblasNoTrans : CblasTrans,
               (int)m, (int)n, (int)k, 1, a, (int)lda, b, (int)ldb, 0, c, (int)n);
#endif
}
""",
    "eliminate": """
/* Make a (n x n) upper triangular by row operations with pivoting, and do the same to b (n x m): the swaps' sign. */
static int eliminate(size_t n, size_t m, real *a, real *b)
{
    int parity = 1;
    for (size_t k = 0; k < n; k++) {
        size_t best = k;
        for (size_t i = k + 1; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[best * n + k]))
                best = i;
        for (size_t j = 0; best != k && j < n + m; j++) {
            real *one = j < n ? &a[k * n + j] : &b[k * m + j - n];
            real *two = j < n ? &a[best * n + j] : &b[best * m + j - n];
            const real kept = *one;
            *one = *two;
            *two = kept;
        }
        parity = best == k ? parity : -parity;
        for (size_t i = k + 1; i < n; i++) {
            const real factor = a[k * n + k] == 0 ? 0 : a[i * n + k] / a[k * n + k];
            for (size_t j = k; j < n; j++)
                a[i * n + j] -= factor * a[k * n + j];
            for (size_t j = 0; j < m; j++)
                b[i * m + j] -= factor * b[k * m + j];
        }
    }
    return parity;
}
""",
    "solve": """
/* Solve a x = b; a (n x n) is written over, b (n x m) becomes x. 1 where a is singular. */
static int solve(size_t n, size_t m, real *a, real *b)
{
    int singular = 0;
    eliminate(n, m, a, b);
    for (size_t k = n; k-- > 0;) {
        singular |= a[k * n + k] == 0;
        for (size_t j = 0; j < m; j++) {
            for (size_t i = k + 1; i < n; i++)
                b[k * m + j] -= a[k * n + i] * b[i * m + j];
            b[k * m + j] /= a[k * n + k];
        }
    }
    return singular;
}
""",
    "inv": """
/* b = inv(a); a (n x n) is written over. 1 where it is singular. */
static int inv(size_t n, real *a, real *b)
{
    for (size_t i = 0; i < n * n; i++)
        b[i] = i % (n + 1) == 0;
    return solve(n, n, a, b);
}
""",
    "det": """
/* The determinant of a (n x n), which is written over. */
static real det(size_t n, real *a)
{
    real product = (real)eliminate(n, 0, a, a);
    for (size_t i = 0; i < n; i++)
        product *= a[i * n + i];
    return product;
}
""",
    "logdet": """
/* The logarithm of the determinant of a (n x n), which is written over; NaN where that is not positive. */
static real logdet(size_t n, real *a)
{
    int positive = eliminate(n, 0, a, a);
    real sum = 0;
    for (size_t i = 0; i < n; i++) {
        positive = a[i * n + i] < 0 ? -positive : a[i * n + i] > 0 ? positive : 0;
        sum += (real)log(fabs(a[i * n + i]));
    }
    return positive > 0 ? sum : (real)NAN;
}
""",
    "chol": """
/* The lower triangular b with b b' = the symmetric part of a (n x n). 1 where that is not positive definite. */
static int chol(size_t n, const real *a, real *b)
{
    int failed = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            real sum = (a[i * n + j] + a[j * n + i]) / 2;
            for (size_t k = 0; k < j && j <= i; k++)
                sum -= b[i * n + k] * b[j * n + k];
            failed |= i == j && !(sum > 0);
            b[i * n + j] = j > i ? 0 : i == j ? (real)sqrt(sum) : sum / b[j * n + j];
        }
    return failed;
}
""",
    "tril": """
/* b = the lower triangle of a (n x n). */
static void tril(size_t n, const real *a, real *b)
{
    for (size_t i = 0; i < n * n; i++)
        b[i] = i % n <= i / n ? a[i] : 0;
}
""",
    "expm": """
/* b = the exponential of a (n x n), which is scaled, by a Pade approximant of degree 13 and squaring. 1: no memory. */
static int expm(size_t n, real *a, real *b)
{
    const size_t size = n * n;
    real norm = 0, *term = malloc(4 * size * sizeof(real));
    int squarings = 0;
    if (term == NULL)
        return 1;
    real *above = term + size, *below = above + size, *next = below + size;
    for (size_t j = 0; j < n; j++) {
        real sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += (real)fabs(a[i * n + j]);
        norm = sum > norm ? sum : norm;
    }
    for (; norm > 5 && squarings < 1100; norm /= 2)
        squarings++;
    for (size_t i = 0; i < size; i++) {
        a[i] = (real)ldexp(a[i], -squarings);
        term[i] = above[i] = below[i] = i % (n + 1) == 0;
    }
    for (int k = 1; k < 14; k++) {
        gemm('N', 'N', n, n, n, a, n, term, n, next);
        for (size_t i = 0; i < size; i++) {
            term[i] = next[i] * (real)(14 - k) / (real)((27 - k) * k);
            above[i] += term[i];
            below[i] += k % 2 ? -term[i] : term[i];
        }
    }
    int failed = solve(n, n, below, above);
    while (squarings-- > 0) {
        gemm('N', 'N', n, n, n, above, n, above, n, next);
        memcpy(above, next, size * sizeof(real));
    }
    memcpy(b, above, size * sizeof(real));
    free(term);
    return failed;
}
""",
    "frechet": """
/* c = the derivative of the exponential at a in the direction b (n x n): a corner of a larger one. 1: no memory. */
static int frechet(size_t n, const real *a, const real *b, real *c)
{
    const size_t size = 4 * n * n;
    real *block = calloc(2 * size, sizeof(real));
    if (block == NULL)
        return 1;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            block[i * 2 * n + j] = block[(n + i) * 2 * n + n + j] = a[i * n + j];
            block[i * 2 * n + n + j] = b[i * n + j];
        }
    int failed = expm(2 * n, block, block + size);
    for (size_t i = 0; i < n; i++)
        memcpy(c + i * n, block + size + i * 2 * n + n, n * sizeof(real));
    free(block);
    return failed;
}
""",
}
"""Each function by its name; later ones may call earlier ones."""

BLAS = """
#ifdef SINGLE
typedef float real;
#define BLAS(name) cblas_s##name
#else
typedef double real;
#define BLAS(name) cblas_d##name
#endif
#ifndef PLAIN_LOOPS
#include <cblas.h>
#endif
"""

REAL = """
#ifdef SINGLE
typedef float real;
#else
typedef double real;
#endif
"""


def needed(text: str) -> list[str]:
    """The functions that source calls, and those that they call, in order."""
    found: set[str] = set()
    for name in reversed(FUNCTIONS):
        whole = text + "".join(FUNCTIONS[other] for other in found)
        if re.search(rf"(?<![\w.]){name}\(", whole):
            found.add(name)
    return [text.strip("\n") for name, text in FUNCTIONS.items() if name in found]


def calls_blas(definitions: Sequence[str]) -> bool:
    """Whether any of the functions is one of BLAS."""
    return any("BLAS(" in text for text in definitions)
