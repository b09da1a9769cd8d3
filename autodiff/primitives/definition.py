"""Defining a primitive: the package's own and everybody's alike, checked and entered in the table."""

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
    """Define a primitive and enter it in the table; users' own have the same rights as the built-in ones.

    Args:
        name: any text, unique in the table.
        forward: ``(xp, *inputs, **params)``; for arrays ``xp`` is NumPy, for floats it has the same elementwise
            functions under NumPy's names. A function of `math`, or an ``if``, fails on arrays.
        vjp: one rule for each input, or one rule ``(k, g, z, *inputs)`` for any number of inputs; see `Primitive`.
            Every rule takes all keywords that ``forward`` takes, and calls functions of autodiff, not of NumPy.
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
            again. Graphs that the old one recorded keep its rule; they can be copied, but no longer pickled.

    Raises:
        TypeError: forward or vjp cannot be called, or a text is not a string.
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
    if BUILT_IN:  # the package's own are checked by a test, so that imports need not spend time on it
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
