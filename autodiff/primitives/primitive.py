"""`Primitive`: every fact about one operation, stated once for all who read the table; its value for plain data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pickle import PicklingError
from typing import Any, Final
from weakref import WeakSet

import numpy as np

from autodiff.primitives.domain import Domain, Example
from autodiff.primitives.expression import ONE, Expression, variable
from autodiff.primitives.namespace import ARRAY_FAULTS, FLOAT_FAULTS, arrays, as_float, floats, is_plain_number
from autodiff.primitives.operands import as_operand, describe, is_ready
from autodiff.primitives.origin import Origin, no_constant
from autodiff.primitives.registry import BUILT_IN, FORGETTING, RECORDERS, TABLE, Objects
from autodiff.primitives.signatures import Rule, no_keyword, signature_of
from autodiff.primitives.whole import Whole

__all__ = ["Primitive", "forget_written", "ieee", "ieee_partials", "real"]


@dataclass(frozen=True, eq=False)
class Primitive(Whole):
    """One operation: ``forward(xp, *inputs, **params)`` and its rule of calculus.

    ``vjp`` is a tuple with one rule ``(g, z, *inputs, **params) -> share`` for each input, or, for any number of
    inputs, one rule ``(k, g, z, *inputs, **params)`` for the k-th input. A rule consists of operators and primitives
    only, so that it runs on floats, arrays, nodes (second order) and symbols (formulas). It never undoes broadcasting;
    the engine does. Arguments that are not differentiated are keyword-only ``params``.

    Calling a primitive on numbers and arrays gives the plain result, on nodes a new node. The function `primitive`
    makes a primitive and documents the other fields.

    >>> from autodiff import exp
    >>> exp, exp.formula(0), exp(0.0)
    (<primitive exp>, 'z', 1.0)
    """

    name: str
    forward: Callable[..., Any]
    vjp: tuple[Rule, ...] | Rule
    symbol: str
    doc: str
    domain: tuple[Domain, ...]
    examples: tuple[Example, ...]
    elementwise: bool
    reduces: bool
    linear: bool
    singular: bool
    gate: bool
    multilinear: bool
    packed: bool
    numpy: tuple[Callable[..., Any], ...]
    #: The number of inputs; None for any number.
    arity: int | None = field(init=False)
    #: Generated functions for calls, keyed by the class of the first operand; they take precedence over `RECORDERS`.
    methods: dict[type, Callable[..., Any]] = field(init=False)

    @cached_property
    def origin(self) -> Origin:
        """The origin shared by all nodes of this primitive that have neither params nor a name."""
        return Origin(self)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """The keyword-only params of ``forward`` with their defaults (``inspect.Parameter.empty`` if required)."""
        signature = signature_of(self.forward)
        found = signature.parameters.values() if signature is not None else ()
        return {item.name: item.default for item in found if item.kind is item.KEYWORD_ONLY}

    @property
    def built_in(self) -> bool:
        """Whether this package defines it. Tests check that built-in rules agree with their forwards."""
        return self.name in BUILT_IN

    @property
    def takes_arrays(self) -> bool:
        """Whether forward and rules receive only arrays, 0-d for a Value: user-defined and not elementwise."""
        return not (self.elementwise or self.built_in)

    @cached_property
    def smooth(self) -> bool:
        """Whether derivatives of every order are finite at finite inputs: no kinks, not singular, no gate."""
        return not (self.singular or self.gate or any(domain.kinks for domain in self.domain))

    @cached_property
    def kinds(self) -> dict[str, type]:
        """The params that are real numbers (float) or flags (bool), judged by their defaults or the first example.

        An int may be an axis, a count or a number; in an elementwise primitive it is a number.
        """
        shown = dict(self.examples[0].params) if self.examples else {}
        shown |= {key: item for key, item in self.defaults.items() if item is not inspect.Parameter.empty}
        known: dict[type, type] = {float: float, bool: bool} | ({int: float} if self.elementwise else {})
        return {key: known[type(shown[key])] for key in self.defaults if type(shown.get(key)) in known}

    def check_params(self, params: Mapping[str, Any]) -> None:
        """Raise TypeError or ValueError for a param that is not of the kind in `kinds`; unknown names are ignored."""
        for key, kind in self.kinds.items():
            if key in params and params[key].__class__ is not kind:
                self._check_kind(key, kind, params[key])

    def _check_kind(self, key: str, kind: type, item: Any) -> None:
        if item.__class__ in RECORDERS:
            if item.__class__ is not Expression:
                raise no_constant(self, key, item)
        elif kind is float and is_plain_number(item):
            as_float(item)  # raises ValueError for an int beyond the largest float
        elif kind is float or not isinstance(item, bool | np.bool):
            letters = "fiu" if kind is float else "b"
            if not (self.elementwise and isinstance(item, np.ndarray) and item.dtype.kind in letters):
                asked = "a real number" if kind is float else "True or False"
                raise TypeError(f"{self.name} takes {key} as {asked}, and got {describe(item)}")

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", self.doc)
        object.__setattr__(self, "arity", len(self.vjp) if isinstance(self.vjp, tuple) else None)
        self.forget()
        _EVERY.add(self)

    def forget(self) -> None:
        """Discard the functions that were generated for calls."""
        object.__setattr__(self, "methods", {})

    def rule(self, slot: int) -> Rule:
        """The rule ``(g, z, *inputs, **params) -> share`` of the input in ``slot`` (0-based)."""
        return self.vjp[slot] if isinstance(self.vjp, tuple) else partial(self.vjp, slot)

    @property
    def letters(self) -> tuple[str, ...]:
        """The names of the inputs in formulas: x, y, w; two names if the number of inputs is not fixed."""
        count = self.arity or 2
        return ("x", "y", "w")[:count] if count <= 3 else tuple(f"x{k}" for k in range(count))

    def formula(self, slot: int | None = None, names: Sequence[str] | None = None) -> str:
        """The rule as text, in terms of the inputs x, y, … (or ``names``) and the result z; ``slot`` picks one input.

        An elementwise rule is shown as its local gradient ∂z/∂x, any other as the share of the error signal g.
        """
        names = self.letters if names is None else names
        inputs = [variable(name) for name in names]
        params = {key: variable(key) for key in self.defaults}
        seed = ONE if self.elementwise else variable("g")
        slots = range(len(names)) if slot is None else [slot]
        rules = [self.rule(k)(seed, variable("z"), *inputs, **params) for k in slots]
        if slot is not None:
            return str(rules[0])
        return ", ".join(f"∂/∂{name}: {rule}" for name, rule in zip(names, rules, strict=True))

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        if self.packed or (self.arity is not None and len(inputs) != self.arity):
            inputs, params = self._arranged(inputs, params)
        if params and not params.keys() <= self.defaults.keys():
            raise no_keyword(self.name, self.defaults, params)
        methods = self.methods
        for item in inputs:
            kind = item.__class__
            if kind in methods:
                return methods[kind](*inputs, **params)
            if kind in RECORDERS:
                return RECORDERS[kind](self, inputs, params)
        return self.evaluate(inputs, params)

    def _arranged(self, inputs: tuple[Any, ...], params: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The inputs as one tuple, and the positional arguments after them as params."""
        if self.packed:
            inputs, extra = self._unpack(inputs), inputs[1:]
        else:
            inputs, extra = inputs[: self.arity], inputs[self.arity :]
        return inputs, self._bind(inputs, extra, params)

    def _unpack(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The inputs from the single sequence that holds them."""
        try:
            inputs = tuple(arguments[0])
        except (IndexError, TypeError):
            came = describe(arguments[0]) if arguments else "nothing"
            call = f"{self.name}([x, y])"
            raise TypeError(f"{self.name} takes one sequence of inputs, as in {call}, and got {came}") from None
        if not inputs:
            raise ValueError(f"{self.name} needs at least one input, and got an empty sequence")
        return inputs

    def _bind(self, inputs: tuple[Any, ...], extra: tuple[Any, ...], params: dict[str, Any]) -> dict[str, Any]:
        """Add positional arguments after the inputs to the params, in order: ``sum(x, 0)`` is ``sum(x, axis=0)``."""
        if len(inputs) < (self.arity or 0) or len(extra) > len(self.defaults):
            raise TypeError(
                f"{self.name} takes {self.arity} input{'s' * (self.arity != 1)}"
                f"{' and ' + self._keywords() if self.defaults else ''}; "
                f"it got {(came := len(inputs) + len(extra))} positional argument{'s' * (came != 1)}"
            )
        given = dict(zip(self.defaults, extra, strict=False))
        if twice := given.keys() & params.keys():
            raise TypeError(f"{self.name} got {', '.join(sorted(twice))} twice, by position and by keyword")
        return {**given, **params}

    def evaluate(self, inputs: Sequence[Any], params: Mapping[str, Any]) -> Any:
        """The value for plain data: a float for numbers; anything else is computed by NumPy.

        Follows IEEE arithmetic throughout: ``log(0.0)`` is −inf and ``1/0.0`` is inf, as on arrays, never an exception.
        """
        if params:
            self.check_params(params)
        numbers = self.elementwise and all(item.__class__ is float or item.__class__ is int for item in inputs)
        if numbers and not (params and any(isinstance(item, np.ndarray) for item in params.values())):
            try:
                return real(self, "forward", self.forward(floats, *inputs, **params))
            except (*FLOAT_FAULTS, AttributeError):  # ``math`` has fewer functions than NumPy
                return self._by_ieee(inputs, params)
            except TypeError as error:
                raise self.refusal(inputs, params, error) from error
        operands = [item if is_ready(item) else as_operand(self, item) for item in inputs]
        recorded = self.elementwise or self.reduces or self.takes_arrays
        if recorded and any(item.dtype == object for item in operands):
            return self._evaluate_objects(operands, params)
        try:  # on objects too, where its parts are recorded: a matrix product as products and sums
            return self.forward(arrays, *operands, **params)
        except ARRAY_FAULTS as error:
            raise self.refusal(operands, params, error) from error

    def _by_ieee(self, inputs: Sequence[Any], params: Mapping[str, Any]) -> float:
        try:
            return ieee(self, inputs, params)
        except OverflowError as error:  # an integer beyond the largest float
            raise self.refusal(inputs, params, error) from error

    def _evaluate_objects(self, operands: list[Any], params: Mapping[str, Any]) -> Any:
        """On object arrays (of Values): elementwise, one node per reduction, a user-defined primitive by its rule."""
        if self.elementwise:
            count = len(operands)
            by_element = {key: value for key, value in params.items() if isinstance(value, np.ndarray)}
            if not by_element:
                return np.frompyfunc(partial(self, **params) if params else self, count, 1)(*operands)

            def apply(*items: Any) -> Any:
                return self(*items[:count], **{**params, **dict(zip(by_element, items[count:], strict=True))})

            return np.frompyfunc(apply, count + len(by_element), 1)(*operands, *by_element.values())
        record: Any = RECORDERS[Objects]
        return record(self, tuple(operands), self._with_axes_counted(operands, params))

    def _with_axes_counted(self, operands: list[Any], params: Mapping[str, Any]) -> dict[str, Any]:
        """All params, with the axes of a reduction counted from the front; a single number has no axes."""
        params = self.completed(params)
        if not self.reduces or params.get("axis") is None:
            return params
        count = operands[0].ndim
        try:
            axes = np.lib.array_utils.normalize_axis_tuple(params["axis"], count or 1)
        except (TypeError, ValueError) as error:
            raise self.refusal(operands, params, error) from error
        return {**params, "axis": axes if count else ()}

    def completed(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """``params``, plus the forward's defaults for those omitted: a user's rule need not have the same defaults."""
        if self.built_in:
            return dict(params)
        defaults = {key: item for key, item in self.defaults.items() if item is not inspect.Parameter.empty}
        return {**defaults, **params}

    def _keywords(self) -> str:
        keys = list(self.defaults)
        return f"the keyword{'s' * (len(keys) > 1)} {', '.join(keys)}" if keys else "no keywords"

    def refusal(self, operands: Sequence[Any], params: Mapping[str, Any], error: Exception) -> Exception:
        """The error for a call that failed with ``error``: one sentence with the call and the reason."""
        if params.keys() - self.defaults.keys():
            return no_keyword(self.name, self.defaults, params)
        needed = {key for key, value in self.defaults.items() if value is inspect.Parameter.empty}
        if needed - params.keys():
            return TypeError(f"{self.name} takes {self._keywords()}, and got {', '.join(params) or 'none'}")
        came = ", ".join(describe(item) for item in operands)
        asked = "".join(f", {key}={value!r}" for key, value in params.items())
        kind: type[Exception] = TypeError if isinstance(error, TypeError) else ValueError
        if isinstance(error, IndexError) and not isinstance(error, ValueError):  # numpy's AxisError is both
            kind = IndexError  # so that iteration and out-of-range indices behave as for any sequence
        if isinstance(error, np.linalg.LinAlgError):
            kind = np.linalg.LinAlgError  # a subclass of ValueError
        return kind(f"{self.name}({came}{asked}) is not defined: {error}")

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> Any:
        if TABLE.get(self.name) is self:
            return _look_up, (self.name,)
        raise PicklingError(
            f"a pickle stores primitives by name, and the table has {'another' if self.name in TABLE else 'no'} "
            f"primitive called {self.name!r}; compute the graph again with the table's primitives, then pickle it"
        )

    def __copy__(self) -> Primitive:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Primitive:
        return self


_EVERY: Final[WeakSet[Primitive]] = WeakSet()


def forget_written() -> None:
    """Discard all generated code, because any rule may call the replaced primitive."""
    for forget in FORGETTING:
        forget()
    for entry in list(_EVERY):
        if not entry.built_in:
            entry.forget()


def _look_up(name: str) -> Primitive:
    if name not in TABLE:
        raise LookupError(f"the primitive {name!r} is not in the table; define it before loading what uses it")
    return TABLE[name]


def ieee(entry: Primitive, inputs: Sequence[Any], params: Mapping[str, Any]) -> float:
    """The value on floats by NumPy's arithmetic, which gives inf and nan where Python raises an error."""
    with np.errstate(all="ignore"):
        return real(entry, "forward", entry.forward(arrays, *map(np.float64, inputs), **params))


def ieee_partials(entry: Primitive, inputs: Sequence[Any], params: Mapping[str, Any]) -> tuple[float, ...]:
    """The value and the local gradients on floats, by NumPy's arithmetic."""
    operands = [np.float64(item) for item in inputs]
    with np.errstate(all="ignore"):
        z = np.float64(real(entry, "forward", entry.forward(arrays, *operands, **params)))
        rules, one = map(entry.rule, range(len(operands))), np.float64(1.0)
        return (float(z), *[real(entry, "rule", rule(one, z, *operands, **params)) for rule in rules])


def real(entry: Primitive, part: str, result: Any) -> float:
    """The result of the forward or a rule of ``entry`` on floats, as a float; raises TypeError if it is not real."""
    if result.__class__ is float:
        return result
    if isinstance(result, bool) or np.ndim(result) or np.asarray(result).dtype.kind not in "fiu":
        raise TypeError(f"the {part} of {entry.name} must return a real number for floats, not {describe(result)}")
    return float(result)


def _record_symbol(entry: Primitive, inputs: tuple[Any, ...], params: dict[str, Any]) -> Expression:
    return Expression("call", entry, *inputs, params=params)


RECORDERS[Expression] = _record_symbol
