"""The graph that torch's autograd recorded: its functions in order, its leaves, and the constants it does not record.

Autograd saves what its gradients need, so a constant addend (the margin of a hinge) is missing. The constant is
found from what later functions saved: between the two, the program is affine, so two runs, with 0 and with 1, give it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import post_order
from autodiff.foreign.torch_call import Call, as_plain
from autodiff.foreign.torch_operations import ADDENDS, OPERATIONS, operands

__all__ = ["check_unchanged", "functions", "leaf_of", "result", "run", "solved"]

Results = dict[Any, Any]

_DIGITS: Final = 12  # to which a found constant is rounded, if the loss agrees: 1 instead of 1.0000000000000002


def functions(last: Any) -> list[Any]:
    """The functions on which ``last`` depends, inputs before consumers; accumulators of leaves are included."""
    return post_order(last, lambda function: [before for before, _ in function.next_functions if before is not None])


def leaf_of(function: Any) -> Any:
    """The leaf tensor of a function that accumulates a gradient; None for any other function."""
    return getattr(function, "variable", None)


def run(
    order: list[Any], leaf: Callable[[Any], Any], constants: Mapping[Any, Any],
    table: Mapping[str, Callable[[Call], Any]] = OPERATIONS,
) -> Results:  # fmt: skip
    """The result of each function, or a list of several, by this engine's operations.

    Raises:
        ValueError: if an operation is not in the table; the message names it.
    """
    results: Results = {}
    for function in order:
        tensor = leaf_of(function)
        if tensor is not None:
            results[function] = leaf(tensor)
            continue
        call = _call(function, results, constants.get(function))
        if call.name not in table:
            raise ValueError(
                f"cannot trace {call.name} of the torch graph: this engine has no such operation; write it with other "
                f"operations, or compute it before and detach() the result{call.line}"
            )
        try:
            with np.errstate(all="ignore"):
                results[function] = table[call.name](call)
        except NotImplementedError as error:
            raise ValueError(f"cannot trace {call.name} of the torch graph {error}{call.line}") from error
    return results


def check_unchanged(order: list[Any]) -> None:
    """Raise ValueError if torch's version counters say that a saved tensor was changed in place since."""
    for function in order:
        for key in dir(type(function)):
            try:
                key.startswith("_saved_") and getattr(function, key)
            except RuntimeError as error:  # freed tensors are refused where they are needed
                if "inplace" in str(error):
                    raise Call(function, ()).refusal(error) from error


def solved(order: list[Any], loss: Any) -> dict[Any, Any]:
    """The constants that torch added to something and did not record.

    Raises:
        ValueError: if nothing that torch saved determines a constant.
    """
    pending = [function for function in order if _lacks_addend(function)]
    constants: dict[Any, Any] = dict.fromkeys(pending, np.nan)
    while pending:
        for function in pending:
            constants[function] = _solution(order, constants, function, loss)
        left = [function for function in pending if constants[function] is np.nan]
        if len(left) == len(pending):
            raise ValueError(
                f"cannot trace {left[0].name()} of the torch graph: torch does not record its constant, and no value "
                "that torch saved determines it; give the constant as a tensor with requires_grad=True"
                f"{Call(left[0], ()).line}"
            )
        pending = left  # a constant may be visible only beside others
    return constants


def _solution(order: list[Any], constants: dict[Any, Any], function: Any, loss: Any) -> Any:
    """The constant of one function, with those found so far; nan if it is not determined."""
    low, high = (run(order, as_plain, {**constants, function: np.float64(guess)}) for guess in (0.0, 1.0))
    if all(_fits(order, results, low, loss) for results in (low, high)):
        return np.nan
    guesses = (*_candidates(order, low, high, loss), *_masks(order, low[function]))
    fitting = (g for g in guesses if _fits(order, run(order, as_plain, {**constants, function: g}), low, loss))
    return next(fitting, np.nan)


def _lacks_addend(function: Any) -> bool:
    name, before = function.name(), [item for item, _ in function.next_functions]
    if name not in ADDENDS:
        return False
    if name in ("AddmmBackward0", "AddcmulBackward0", "BaddbmmBackward0"):
        return before[0] is None  # the factors are saved
    if name == "MaskedFillBackward0":
        return bool(np.any(Call(function, ()).saved("mask")))
    return len(before) < 2 or None in before


def _masks(order: list[Any], made: Any) -> Iterator[Any]:
    """−∞, 0, and −∞ where a later softmax is 0: what programs fill in, and what no saved value shows."""
    yield from (np.float64(-np.inf), np.float64(0.0))
    for later in order:
        if "Softmax" in later.name() and Call(later, ()).has("result"):
            shares = Call(later, ()).saved("result")
            if shares.size == np.size(made):
                yield np.where(shares.reshape(np.shape(made)) == 0.0, -np.inf, 0.0)


def _fits(order: list[Any], results: Results, known: Results, loss: Any) -> bool:
    """Whether a run has every value that torch saved, where ``known`` is not nan: later constants are still unknown."""
    triples = [*_observed(order, results, known, loss)]
    for function in order:
        call = Call(function, ())
        if "Softmax" in call.name and call.has("result"):
            triples.append((results[function], known[function], call.saved("result")))
    return all(_alike(*triple) for triple in triples)


def _alike(ours: Any, known: Any, saved: Any) -> bool:
    tolerance = float(np.finfo(saved.dtype).eps) ** 0.75 if saved.dtype.kind == "f" else 0.0
    with np.errstate(all="ignore"):
        same = np.isclose(ours, saved, rtol=tolerance, atol=tolerance, equal_nan=True)
    return bool(np.all(same | np.isnan(known) | ~np.isfinite(saved)))


def _call(function: Any, results: Results, constant: Any = None) -> Call:
    inputs = tuple(None if before is None else result(results, before, k) for before, k in function.next_functions)
    return Call(function, inputs, constant)


def result(results: Results, function: Any, k: int) -> Any:
    """The k-th result of a function."""
    found = results[function]
    return found[k] if isinstance(found, list) else found


def _candidates(order: list[Any], low: Results, high: Results, loss: Any) -> Iterator[Any]:
    """The constant from each value that torch saved and that depends on it."""
    for y0, y1, y in _observed(order, low, high, loss):
        slope = y1 - y0
        with np.errstate(all="ignore"):
            c = np.asarray((y - y0) / slope)
        sure = np.isfinite(c) & (slope != 0)
        if not sure.any():
            continue
        values = c[sure]
        if np.ptp(values) <= 1e-9 * max(1.0, float(np.abs(values).max())):
            yield from (_shortest(float(np.median(values)), y.dtype), float(np.median(values)))
        elif np.all(np.abs(slope[sure]) == 1.0):
            yield np.where(sure, c, 0.0)


def _observed(order: list[Any], low: Results, high: Results, loss: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Operands that torch saved, each with its values in two runs; the loss at the end."""
    for function in order:
        if leaf_of(function) is None:
            pairs = zip(
                _call(function, low).inputs, _call(function, high).inputs, operands(Call(function, ())), strict=False
            )
            yield from ((a, b, y) for a, b, y in pairs if a is not None and y is not None and np.shape(a) == y.shape)
    yield low[order[-1]], high[order[-1]], as_plain(loss)


def _shortest(number: float, dtype: Any) -> float:
    digits = _DIGITS if dtype == np.float64 else 5
    return float(f"{number:.{digits}g}")
