"""What is refused, the reason, and what to write instead: NumPy functions and methods of nodes, and wrong calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Concatenate, Final, ParamSpec, TypeVar

from autodiff.primitives.operands import describe

__all__ = ["REFUSED", "REFUSED_METHODS", "called_as"]

_P = ParamSpec("_P")
_Made = TypeVar("_Made")
_Init = Callable[Concatenate[_Made, _P], None]


def _each(reasons: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One entry for each of the names that share a reason."""
    return {name: reason for names, reason in reasons for name in names.split()}


#: Functions by their name in NumPy.
REFUSED: Final[dict[str, str]] = _each([
    ("array asarray asanyarray ascontiguousarray asfortranarray asarray_chkfinite require",
     "an array of a node would silently leave the graph; use .data for the plain array, or autodiff.stack for one "
     "Tensor of several nodes"),
    ("linalg.eig linalg.eigvals",
     "its results are complex, and nodes hold real numbers; use np.linalg.eigh or np.linalg.eigvalsh for a symmetric "
     "matrix, .data for any other"),
    ("roots", "its results are complex, and nodes hold real numbers; use .data"),
    ("sort_complex", "its result is complex, and nodes hold real numbers; use np.sort(x)"),
    ("angle",
     "the angle of a real number is 0 or π, a constant; use .data, or np.arctan2(y, x) for the angle of a point"),
    ("copyto fill_diagonal place put put_along_axis putmask",
     "it writes into its argument, which graphs computed from it would not notice; make a new node with np.where(...), "
     "autodiff.scatter(...) or np.concatenate(...)"),
    ("bincount histogram histogram2d histogramdd histogram_bin_edges",
     "counts have no derivative; use .data for counts, autodiff.scatter(...) for sums by index"),
    ("intersect1d setdiff1d setxor1d union1d unique_all unique_counts unique_inverse unique_values",
     "the equality of elements has no derivative; use .data, or np.unique(x) for the elements themselves"),
    ("bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift "
     "bitwise_xor gcd invert lcm left_shift packbits ravel_multi_index right_shift unravel_index",
     "it takes integers or bools, and nodes hold floats; use .data.astype(int)"),
    ("unpackbits", "it takes bytes, and nodes hold floats; use .data.astype(np.uint8)"),
    ("nextafter spacing", "it goes from one float to the next, which has no derivative; use .data"),
    ("apply_along_axis apply_over_axes",
     "it calls a function with plain arrays; loop over the rows and join the results with autodiff.stack(...)"),
    ("poly polyadd polyder polydiv polyfit polyint polymul polysub",
     "for polynomials, nodes support np.polyval(p, x), and np.convolve(p, q) for a product"),
    ("trim_zeros", "the positions of zeros have no derivative; find the ends in .data and write x[start:stop]"),
    ("linalg.lstsq", "it returns several results, some without a derivative; use np.linalg.pinv(a) @ b"),
    ("geomspace", "use np.exp(np.linspace(np.log(start), np.log(stop), num)) for positive ends"),
    ("i0", "define a primitive for this Bessel function"),
    ("busday_count busday_offset datetime_as_string is_busday isnat", "it takes dates, and nodes hold numbers"),
    ("save savetxt savez savez_compressed", "a file holds plain arrays; pass .data"),
    ("format_float_positional format_float_scientific", "it writes one plain number; pass .item()"),
])  # fmt: skip

#: Methods of arrays that a Tensor does not have.
REFUSED_METHODS: Final[dict[str, str]] = _each([
    ("sort partition resize",
     "it writes into the array, which graphs computed from it would not notice; use NumPy's function of that name, "
     "which makes a new one"),
    ("fill put setfield",
     "it writes into the array, which graphs computed from it would not notice; make a new one with np.full_like(...) "
     "or np.where(...)"),
    ("choose", "its elements are floats, not the numbers of choices; use np.choose(numbers, choices)"),
    ("base byteswap ctypes device dump dumps flags flat getfield setflags strides to_device tobytes tofile view",
     "it concerns the memory of an array; use .data"),
])  # fmt: skip


def called_as(example: str) -> Callable[[_Init[_Made, _P]], _Init[_Made, _P]]:
    """Decorate an ``__init__``: arguments that do not fit it raise a TypeError with an example of a right call.

    In the example, ``{kind}`` is the name of the class. An error raised inside the ``__init__`` is not changed.
    """

    def decorate(init: _Init[_Made, _P]) -> _Init[_Made, _P]:
        @wraps(init)
        def checked(self: _Made, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
            try:
                init(self, *args, **kwargs)
            except TypeError as error:
                if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                    raise
                kind = type(self).__name__
                given = ", ".join([*map(describe, args), *(f"{key}={describe(item)}" for key, item in kwargs.items())])
                raise TypeError(
                    f"{kind} cannot be made from {given or 'nothing'}; write {example.format(kind=kind)}"
                ) from None

        return checked

    return decorate
