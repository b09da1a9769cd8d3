"""Faults of the table of primitives: three for every input of every rule, and those that people write by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from tests.faults.fault import Fault, change, classified

# ---- for every input of every primitive ------------------------------------------------------------------------------

_WRAPPED: Final = """

_define = primitive


def primitive(name, forward, vjp, **facts):  # a planted fault
    def spoil(rule):
        def spoiled(*given, **params):
            {line}

        return spoiled

    if name == {name!r}:
        if callable(vjp):
            right, wrong = vjp, spoil(vjp)
            vjp = lambda k, *given, **params: (wrong if k == {slot} else right)(k, *given, **params)
        else:
            vjp = [spoil(rule) if k == {slot} else rule for k, rule in enumerate(vjp)]
    return _define(name, forward, vjp, **facts)
"""

#: By class: what becomes of one input's share, in a word and as Python.
CHANGES: Final = {
    "scale": ("scaled", "share * 1.001"),
    "sign": ("flipped", "-share"),
    "missing term": ("dropped", "share * 0.0"),
}

#: Faults of rules that no test can find: the primitive's name, and why.
_ZERO: Final = "its derivative is 0, and 1.001 · 0, −0 and 0 · 0 are the same"
_STEPS: Final = (("floor", 0), ("ceil", 0), ("trunc", 0), ("rint", 0), ("floor_divide", 0), ("floor_divide", 1))
EQUIVALENT: Final = dict.fromkeys((("sign", 0), ("by_convention", 1), *_STEPS), _ZERO)

_DETACHED: Final = """known = [getattr(x, "_data", x) if hasattr(type(x), "backward") else x for x in given]
            return rule(*[x if x is given[{signal}] else y for x, y in zip(given, known, strict=True)], **params)"""

#: Rules with a factor that depends on the inputs, by name and slot: right to first order without its graph.
_CURVED: Final = {
    "multiply": 0, "divide": 1, "exp": 0, "tanh": 0, "sigmoid": 0, "softplus": 0, "pow": 1, "matvec": 0, "affine": 0,
    "affine_rows": 1, "prod": 0, "logsumexp": 0, "norm": 0, "weighted_sum": 1, "einsum": 0,
}  # fmt: skip
_OF_ANY_NUMBER: Final = ("weighted_sum", "einsum")  # their rules take the slot first


def _wrapped(kind: str, name: str, slot: int, what: str, line: str) -> Fault:
    """``line`` in place of the rule of one input."""
    return Fault(
        f"{name}, input {slot + 1}: {what}", "autodiff/primitives/definition.py",
        _WRAPPED.format(line=line, name=name, slot=slot), target=name, equivalent=EQUIVALENT.get((name, slot), ""),
        kind=kind,
    )  # fmt: skip


def rule_faults(slots: Mapping[str, int]) -> Iterable[Fault]:
    """Three faults for each input of each primitive, and lost graphs; ``slots`` says how many inputs each has."""
    for name, count in slots.items():
        for slot in range(count):
            for kind, (what, changed) in CHANGES.items():
                line = f"return {changed.replace('share', 'rule(*given, **params)')}"
                yield _wrapped(kind, name, slot, f"share {what}", line)
    for name, slot in _CURVED.items():
        line = _DETACHED.format(signal=int(name in _OF_ANY_NUMBER))
        yield _wrapped("second order: detached factor", name, slot, "its factor has no graph", line)


# ---- by hand ---------------------------------------------------------------------------------------------------------

_ELEMENTWISE, _LAYOUT, _LINEAR, _REDUCTIONS, _UNITS = (
    f"autodiff/primitives/table/{topic}.py" for topic in ("elementwise", "layout", "linear", "reductions", "units")
)
_SPECIAL = "autodiff/primitives/special.py"

_BY_HAND: Final = {
    "sign": (
        change(
            "subtract: both shares are +g", _ELEMENTWISE, "lambda g, z, x, y: -g]", "lambda g, z, x, y: g]",
            target="subtract",
        ),
        change("cos: without the minus", _ELEMENTWISE, "-(g * sin(x))", "g * sin(x)", target="cos"),
        change("sigmoid, 1/(1 + eˣ)", _UNITS, "xp.logistics(x)[0]", "xp.logistics(-x)[0]", target="sigmoid"),
        change("hinge_sum: the windows swap their signs", _UNITS, "[[-1.0], [1.0]]", "[[1.0], [-1.0]]"),
    ),
    "missing factor": (
        change("sqrt: without the 2", _ELEMENTWISE, "g / (2.0 * z)", "g / z", target="sqrt"),
        change("square: without the 2", _ELEMENTWISE, "g * (2.0 * x)", "g * x", target="square"),
        change("power: without n", _ELEMENTWISE, "n * x ** (n - 1)", "x ** (n - 1)", target="power"),
        change("mean: without 1/n", _REDUCTIONS, "g * z.size / x.size", "g", target="mean"),
        change("gelu: without 1/√(2π)", _UNITS, "x * _bell(x) / _ROOT_2PI", "x * _bell(x)", target="gelu"),
    ),
    "scale": (
        change(
            "mean over an axis: 1/n of all elements", _REDUCTIONS, "g * z.size / x.size", "g / x.size", target="mean",
        ),
        change("erfc: seven digits of −2/√π", _SPECIAL, "-1.1283791670955126", "-1.128379", target="erfc"),
        change(
            "leaky_relu: another slope on the way back", _UNITS, "where(x == x, slope, x)", "where(x == x, 0.01, x)",
        ),
    ),
    "wrong operand": (
        change(
            "multiply: each input times itself", _ELEMENTWISE, "lambda g, z, x, y: g * y, lambda g, z, x, y: g * x]",
            "lambda g, z, x, y: g * x, lambda g, z, x, y: g * y]", target="multiply",
        ),
        change("divide: x for x/y", _ELEMENTWISE, "-(g * z / y)", "-(g * x / y)", target="divide"),
        change("pow: the logarithm of the exponent", _ELEMENTWISE, "z * log(x)", "z * log(y)", target="pow"),
        change("log: 1/z for 1/x", _ELEMENTWISE, "[lambda g, z, x: g / x],", "[lambda g, z, x: g / z],", target="log"),
        change("tanh: f′(a) for f′(z)", _ELEMENTWISE, "sech2(x), lambda", "sech2(z), lambda", target="tanh"),
        change(
            "sigmoid: f′(a) for f′(z)", _UNITS, "z * read_as(co_sigmoid(x)", "sigmoid(z) * read_as(co_sigmoid(z)",
            target="sigmoid",
        ),
        change("softplus: f′(a) for f′(z)", _UNITS, "g * sigmoid(x)]", "g * sigmoid(z)]", target="softplus"),
    ),
    "wrong formula": (
        change("arctan: of 2x", _ELEMENTWISE, "lorentzian(x), lambda", "lorentzian(x + x), lambda", target="arctan"),
        change("tan: 1 + x²", _ELEMENTWISE, "g * (1.0 + z * z)", "g * (1.0 + x * x)", target="tan"),
        change("cosh: the rule of cos", _ELEMENTWISE, "g * sinh(x)", "-(g * sinh(x))", target="cosh"),
        change(
            "soft_sign as some print it, without |x|", _UNITS, "g / (1.0 + abs(x)) / (1.0 + abs(x))",
            "g / (1.0 + x) / (1.0 + x)", target="soft_sign",
        ),
        change("log_sigmoid: σ(x) for σ(−x)", _UNITS, "g * sigmoid(-x)", "g * sigmoid(x)", target="log_sigmoid"),
    ),
    "missing term": (
        change("expm1: eˣ − 1 for eˣ", _ELEMENTWISE, "g * exp(x)]", "g * z]", target="expm1"),
        change("log1p: 1/x", _ELEMENTWISE, "g / (1.0 + x)]", "g / x]", target="log1p"),
        change("elu: z for z + alpha", _UNITS, "alpha * exp(where(x > 0, 0.0, x)))", "z)", target="elu"),
        change("gelu: Φ alone", _UNITS, " + x * _bell(x) / _ROOT_2PI", "", target="gelu"),
        change(
            "weighted_sum: the bias is left out", _LINEAR, "total = terms[-1]", "total = 0.0 * terms[-1]",
            target="weighted_sum",
        ),
    ),
    "cotangent ignored": (
        change("exp: z without g", _ELEMENTWISE, "[lambda g, z, x: g * z],", "[lambda g, z, x: z],", target="exp"),
        change(
            "relu: gate without g", _UNITS, "[lambda g, z, x: g * sign(z)]", "[lambda g, z, x: sign(z)]",
            target="relu",
        ),
        change(
            "matvec: ones for g", _LINEAR, "[lambda g, z, a, x: outer_product(g, x), lambda g, z, a, x: matvec",
            "[lambda g, z, a, x: outer_product(g * 0.0 + 1.0, x), lambda g, z, a, x: matvec", target="matvec",
        ),
        change(
            "sum: ones for g", _REDUCTIONS,
            'spread(g, shape=x.shape, axis=axis, keepdims=keepdims)],\n    symbol="Σ"',
            'spread(g * 0.0 + 1.0, shape=x.shape, axis=axis, keepdims=keepdims)],\n    symbol="Σ"', target="sum",
        ),
    ),
    "gates": (
        Fault(
            "sign, input 1: error signal let through", "autodiff/primitives/definition.py",
            _WRAPPED.format(line="return given[0]", name="sign", slot=0), target="sign",
        ),
        change("relu: always open", _UNITS, "[lambda g, z, x: g * sign(z)]", "[lambda g, z, x: g]", target="relu"),
        change(
            "relu: only positive errors pass", _UNITS, "[lambda g, z, x: g * sign(z)]",
            "[lambda g, z, x: g * sign(z) * (1.0 * (g > 0))]", target="relu",
        ),
        change("clip: no lower gate", _ELEMENTWISE, "(x >= low) & (x <= high)", "x <= high", target="clip"),
        change("hard_tanh: no lower gate", _UNITS, "(x >= -1.0) & (x <= 1.0)", "x <= 1.0", target="hard_tanh"),
        change(
            "where: both branches get the error", _ELEMENTWISE, "g * where(condition, 1.0, 0.0)", "g", target="where",
        ),
        change("hinge: learns beyond the margin", _UNITS, "-(g * sign(z)), ", "-g, ", target="hinge"),
        change("hinge_sum: learns beyond the margin", _UNITS, "active = g * sign(", "active = g + 0.0 * sign("),
        change("max: every element gets the error", _REDUCTIONS, "1.0 * ((x == spread(", "1.0 + 0.0 * ((x == spread("),
    ),
    "axes and layout": (
        change("transpose: back by the same order", _LAYOUT, "axes=_inverse(axes))", "axes=axes)", target="transpose"),
        change(
            "reshape: back column by column", _LAYOUT, "[lambda g, z, x, *, shape: reshape(g, shape=x.shape)]",
            "[lambda g, z, x, *, shape: transpose(reshape(g, shape=x.shape[::-1]))]", target="reshape",
        ),
        change(
            "sum: axis 0 is taken for no axis", _REDUCTIONS, "    if axis is None:\n", "    if not axis:\n",
            target="sum",
        ),
        change("flip: back along all axes", _LAYOUT, "flip(g, axis=axis)]", "flip(g)]", target="flip"),
        change(
            "concatenate: parts lie along the first axis", _LAYOUT, "_along(axis, z.ndim, slice(start",
            "_along(0, z.ndim, slice(start", target="concatenate",
        ),
        change("matvec: the weights are not transposed", _LINEAR, "matvec(a.T, g)]", "matvec(a, g)]", target="matvec"),
        change("affine: the weights are not transposed", _LINEAR, "matvec(w.T, g)", "matvec(w, g)", target="affine"),
        change(
            "stacked_matmul: transposed over the first axes", _LINEAR, "stacks(g, swapaxes(b, axis1=-1, axis2=-2))",
            "stacks(g, swapaxes(b, axis1=0, axis2=1))", target="stacked_matmul",
        ),
        change(
            "hinge_sum: neighbours are taken for pairs", _UNITS, "scores.reshape((2, -1))",
            "scores.reshape((-1, 2)).T",
        ),
        change("inverse order of negative axes", _LAYOUT, "[a % len(axes) for a in axes]", "axes", target="transpose"),
    ),
    "broadcasting: wrong axis": (
        change(
            "sum_to: the last axes are summed, not the first", _LAYOUT, "tuple(range(lead)) +",
            "tuple(range(-lead, 0)) +",
        ),
        change(
            "cumsum: back along the first axis", _REDUCTIONS, "flip(cumsum(flip(g, axis=axis), axis=axis), axis=axis)",
            "flip(cumsum(flip(g, axis=0), axis=0), axis=0)", target="cumsum",
        ),
    ),
    "broadcasting: leading axes": (
        change("leading axes are not summed", _LAYOUT, "axes = tuple(range(lead)) + ", "axes = "),
    ),
    "broadcasting: axes of length 1": (
        change("axes of length 1 are not summed", _LAYOUT, "if n == 1 and x.shape[k + lead] != 1", "if False"),
        change(
            "einsum: lengths of 1 are not repeated", _LINEAR, "share if share.shape == whole else",
            "share if True else", target="einsum",
        ),
    ),
    "broadcasting: mean": (
        change(
            "broadcasting is undone by a mean", _LAYOUT, "return np.add.reduce(x, axes, keepdims=True)",
            "return np.mean(x, axis=axes or (), keepdims=True)",
        ),
        change(
            "a matrix is summed to a row by its mean", _LAYOUT, "np.ones(count, dtype)",
            "np.full(count, 1.0 / count, dtype)",
        ),
    ),
    "structure: repeated index": (
        change(
            "indices that repeat, such as a word's, lose shares", _LAYOUT, "np.add.at(whole, index, g)",
            "whole[index] = g", target="getitem",
        ),
        change(
            "arrays as indices are taken for slices", _LAYOUT, "isinstance(item, int | np.integer)",
            "isinstance(item, int | np.integer | np.ndarray)", target="getitem",
        ),
    ),
    "structure: cumsum not flipped": (
        change(
            "cumsum: from the front again", _REDUCTIONS, "flip(cumsum(flip(g, axis=axis), axis=axis), axis=axis)",
            "cumsum(g, axis=axis)", target="cumsum",
        ),
        change(
            "cumsum: flipped once", _REDUCTIONS, "cumsum(flip(g, axis=axis), axis=axis)", "cumsum(g, axis=axis)",
            target="cumsum",
        ),
    ),
    "structure: cut off by one": (
        change("split: each part loses its last", _LAYOUT, "slice(a, b))) for a, b", "slice(a, b - 1))) for a, b"),
        change(
            "concatenate: parts start one late", _LAYOUT, "slice(start, start +", "slice(start + 1, 1 + start +",
            target="concatenate",
        ),
        change(
            "diag: the next diagonal", _LAYOUT, "getitem(x, index=(order + down, order + right))",
            "getitem(x, index=(order + down, (order + right + 1) % shape[1]))",
        ),
        change("pad: one place further", _LAYOUT, "slice(int(a), int(a) + n)", "slice(int(a) + 1, int(a) + 1 + n)"),
        change(
            "weighted_sum of many: the last of each thousand is left out", _LINEAR,
            "slice(start, start + _MOST_TERMS)", "slice(start, start + _MOST_TERMS - 1)",
        ),
    ),
    "special points: zero in a product": (
        change("prod: z/x at x = 0", _REDUCTIONS, "if _has_all_digits(z, x.dtype) or", "if True or", target="prod"),
        change(
            "prod: no product but the whole", _REDUCTIONS, "np.eye(count, dtype=bool)",
            "np.zeros((count, count), dtype=bool)",
        ),
    ),
    "special points: ties": (
        change("max of ties: each gets the whole error", _REDUCTIONS, "(chosen / count,", "(chosen,", target="max"),
        change("maximum of ties: 1 to both", _ELEMENTWISE, "0.5 * ((x >= y) + 1.0 * (x > y))", "1.0 * (x >= y)"),
        change("maximum of ties: 0 to both", _ELEMENTWISE, "0.5 * ((x >= y) + 1.0 * (x > y))", "1.0 * (x > y)"),
    ),
    "special points: kinks and edges": (
        change("relu′(0) = 1", _UNITS, "[lambda g, z, x: g * sign(z)]", "[lambda g, z, x: g * (1.0 * (x >= 0))]"),
        change(
            "leaky_relu′(0) = 1", _UNITS, "g * where(x > 0, 1.0, where(x == x, slope",
            "g * where(x >= 0, 1.0, where(x == x, slope",
        ),
        change("abs′(0) = 1", _ELEMENTWISE, "by_convention(sign(x),", "by_convention(2.0 * (x >= 0) - 1.0,"),
        change("clip: 0 at the upper bound", _ELEMENTWISE, "(x >= low) & (x <= high)", "(x >= low) & (x < high)"),
        change("hinge at its kink: −1", _UNITS, "-(g * sign(z)), ", "-(g * (1.0 * (margin + corrupt - score >= 0))), "),
        change("a slope by convention has derivative 0", _ELEMENTWISE, "where(kink, np.nan, 0.0)", "0.0"),
        change("norm at 0: 0/0", _REDUCTIONS, "g / where(z == 0, 1.0, z) * by_convention", "g / z * by_convention"),
        change("x⁰ at 0: 0 · inf", _ELEMENTWISE, "where(n == 0, 0.0, n * x ** (n - 1))", "n * x ** (n - 1)"),
        change(
            "0⁰ by base: 0 · inf", _ELEMENTWISE, "where((x * x == 0) & (y == 0), 0.0, _slope_of_power(z, x, y))",
            "_slope_of_power(z, x, y)",
        ),
        change("0ʸ by exponent: 0 · −inf", _ELEMENTWISE, "where((x == 0) & (y >= 0), 0.0, z * log(x))", "z * log(x)"),
        change(
            "nan has slope 0 in hard_tanh", _UNITS, "where((x >= -1.0) & (x <= 1.0), 1.0, where(x == x, 0.0, x))",
            "(1.0 * ((x >= -1.0) & (x <= 1.0)))",
        ),
        change("nan is no extreme", _REDUCTIONS, " | (x != x))", ")"),
        change("logsumexp overflows", _REDUCTIONS, "top if finite.all() else np.where(finite, top, 0.0)", "0.0 * top"),
    ),
    "second order: detached factor": (
        change(
            "prod: the other factors are numbers", _REDUCTIONS, "keepdims=keepdims) / x",
            "keepdims=keepdims) / getattr(x, 'data', x)", target="prod",
        ),
    ),
    "types: float32 upcast": (
        change("scatter makes float64", _LAYOUT, 'getattr(g, "dtype", float)', "float", target="getitem"),
        change("rows are summed in float64", _LAYOUT, "_ones(len(x), x.dtype)", "_ones(len(x), float)"),
        change(
            "pad fills with float64", _LAYOUT, 'float(constant_values), getattr(x, "dtype", None)',
            "float(constant_values)",
        ),
    ),
}  # fmt: skip

RULE_FAULTS: Final = classified(_BY_HAND)
