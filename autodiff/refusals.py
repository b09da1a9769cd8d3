"""What NumPy offers and nodes refuse: the reason, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["REFUSED", "REFUSED_METHODS"]


def _each(reasons: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One entry for each of the names that share a reason."""
    return {name: reason for names, reason in reasons for name in names.split()}


#: Functions by their name in NumPy.
REFUSED: Final[dict[str, str]] = _each([
    ("array asarray asanyarray ascontiguousarray asfortranarray asarray_chkfinite require",
     "an array made of a node would silently leave the graph; use .data for the plain array, autodiff.stack for one "
     "Tensor of several nodes"),
    ("angle linalg.eig linalg.eigvals roots sort_complex",
     "its results are complex, and nodes hold real numbers; use .data, or linalg.eigh for a symmetric matrix"),
    ("copyto fill_diagonal place put put_along_axis putmask",
     "it writes into its argument, and a node never changes; make the new one with where(...), scatter(...) or "
     "concatenate(...)"),
    ("bincount histogram histogram2d histogramdd histogram_bin_edges",
     "counts have no derivative, and weights would lose theirs; use .data for counts, scatter(...) for sums by index"),
    ("intersect1d setdiff1d setxor1d union1d unique_all unique_counts unique_inverse unique_values",
     "which elements are equal has no derivative; use .data, or unique(x) for the elements themselves"),
    ("bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift "
     "bitwise_xor gcd invert lcm left_shift packbits ravel_multi_index right_shift unpackbits unravel_index",
     "it takes integers or bools, and nodes hold floats; use .data"),
    ("nextafter spacing",
     "it goes from one float to the next, which has no derivative; use .data"),
    ("apply_along_axis apply_over_axes fromfunction frompyfunc",
     "it calls a function with plain arrays; loop over the rows and join them by stack(...)"),
    ("poly polyadd polyder polydiv polyfit polyint polymul polysub trim_zeros",
     "polynomials as arrays of coefficients have only polyval(p, x); convolve(p, q) multiplies two of them"),
    ("linalg.lstsq", "its results are several, some of them without a derivative; use linalg.pinv(a) @ b"),
    ("geomspace", "it has no rule; use exp of linspace(log(start), log(stop))"),
    ("i0", "it has no rule; define a primitive for the Bessel function"),
    ("busday_count busday_offset datetime_as_string is_busday isnat",
     "it takes dates, and nodes hold numbers"),
    ("save savetxt savez savez_compressed", "a file holds plain arrays; pass .data"),
    ("format_float_positional format_float_scientific", "it writes one plain number; pass .item()"),
])  # fmt: skip

#: Methods of arrays that a Tensor does not have.
REFUSED_METHODS: Final[dict[str, str]] = _each([
    ("fill partition put resize setfield setflags sort byteswap",
     "it writes into the array, and a Tensor never changes; make the new one, as by np.sort(x) or where(...)"),
    ("choose", "its elements are floats, not the numbers of choices; use np.choose(numbers, choices)"),
    ("base ctypes device dump dumps flags flat getfield strides to_device tobytes tofile view",
     "it shows the memory of an array; use .data"),
])  # fmt: skip
