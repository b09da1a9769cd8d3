"""Definition of primitives, built-in and user-defined: they are checked and entered in the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autodiff.primitives.domain import ANY, Domain, Example
from autodiff.primitives.operands import describe
from autodiff.primitives.primitive import Primitive, forget_written
from autodiff.primitives.registry import BUILT_IN, TABLE
from autodiff.primitives.signatures import Rule, check_fit

__all__ = ["primitive"]


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
    """Define a primitive and enter it in the table; user-defined primitives work exactly like built-in ones.

    Args:
        name: any text that is unique in the table.
        forward: a function ``(xp, *inputs, **params)``; for arrays ``xp`` is NumPy, for floats it has the same
            elementwise functions under NumPy's names. A function of `math`, or an ``if``, fails on arrays.
        vjp: one rule for each input, or one rule ``(k, g, z, *inputs)`` for any number of inputs; see `Primitive`.
            Every rule takes all keywords of ``forward``, and calls functions of autodiff, not of NumPy.
        symbol: the sign in pictures; the name if omitted.
        doc: one sentence of documentation, with the conventions at kinks.
        domain: the interval from which tests draw each input (one for all inputs, or one for each).
        examples: shapes and params of calls, for tests; elementwise primitives need none.
        elementwise: it works on each element alone, with broadcasting; if not, it receives a Value as a 0-d array.
        reduces: it reduces one array to fewer elements (and can therefore take a list of Values).
        linear: the result is linear in all inputs together.
        singular: a local gradient, or a derivative of it, can be infinite (log at 0, exp at 1000).
        gate: where a local gradient is exactly 0 the gate is closed (relu below 0): nothing gets through, whatever
            lies behind it.
        multilinear: it is linear in each input: a sum of products with one element of each.
        packed: it is called with one sequence of inputs, as in ``concatenate([a, b])``.
        numpy: the NumPy functions that call this primitive when they are applied to a Tensor.
        replace: replace a user-defined primitive of that name if there is one, for example when a notebook cell runs
            again. Graphs recorded with the old primitive keep its rule; they can be copied, but no longer pickled.

    Raises:
        TypeError: if forward or vjp is not callable, or an argument is not of the kind described above.
        ValueError: if the name is taken (``replace`` does not apply to built-in names), or forward and rules do not
            take the same number of inputs and the same keywords.

    >>> from autodiff import Value, primitive
    >>> cube = primitive("cube_doc", lambda xp, x: x * x * x, [lambda g, z, x: g * (3 * x * x)])
    >>> x = Value(2.0)
    >>> y = cube(x)
    >>> y.backward()
    >>> y.data, x.grad
    (8.0, 12.0)
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"the name of a primitive must be a non-empty string, got {describe(name)}")
    name = str.__str__(name)  # a subclass of str, such as NumPy's, may print differently
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
        raise ValueError(
            f"primitive {name!r} has {count} input{'s' * (count != 1)} and {len(domains)} domains; "
            "give one domain, or one for each input"
        )
    if BUILT_IN:  # a test checks the built-in primitives, so that the import need not spend time on them
        check_fit(name, forward, rules)
    entry = Primitive(
        name, forward, rules, str.__str__(symbol or name), doc, domains * (count if len(domains) == 1 else 1),
        tuple(examples), elementwise, reduces, linear, singular, gate, multilinear, packed,
        (numpy,) if callable(numpy) else tuple(numpy),
    )  # fmt: skip
    replaced = TABLE.get(name)
    TABLE[name] = entry
    if replaced is not None:
        forget_written()
    return entry


def _check_free(name: str, replace: bool) -> None:
    """Raise ValueError if no primitive may be defined under this name."""
    if name in BUILT_IN:
        raise ValueError(
            f"the primitive {name!r} is built in and cannot be replaced, because operators and other rules use it; "
            "choose another name"
        )
    if name in TABLE and not replace:
        raise ValueError(
            f"the primitive {name!r} already exists; pass replace=True to replace it, for example when a notebook cell "
            "runs again, or choose another name"
        )


def _check_facts(name: str, symbol: Any, doc: Any, examples: Any, numpy: Any) -> None:
    """Raise TypeError for facts about a primitive that the table, its tests or pictures cannot use."""
    facts = (
        ("symbol must be a string", symbol, symbol is None or isinstance(symbol, str)),
        ("doc must be a string", doc, isinstance(doc, str)),
        ("examples must be a list of Examples", examples, isinstance(examples, list | tuple)),
        ("numpy must be a function or a list of them", numpy, callable(numpy) or isinstance(numpy, list | tuple)),
        *(("examples must be Examples", item, isinstance(item, Example)) for item in _items(examples)),
        *(("numpy must hold functions", item, callable(item)) for item in _items(numpy)),
    )
    for expected, came, fits in facts:
        if not fits:
            raise TypeError(f"primitive {name!r}: {expected}, got {describe(came)}")


def _items(facts: Any) -> Sequence[Any]:
    return facts if isinstance(facts, list | tuple) else ()
