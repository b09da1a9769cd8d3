"""Faults of NumPy functions composed of primitives, and of the rules of matrices, steps and lengths."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import change, classified

__all__ = ["COMPOSITION_FAULTS"]

_ELEMENTS, _MOVES, _PRODUCTS, _STATISTICS, _ALONG_AXIS, _LINALG = (
    f"autodiff/values/compositions/{topic}.py"
    for topic in ("elements", "moves", "products", "statistics", "along_axis", "linalg")
)
_MATRICES, _ROUNDING, _SCIENTIFIC, _REDUCTIONS = (
    f"autodiff/primitives/table/{topic}.py" for topic in ("factorizations", "rounding", "scientific", "reductions")
)

COMPOSITION_FAULTS: Final = classified(
    {
        "wrong formula": (
            change(
                "quantile: the nearer element",
                _STATISTICS,
                "low + t * (high - low)",
                "choices.where(t > 0.5, high, low)",
            ),
            change(
                "quantile: of n elements, not n − 1",
                _STATISTICS,
                "np.maximum(count - 1, 0))\n    low",
                "count)\n    low",
            ),
            change("average: Σ wx without Σ w", _STATISTICS, "keepdims=keepdims) / total", "keepdims=keepdims) / 1.0"),
            change(
                "trapezoid: the left end of each step", _ALONG_AXIS, "(y[..., 1:] + y[..., :-1])", "(2.0 * y[..., :-1])"
            ),
            change(
                "cross: the other hand",
                _PRODUCTS,
                "rolled[0] * rolled[3] - rolled[1] * rolled[2]",
                "rolled[1] * rolled[2] - rolled[0] * rolled[3]",
            ),
            change("polyval: from the other end", _PRODUCTS, "z = z * x + p[k]", "z = z * x + p[-1 - k]"),
            change(
                "logaddexp: the share of the other",
                _SCIENTIFIC,
                "g * sigmoid(x - y), lambda g, z, x, y: g * sigmoid(y - x)",
                "g * sigmoid(y - x), lambda g, z, x, y: g * sigmoid(x - y)",
                target="logaddexp",
            ),
            change(
                "arctanh: 1 + x²", _SCIENTIFIC, "g / ((1.0 - x) * (1.0 + x))", "g / (1.0 + x * x)", target="arctanh"
            ),
            change(
                "remainder: no share of the divisor",
                _ROUNDING,
                "-(g * rint((x - z) / y))",
                "g * 0.0",
                target="remainder",
            ),
            change(
                "pinv: its first term alone",
                _MATRICES,
                "(gt - a @ (p @ gt)) @ (p @ pt) + (pt @ p) @ (gt - (gt @ p) @ a) - pt @ g @ pt",
                "-pt @ g @ pt",
                target="pinv",
            ),
            change(
                "cholesky: the whole diagonal",
                _MATRICES,
                "- 0.5 * np.eye(x.shape[-1])",
                "- 0.0 * np.eye(x.shape[-1])",
                target="cholesky",
            ),
            change(
                "interp: the slope of the next piece",
                _ELEMENTS,
                "for places in (k, k + 1))",
                "for places in (k, np.minimum(k + 2, len(known) - 1)))",
            ),
        ),
        "missing factor": (
            change("log2: without 1/ln 2", _SCIENTIFIC, "g * (_LOG2_E / x)", "g / x", target="log2"),
            change("exp2: without ln 2", _SCIENTIFIC, "g * (LN2 * z)", "g * z", target="exp2"),
            change("sinc: without π", _SCIENTIFIC, "-math.pi * spherical_bessel", "-spherical_bessel", target="sinc"),
            change("cbrt: without the 3", _SCIENTIFIC, "g / (3.0 * (z * z))", "g / (z * z)", target="cbrt"),
            change(
                "std without nan: n − 1 of all",
                _STATISTICS,
                "freedom = _count(x, axis, keepdims) - ddof",
                "freedom = np.size(plain(x)) - ddof",
            ),
        ),
        "wrong operand": (
            change(
                "hypot: the other side",
                _SCIENTIFIC,
                "g * _cosine(x, y, z), lambda g, z, x, y: g * _cosine(y, x, z)",
                "g * _cosine(y, x, z), lambda g, z, x, y: g * _cosine(x, y, z)",
                target="hypot",
            ),
            change(
                "arctan2: x for y",
                _SCIENTIFIC,
                "g * _over_square(x, x, y)",
                "g * _over_square(y, x, y)",
                target="arctan2",
            ),
            change(
                "fmax: nan wins",
                _ELEMENTS,
                "choices.where(np.isnan(plain(x)), y, ",
                "choices.where(np.isnan(plain(x)), x, ",
            ),
        ),
        "sign": (
            change("copysign: the sign of x", _ELEMENTS, "np.copysign(1.0, plain(y))", "np.copysign(1.0, plain(x))"),
            change(
                "det: minors without signs", _MATRICES, "* signs.astype(x.dtype)", "* (signs * signs).astype(x.dtype)"
            ),
        ),
        "axes and layout": (
            change(
                "convolve: not turned round",
                _PRODUCTS,
                "np.arange(n + m - 1)[:, None] - np.arange(m)",
                "np.arange(m) - np.arange(n + m - 1)[:, None] + n - 1",
            ),
            change("kron: the factors exchanged", _PRODUCTS, "for length in (k, 1))", "for length in (1, k))"),
            change(
                "cov: of the columns",
                _STATISTICS,
                "linear.matmul(centred, centred.T)",
                "linear.matmul(centred.T, centred)",
            ),
            change(
                "inv: not transposed", _MATRICES, "-(transposed(z) @ g @ transposed(z))", "-(z @ g @ z)", target="inv"
            ),
            change(
                "eigh: the upper triangle for the lower", _LINALG, 'if triangle == "L" else', 'if triangle == "U" else'
            ),
            change(
                "nanmean: rows counted for columns",
                _STATISTICS,
                "keepdims=keepdims) / _count(x, axis, keepdims)\n\n\ndef _nanvar",
                "keepdims=keepdims) / _count(x, None, False)\n\n\ndef _nanvar",
            ),
        ),
        "gates": (
            change(
                "floor: the slope of x",
                _ROUNDING,
                "lambda xp, x: xp.floor(x),\n    [lambda g, z, x: g * 0.0]",
                "lambda xp, x: xp.floor(x),\n    [lambda g, z, x: g]",
                target="floor",
            ),
            change(
                "nansum: nan takes part",
                _STATISTICS,
                "_sum(x, axis, keepdims, where=is_number(x))",
                "_sum(x, axis, keepdims)",
            ),
            change(
                "tril: everything is kept",
                _MOVES,
                "mask(np.ones(shape_of(x), bool), k)",
                "np.ones(shape_of(x), bool)",
            ),
        ),
        "special points: zero in a product": (
            change(
                "cumprod: z/x at x = 0",
                _REDUCTIONS,
                "    if _has_all_digits(z, x.dtype):\n",
                "    if True:\n",
                target="cumprod",
            ),
            change(
                "cumprod: what stands before is left out",
                _REDUCTIONS,
                "before * stack(",
                "1.0 * stack(",
                target="cumprod",
            ),
        ),
        "special points: kinks and edges": (
            change(
                "det of singular matrices: by the inverse",
                _MATRICES,
                "if few:\n        return _minors(x)",
                "if False:\n        return _minors(x)",
            ),
            change("hypot at 0: 0/0", _SCIENTIFIC, "where(origin, 0.0, x / where(origin, 1.0, z))", "x / z"),
            change(
                "equal eigenvalues: 0/0 where no error comes",
                _MATRICES,
                "still = (signal == 0) & (gap == 0)",
                "still = (signal == 0) & (gap != gap)",
            ),
        ),
        "structure: repeated index": (
            change(
                "sort: equal elements take one share",
                _MOVES,
                'kind=kind or "stable"), axis)',
                'kind=kind or "stable") * 0, axis)',
            ),
        ),
        "types: float32 upcast": (
            change(
                "constants beside float32 are float64",
                "autodiff/engine/plain.py",
                'np.asarray(numbers, getattr(plain(x), "dtype", np.float64))',
                "np.asarray(numbers, np.float64)",
            ),
        ),
        "refusal left out": (
            change(
                "ravel of nothing",
                _STATISTICS,
                "    if not np.size(plain(rows)):\n        raise",
                "    if False:\n        raise",
            ),
            change("choose: any number", _ELEMENTS, "or numbers.max(initial=0) >= count", "or False"),
            change(
                "data may be written into",
                "autodiff/values/read_only.py",
                "        if not self.flags.writeable:\n            raise",
                "        if False:\n            raise",
            ),
        ),
    }
)
