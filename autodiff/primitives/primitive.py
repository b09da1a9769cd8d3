"""What a primitive is, and the table of all of them.

A `Primitive` states every fact about one operation once: how to compute it, its rule of calculus, its sign, its NumPy
functions, where it is defined, examples. Engine, drawings, documents and tests read the table.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from operator import index
from pickle import PicklingError
from types import MappingProxyType
from typing import Any, Final, ParamSpec, TypeVar
from weakref import WeakSet

import numpy as np

from autodiff.primitives.expression import ONE, Expression, variable
from autodiff.primitives.namespace import FLOAT_FAULTS, arrays, as_float, floats, is_plain_number
from autodiff.primitives.signatures import Rule, check_fit, signature_of

__all__ = [
    "ANY", "BUILT_IN", "FORGETTING", "NONZERO", "POSITIVE", "RECORDERS", "TABLE", "UNIT", "Domain", "Example",
    "Objects", "Origin", "Primitive", "as_operand", "describe", "ieee", "ieee_partials", "primitive", "real",
    "remembered", "whole_number",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Domain:
    """An interval of the reals in which a primitive is smooth, kinks at ``kinks`` apart (dimensionless).

    ``low``/``high`` bound the points that tests draw; ``text`` is what a person reads.
    """

    low: float
    high: float
    text: str
    kinks: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not all(map(is_plain_number, (self.low, self.high, *self.kinks))) or not isinstance(self.text, str):
            raise TypeError(
                "a domain has real numbers as low, high and kinks, and a text, as Domain(0.0, 1.0, '0 < x < 1'), "
                f"and got {', '.join(map(describe, (self.low, self.high, self.text, self.kinks)))}"
            )
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"points are drawn between finite low < high, and got {self.low!r} and {self.high!r}")

    def draw(self, random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        """Random points of this domain, at least 0.05 away from every kink."""
        points = random.uniform(self.low, self.high, shape)
        for kink in self.kinks:
            near = np.abs(points - kink) < 0.05
            points = np.where(near, kink + np.where(points < kink, -0.1, 0.1), points)
        arranged: np.ndarray[Any, Any] = self.arranged(points)
        return arranged

    def arranged(self, points: Any) -> Any:
        """Numbers of the interval as an operand; a domain of whole arrays, such as matrices, arranges them."""
        return points

    def __contains__(self, x: Any) -> bool:
        """Whether a number, or every element of an array, lies in the interval."""
        return bool(self.low <= x <= self.high if x.__class__ is float else np.all((self.low <= x) & (x <= self.high)))


ANY: Final = Domain(-2.0, 2.0, "all reals")
POSITIVE: Final = Domain(0.1, 3.0, "x > 0")
UNIT: Final = Domain(-0.9, 0.9, "−1 < x < 1")
NONZERO: Final = Domain(-2.0, 2.0, "x ≠ 0", kinks=(0.0,))


@dataclass(frozen=True)
class Example:
    """One call for tests and documents: shapes of the inputs, and params."""

    shapes: tuple[tuple[int, ...], ...]
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shapes = self.shapes if isinstance(self.shapes, tuple | list) else (None,)
        if not all(isinstance(shape, tuple | list) for shape in shapes) or not isinstance(self.params, Mapping):
            raise TypeError(
                "an example has a tuple of shapes, and params by name, as Example(((2, 3),), {'axis': 0}), and got "
                f"{describe(self.shapes)} and {describe(self.params)}"
            )
        for length in (length for shape in shapes for length in shape or ()):
            whole_number(length, "the length of an axis")


class Origin:
    """Where a node comes from: its primitive (None for a leaf), the params of the call, and a name if it has one.

    Params are constants: a node among them raises TypeError, and arrays are copied, as the backward pass must see what
    the forward pass saw.
    """

    __slots__ = ("name", "params", "primitive")

    def __init__(
        self, primitive: Primitive | None, params: Mapping[str, Any] = MappingProxyType({}), name: str | None = None
    ) -> None:
        self.primitive = primitive
        if params and primitive is not None:
            primitive.check_params(params)
        if params and not _UNCHANGING.issuperset(map(type, params.values())):
            params = {key: _settled(primitive, key, item) for key, item in params.items()}
        self.params = params
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return Origin, (self.primitive, dict(self.params), self.name)


_UNCHANGING: Final = frozenset({bool, int, float, str, type(None), np.float64, np.int64})


def _settled(entry: Primitive | None, key: str, item: Any) -> Any:
    """A param as nobody can change it."""
    if item.__class__ in RECORDERS:
        raise _no_constant(entry, key, item)
    if isinstance(item, np.ndarray) and (item.flags.writeable or not item.flags.owndata):  # a view may change below
        item = item.copy()
        item.setflags(write=False)
    elif item.__class__ is tuple or item.__class__ is list:
        item = item.__class__(_settled(entry, key, part) for part in item)
    return item


def _no_constant(entry: Primitive | None, key: str, item: Any) -> TypeError:
    return TypeError(
        f"{entry.name if entry else 'a node'} takes {key} as a constant, which no error signal reaches, and got "
        f"{describe(item)}; use its .data"
    )


class Objects:
    """Stands in `RECORDERS` for arrays of Values."""


#: For each class of operand that is not plain data: how it records the call of a primitive.
RECORDERS: Final[dict[type, Callable[[Primitive, tuple[Any, ...], dict[str, Any]], Any]]] = {}

#: Every primitive by name, in the order of definition.
TABLE: Final[dict[str, Primitive]] = {}

#: The names that this package itself defines; `autodiff.primitives.table` enters them when its table is full.
BUILT_IN: Final[set[str]] = set()

#: Each forgets what was made from the table, such as written source; called when an entry is replaced.
FORGETTING: Final[list[Callable[[], None]]] = []

_P = ParamSpec("_P")
_T = TypeVar("_T")


def remembered(most: int | None = None) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """`functools.lru_cache` for what is made of primitives; all of it is forgotten when one is replaced."""

    def keep(function: Callable[_P, _T]) -> Callable[_P, _T]:
        kept = lru_cache(maxsize=most)(function)
        FORGETTING.append(kept.cache_clear)
        return kept  # type: ignore[return-value]

    return keep


@dataclass(frozen=True, eq=False)
class Primitive:
    """One operation: ``forward(xp, *inputs, **params)`` and its rule of calculus.

    ``vjp`` is a tuple with one rule ``(g, z, *inputs, **params) -> share`` for each input, or, for any number of
    inputs, one rule ``(k, g, z, *inputs, **params)`` for the k-th. A rule is made of operators and primitives only, so
    that it runs on floats, arrays, nodes (second order) and symbols (formulas). It never undoes broadcasting: the
    engine does. Arguments that are not differentiated are keyword-only ``params``.

    Calling a primitive computes it: on numbers and arrays the plain result, on nodes a new node. The function
    `primitive` makes one, and says what the other fields are.
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
    #: Functions written for calls that meet such an operand first; they come before `RECORDERS`.
    methods: dict[type, Callable[..., Any]] = field(init=False)

    @cached_property
    def origin(self) -> Origin:
        """The origin shared by all nodes of this primitive that have neither params nor a name."""
        return Origin(self)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """The keyword-only params of ``forward`` with their defaults (``inspect.Parameter.empty`` where needed)."""
        signature = signature_of(self.forward)
        found = signature.parameters.values() if signature is not None else ()
        return {item.name: item.default for item in found if item.kind is item.KEYWORD_ONLY}

    @property
    def built_in(self) -> bool:
        """Whether this package defines it: its tests see to it that forward and rule say the same."""
        return self.name in BUILT_IN

    @property
    def takes_arrays(self) -> bool:
        """Whether forward and rules get arrays alone, a Value's without axes: a user's that is not elementwise."""
        return not (self.elementwise or self.built_in)

    @cached_property
    def smooth(self) -> bool:
        """Whether derivatives of every order are finite at finite inputs: no kinks, not singular, no gate."""
        return not (self.singular or self.gate or any(domain.kinks for domain in self.domain))

    @cached_property
    def kinds(self) -> dict[str, type]:
        """The params that are real numbers (float) or flags (bool), as their defaults are, or the first example's.

        An int may stand for an axis, a count or a number; in an elementwise primitive it stands for a number.
        """
        shown = dict(self.examples[0].params) if self.examples else {}
        shown |= {key: item for key, item in self.defaults.items() if item is not inspect.Parameter.empty}
        known: dict[type, type] = {float: float, bool: bool} | ({int: float} if self.elementwise else {})
        return {key: known[type(shown[key])] for key in self.defaults if type(shown.get(key)) in known}

    def check_params(self, params: Mapping[str, Any]) -> None:
        """Raise TypeError or ValueError for a param of another kind than `kinds` says; wrong names are let through."""
        for key, kind in self.kinds.items():
            if key in params and params[key].__class__ is not kind:
                self._check_kind(key, kind, params[key])

    def _check_kind(self, key: str, kind: type, item: Any) -> None:
        if item.__class__ in RECORDERS:
            if item.__class__ is not Expression:
                raise _no_constant(self, key, item)
        elif kind is float and is_plain_number(item):
            as_float(item)  # raises for an int beyond every float
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
        """Forget the functions that were written for calls."""
        object.__setattr__(self, "methods", {})

    def rule(self, slot: int) -> Rule:
        """The rule ``(g, z, *inputs, **params) -> share`` of the input in ``slot`` (0-based)."""
        return self.vjp[slot] if isinstance(self.vjp, tuple) else partial(self.vjp, slot)

    @property
    def letters(self) -> tuple[str, ...]:
        """What formulas call the inputs: x, y, w; two of them where there may be any number."""
        count = self.arity or 2
        return ("x", "y", "w")[:count] if count <= 3 else tuple(f"x{k}" for k in range(count))

    def formula(self, slot: int | None = None, names: Sequence[str] | None = None) -> str:
        """The rule as text, in the inputs x, y, … (or ``names``) and the result z; ``slot`` picks one input.

        An elementwise rule shows its local gradient ∂z/∂x; another the share that it makes of the error signal g.
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
        methods = self.methods
        for item in inputs:
            kind = item.__class__
            if kind in methods:
                return methods[kind](*inputs, **params)
            if kind in RECORDERS:
                return RECORDERS[kind](self, inputs, params)
        return self.evaluate(inputs, params)

    def _arranged(self, inputs: tuple[Any, ...], params: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The inputs as one tuple, and positional arguments after them as params."""
        if self.packed:
            inputs, extra = self._unpack(inputs), inputs[1:]
        else:
            inputs, extra = inputs[: self.arity], inputs[self.arity :]
        return inputs, self._bind(inputs, extra, params)

    def _unpack(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The inputs from the one sequence that holds them all."""
        try:
            inputs = tuple(arguments[0])
        except (IndexError, TypeError):
            came = describe(arguments[0]) if arguments else "nothing"
            raise TypeError(
                f"{self.name} takes one sequence of inputs, as {self.name}([x, y]), and got {came}"
            ) from None
        if not inputs:
            raise ValueError(f"{self.name} needs at least one input, and got an empty sequence")
        return inputs

    def _bind(self, inputs: tuple[Any, ...], extra: tuple[Any, ...], params: dict[str, Any]) -> dict[str, Any]:
        """Positional arguments after the inputs are params in their order: ``sum(x, 0)`` is ``sum(x, axis=0)``."""
        if len(inputs) < (self.arity or 0) or len(extra) > len(self.defaults):
            raise TypeError(
                f"{self.name} takes {self.arity} input{'s' * (self.arity != 1)}"
                f"{' and the keywords ' + ', '.join(self.defaults) if self.defaults else ''}; "
                f"it got {len(inputs) + len(extra)} positional arguments"
            )
        given = dict(zip(self.defaults, extra, strict=False))
        if twice := given.keys() & params.keys():
            raise TypeError(f"{self.name} got {', '.join(sorted(twice))} twice, by position and by keyword")
        return {**given, **params}

    def evaluate(self, inputs: Sequence[Any], params: Mapping[str, Any]) -> Any:
        """The value for plain data: numbers give a float, anything else goes to NumPy.

        IEEE arithmetic throughout: ``log(0.0)`` is −inf and ``1/0.0`` inf, as on arrays, never an exception.
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
        operands = [item if _is_ready(item) else as_operand(self, item) for item in inputs]
        recorded = self.elementwise or self.reduces or self.takes_arrays
        if recorded and any(item.dtype == object for item in operands):
            return self._evaluate_objects(operands, params)
        try:
            return self.forward(arrays, *operands, **params)
        except (ValueError, TypeError, IndexError, OverflowError) as error:
            raise self.refusal(operands, params, error) from error

    def _by_ieee(self, inputs: Sequence[Any], params: Mapping[str, Any]) -> float:
        try:
            return ieee(self, inputs, params)
        except OverflowError as error:  # an integer that no float can hold
            raise self.refusal(inputs, params, error) from error

    def _evaluate_objects(self, operands: list[Any], params: Mapping[str, Any]) -> Any:
        """On object arrays (of Values): element by element, one node a reduction, a user's primitive by its own rule.

        Anything else runs its forward on the objects, and what is recorded is its parts: elements move without a node,
        a product of matrices is seen as products and sums.
        """
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
        """All params, the axes of a reduction counted from the front; of one number, its only axis is none."""
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
        """``params``, and the forward's defaults of those left out: a user's rule need not have the same ones."""
        if self.built_in:
            return dict(params)
        defaults = {key: item for key, item in self.defaults.items() if item is not inspect.Parameter.empty}
        return {**defaults, **params}

    def refusal(self, operands: Sequence[Any], params: Mapping[str, Any], error: Exception) -> Exception:
        """One sentence that says what was asked and what came, as the kind of error that NumPy or Python raised."""
        needed = {key for key, value in self.defaults.items() if value is inspect.Parameter.empty}
        if needed - params.keys() or params.keys() - self.defaults.keys():
            return TypeError(
                f"{self.name} takes the keywords {', '.join(self.defaults) or '(none)'}, "
                f"and got {', '.join(params) or 'none'}"
            )
        came = ", ".join(describe(item) for item in operands)
        asked = "".join(f", {key}={value!r}" for key, value in params.items())
        kind: type[Exception] = TypeError if isinstance(error, TypeError) else ValueError
        if isinstance(error, IndexError) and not isinstance(error, ValueError):  # numpy's AxisError is both
            kind = IndexError  # so that iteration and out-of-range look-ups behave as for any sequence
        if isinstance(error, np.linalg.LinAlgError):
            kind = np.linalg.LinAlgError  # a ValueError too
        return kind(f"{self.name}({came}{asked}) is not defined: {error}")

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> Any:
        if TABLE.get(self.name) is self:
            return _look_up, (self.name,)
        raise PicklingError(
            f"a pickle holds names of primitives, and {self.name!r} is {'another' if self.name in TABLE else 'none'} "
            "in the table: compute again with a primitive that is there, then pickle"
        )

    def __copy__(self) -> Primitive:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Primitive:
        return self


_EVERY: Final[WeakSet[Primitive]] = WeakSet()


def _forget() -> None:
    """Forget all that was written for users' primitives: the rules of any of them may call the one that is replaced."""
    for forget in FORGETTING:
        forget()
    for entry in list(_EVERY):
        if not entry.built_in:
            entry.forget()


def _look_up(name: str) -> Primitive:
    if name not in TABLE:
        raise LookupError(f"the primitive {name!r} is not in the table; define it before loading what uses it")
    return TABLE[name]


def primitive(
    name: str,
    forward: Callable[..., Any],
    vjp: Sequence[Rule] | Rule,
    *,
    symbol: str | None = None,
    doc: str = "",
    domain: Domain | Sequence[Domain] = ANY,
    examples: Sequence[Example] = (),
    elementwise: bool = True,
    reduces: bool = False,
    linear: bool = False,
    singular: bool = False,
    gate: bool = False,
    multilinear: bool = False,
    packed: bool = False,
    numpy: Callable[..., Any] | Sequence[Callable[..., Any]] = (),
    replace: bool = False,
) -> Primitive:
    """Define a primitive and enter it in the table; users' own have the same rights as the built-in ones.

    Args:
        name: any text, unique in the table.
        forward: ``(xp, *inputs, **params)``; ``xp`` is `floats` or NumPy.
        vjp: one rule for each input, or one rule ``(k, g, z, *inputs)`` for any number of inputs; see `Primitive`.
            Every rule takes all keywords that ``forward`` takes.
        symbol: the sign in pictures; the name where there is none.
        doc: one sentence for people, with the conventions at kinks.
        domain: where tests draw each input (one for all inputs, or one each).
        examples: shapes and params of calls, for tests; elementwise primitives need none.
        elementwise: works on each element alone, with broadcasting; if not, a Value comes as an array without axes.
        reduces: takes one array to fewer elements (so that it has a meaning for a list of Values).
        linear: the result is linear in all inputs together.
        singular: a local gradient, or a derivative of it, can be infinite (log at 0, exp at 1000).
        gate: where a local gradient is exactly 0 the gate is closed (relu below 0): nothing gets through, whatever
            stands behind it.
        multilinear: linear in each input: a sum of products with one element of each.
        packed: called with one sequence of inputs, as ``concatenate([a, b])``.
        numpy: NumPy functions that mean this primitive when they meet a Tensor.
        replace: take the place of one's own primitive of that name, if there is one, as in a notebook's cell that runs
            again. Graphs that the old one recorded keep its rule; they can be copied, and pickled no more.

    Raises:
        TypeError: forward or vjp cannot be called, or a text is none.
        ValueError: the name is taken (that of a built-in one always is), or forward and rules do not take the same
            number of inputs and the same keywords.

    >>> from autodiff import Value, primitive
    >>> cube = primitive("cube_doc", lambda xp, x: x * x * x, [lambda g, z, x: g * (3 * x * x)])
    >>> x = Value(2.0)
    >>> y = cube(x)
    >>> y.backward()
    >>> y.data, x.grad
    (8.0, 12.0)
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"a primitive needs a name that is a non-empty string, and got {describe(name)}")
    name = str.__str__(name)  # a subclass of str, such as NumPy's, prints as it likes
    _check_facts(name, symbol, doc, examples, numpy)
    _check_free(name, replace)
    rules = vjp if callable(vjp) else tuple(vjp) if isinstance(vjp, list | tuple) else ()
    if not callable(forward) or not (callable(rules) or (rules and all(map(callable, rules)))):
        raise TypeError(f"primitive {name!r} needs a function forward(xp, *inputs) and a rule for each input")
    domains = (domain,) if isinstance(domain, Domain) else tuple(domain)
    if not all(isinstance(item, Domain) for item in domains):
        raise TypeError(f"primitive {name!r} needs a Domain, or one for each input, and got {describe(domain)}")
    count = len(rules) if isinstance(rules, tuple) else 1
    if len(domains) not in (1, count):
        raise ValueError(f"primitive {name!r} has {count} inputs and {len(domains)} domains; give one, or one each")
    if BUILT_IN:  # the package's own are checked by a test, so that importing them takes no time for it
        check_fit(name, forward, rules)
    entry = Primitive(
        name, forward, rules, str.__str__(symbol or name), doc, domains * (count if len(domains) == 1 else 1),
        tuple(examples), elementwise, reduces, linear, singular, gate, multilinear, packed,
        (numpy,) if callable(numpy) else tuple(numpy),
    )  # fmt: skip
    replaced = TABLE.get(name)
    TABLE[name] = entry
    if replaced is not None:
        _forget()
    return entry


def _check_free(name: str, replace: bool) -> None:
    """Raise ValueError if no primitive may be defined under this name."""
    if name in BUILT_IN:
        raise ValueError(
            f"the primitive {name!r} is built in, and is not replaced: operators and the rules of others are made of "
            "it; choose another name"
        )
    if name in TABLE and not replace:
        raise ValueError(
            f"the primitive {name!r} exists already; pass replace=True to put this one in its place, as in a "
            "notebook's cell that runs again, or choose another name"
        )


def _check_facts(name: str, symbol: Any, doc: Any, examples: Any, numpy: Any) -> None:
    """Raise TypeError for facts about a primitive that the table, its tests and pictures could not use."""
    facts = (
        ("a symbol that is text", symbol, symbol is None or isinstance(symbol, str)),
        ("a doc that is text", doc, isinstance(doc, str)),
        ("a list of Examples", examples, isinstance(examples, list | tuple)),
        ("NumPy functions as numpy", numpy, callable(numpy) or isinstance(numpy, list | tuple)),
        *(("Examples as examples", item, isinstance(item, Example)) for item in _items(examples)),
        *(("NumPy functions as numpy", item, callable(item)) for item in _items(numpy)),
    )
    for asked, came, fits in facts:
        if not fits:
            raise TypeError(f"primitive {name!r} needs {asked}, and got {describe(came)}")


def _items(facts: Any) -> Sequence[Any]:
    return facts if isinstance(facts, list | tuple) else ()


def ieee(entry: Primitive, inputs: Sequence[Any], params: Mapping[str, Any]) -> float:
    """The value on floats by NumPy's arithmetic, which answers inf and nan where Python raises."""
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
    """What the forward or a rule of ``entry`` gave for floats, as a float; TypeError if it is no real number."""
    if result.__class__ is float:
        return result
    if isinstance(result, bool) or np.ndim(result) or np.asarray(result).dtype.kind not in "fiu":
        raise TypeError(f"the {part} of {entry.name} must give a real number for floats, and gave {describe(result)}")
    return float(result)


def as_operand(entry: Primitive | str, item: Any) -> np.ndarray[Any, Any]:
    """Plain data as an array of floats (integers become float64, float32 stays), or of Values.

    Raises TypeError for strings, bools, complex numbers, masked arrays and anything else that has no real value,
    ValueError for rows of different lengths and for integers beyond every float.
    """
    name = entry if isinstance(entry, str) else entry.name
    try:
        array = np.asarray(item)
    except ValueError as error:
        raise ValueError(f"{name} got a sequence whose rows have different lengths: {error}") from error
    if array.dtype.kind in "iu":
        return array.astype(np.float64)
    if array.dtype.kind == "f" and array.dtype.itemsize in (4, 8) and not isinstance(item, np.ma.MaskedArray):
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype == object and all(part.__class__ in RECORDERS or is_plain_number(part) for part in array.flat):
        whole = not isinstance(item, np.ndarray) and all(map(is_plain_number, array.flat))
        return _rounded(name, array) if whole else array
    raise TypeError(f"{name} takes real numbers (float64, float32 or integers), and got {describe(item)}")


def _rounded(name: str, integers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Integers beyond 64 bits as the nearest floats."""
    try:
        return integers.astype(np.float64)
    except OverflowError:
        raise ValueError(f"{name} takes numbers that fit a float, up to about 1.8e308, and got a larger one") from None


def _is_ready(item: Any) -> bool:
    """Whether an operand is an array that a forward rule can take as it is; long doubles too, to check others by."""
    return (item.__class__ is np.ndarray or isinstance(item, np.generic)) and item.dtype.char in "dfgO"


def whole_number(item: Any, what: str, *, least: int = 0) -> int:
    """``item``, which messages call ``what``, as an int from ``least`` to the largest size of a list.

    Raises TypeError for what is no integer, bools too, ValueError for one that is too small or too large.

    >>> whole_number(np.int8(3), "the size")
    3
    """
    try:
        number = index(item)
    except TypeError:
        number = None
    if number is None or isinstance(item, bool | np.bool):
        raise TypeError(f"{what} is a whole number, and got {describe(item)}")
    if not least <= number <= sys.maxsize:
        bound = f"least {least}" if number < least else f"most {sys.maxsize}"
        raise ValueError(f"{what} is at {bound}, and got {describe(number)}")
    return number


def describe(item: Any) -> str:
    """A short account of a value for messages: kind, shape and type of arrays, the value of small things."""
    data = getattr(item, "data", item) if item.__class__ in RECORDERS else item
    label = type(item).__name__
    if isinstance(data, np.ndarray | np.generic):
        kind = label if data is not item or label != "ndarray" else "array"
        return f"{kind} of shape {data.shape} and type {data.dtype}" if data.ndim or kind == "array" else f"{data}"
    if isinstance(data, float) and data is item and math.isfinite(data):
        return f"{data!r}"
    try:
        text = repr(item)
    except ValueError:  # an int of more digits than Python prints
        text = "one too long to print"
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({label})"


def _record_symbol(entry: Primitive, inputs: tuple[Any, ...], params: dict[str, Any]) -> Expression:
    return Expression("call", entry, *inputs, params=params)


RECORDERS[Expression] = _record_symbol
