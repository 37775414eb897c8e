"""Products of matrices and vectors as C: calls of BLAS where that pays, else loops."""

from __future__ import annotations

from pullback.backends.c_places import Place, leading

_INLINE = 600
"""Products of fewer multiplications than this are loops: calling BLAS would cost as much."""

_SYMMETRIC = 16
"""From so many rows on, half the work and a mirror are faster than all the work."""

_ROWS, _PLAIN, _TURNED, _UPPER = 101, 111, 112, 121
"""CBLAS's numbers for: row by row, as it is, transposed, the upper triangle."""

Sizes = tuple[int, int, int]


def product_lines(one: Place, two: Place, out: Place, sizes: Sizes, add: bool) -> list[str]:
    """A product of two matrices, whose places have two axes; ``sizes`` are rows, columns and what is summed over.

    A vector is a matrix of one row or one column. With ``add`` the product is added to what is there.
    """
    rows, columns, inner = sizes
    if one.number is None and two.number is None and rows * columns * inner > _INLINE:
        found = _symmetric(one, two, out, sizes, add) or _by_blas(one, two, out, sizes, add)
        if found is not None:
            return found
    return _loops(one, two, out, sizes, add)


def _symmetric(one: Place, two: Place, out: Place, sizes: Sizes, add: bool) -> list[str] | None:
    """A product with its own transpose: one half, then mirrored."""
    rows, columns, inner = sizes
    same = (one.pointer, one.offset, one.strides) == (two.pointer, two.offset, two.strides[::-1])
    found = leading(one.strides, (rows, inner))
    if not same or add or rows != columns or rows < _SYMMETRIC or found is None or out.strides != (rows, 1):
        return None
    turned, gap = found
    return [
        f"SYRK({_ROWS}, {_UPPER}, {_TURNED if turned else _PLAIN}, {rows}, {inner}, 1, {one.start}, {gap}, "
        f"0, {out.start}, {rows});",
        f"mirror({out.start}, {rows});",
    ]


def _by_blas(one: Place, two: Place, out: Place, sizes: Sizes, add: bool) -> list[str] | None:
    """A call of BLAS, if the arrays lie as it wants them."""
    rows, columns, inner = sizes
    if columns == 1 and rows > 1:
        return _matrix_by_vector(one, (two.start, two.strides[0]), (out.start, out.strides[0]), (rows, inner), add)
    if rows == 1 and columns > 1:
        turned = Place(two.pointer, two.strides[::-1], two.offset)
        return _matrix_by_vector(
            turned, (one.start, one.strides[1]), (out.start, out.strides[1]), (columns, inner), add
        )
    if rows == 1:
        return None
    first, second = leading(one.strides, (rows, inner)), leading(two.strides, (inner, columns))
    if first is None or second is None or out.strides[1] != 1 or out.strides[0] < columns:
        return None
    return [
        f"GEMM({_ROWS}, {_TURNED if first[0] else _PLAIN}, {_TURNED if second[0] else _PLAIN}, {rows}, {columns}, "
        f"{inner}, 1, {one.start}, {first[1]}, {two.start}, {second[1]}, {int(add)}, {out.start}, {out.strides[0]});"
    ]


def _matrix_by_vector(
    matrix: Place, vector: tuple[str, int], out: tuple[str, int], shape: tuple[int, int], add: bool
) -> list[str] | None:
    found = leading(matrix.strides, shape)
    if found is None or vector[1] <= 0 or out[1] <= 0:
        return None
    turned, gap = found
    height, width = shape[::-1] if turned else shape
    return [
        f"GEMV({_ROWS}, {_TURNED if turned else _PLAIN}, {height}, {width}, 1, {matrix.start}, {gap}, "
        f"{vector[0]}, {vector[1]}, {int(add)}, {out[0]}, {out[1]});"
    ]


def _loops(one: Place, two: Place, out: Place, sizes: Sizes, add: bool) -> list[str]:
    """A product as loops."""
    rows, columns, inner = sizes
    sign = "+=" if add else "="
    if columns == 1:
        return [
            f"for (long i = 0; i < {rows}; i++) {{",
            "    T sum = 0;",
            '    _Pragma("omp simd reduction(+:sum)")',
            f"    for (long k = 0; k < {inner}; k++) sum += {one.at(('i', 'k'))} * {two.at(('k', '0'))};",
            f"    {out.at(('i', '0'))} {sign} sum;",
            "}",
        ]
    here = out.at(("i", "j"))
    across = f'_Pragma("omp simd") for (long j = 0; j < {columns}; j++)'
    return [
        f"for (long i = 0; i < {rows}; i++) {{",
        *([] if add else [f"    {across} {here} = 0;"]),
        f"    for (long k = 0; k < {inner}; k++) {{",
        f"        const T factor = {one.at(('i', 'k'))};",
        f"        {across} {here} += factor * {two.at(('k', 'j'))};",
        "    }",
        "}",
    ]
