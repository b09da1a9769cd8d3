"""A full explanation of one gradient: the parameter, the error's path to it, and checks of the number.

``explain(network, "W14(1)", x)`` takes a network, a callable with ``parameter(name)`` or ``parameters()``;
``explain(output, parameter)`` takes two nodes of any graph; ``explain(f, 2.0, 3.0)`` a function with its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node, topological
from autodiff.flow import Factor, Flow, Signal, error_flow
from autodiff.foreign.from_torch import adopt
from autodiff.primitives.operands import describe
from autodiff.primitives.table.units import hinge
from autodiff.telling.derivation import derivation
from autodiff.telling.latex import latex
from autodiff.telling.lesson import lesson
from autodiff.telling.markdown import prose
from autodiff.telling.story import Story
from autodiff.telling.style import Style
from autodiff.telling.text import plain_text
from autodiff.transforms.replay import Check
from autodiff.transforms.replay import check as checked
from autodiff.transforms.run import is_function, is_network, run
from autodiff.words.notation import Name, find, parse

__all__ = ["Explanation", "explain"]

_MOST_LISTED: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """The explanation of one gradient; made by `explain`.

    ``flow`` is the ledger from which all numbers come. ``check`` is the comparison with finite differences, or None
    without one. ``notes`` says whether slips of the printed notes are told.
    """

    flow: Flow
    check: Check | None = None
    notes: bool = False

    @property
    def gradient(self) -> Signal:
        """The gradient by error sharing; None if no path leads to the parameter."""
        return self.flow.gradient

    @property
    def explicit(self) -> float | None:
        """The gradient by explicit differentiation; None for arrays and if no path leads to the parameter."""
        lines = derivation(self.flow)
        return float(self.flow.seed) * lines[-1].derivative if lines else None

    @property
    def weakest(self) -> Factor | None:
        """The factor on the strongest path that shrinks the gradient most; None if none shrinks it."""
        return self.flow.weakest

    def story(self, language: str = "en", *, digits: int = 4) -> Story:
        """The explanation as blocks of text, the input of writers."""
        return lesson(self.flow, self.check, Style.of(language, digits), errata=self.notes)

    def text(self, language: str = "en", *, digits: int = 4, width: int | None = 80) -> str:
        """The explanation as plain text, with tables at most ``width`` columns wide; None for no limit.

        Raises:
            ValueError: if the language is not supported or digits is less than 1.
        """
        return plain_text(self.story(language, digits=digits), width=width)

    def markdown(self, language: str = "en", *, digits: int = 4) -> str:
        """The explanation as Markdown; raises the errors of `text`."""
        return prose(self.story(language, digits=digits))

    def latex(self, language: str = "en", *, digits: int = 4) -> str:
        """The explanation as a LaTeX document; raises the errors of `text`."""
        return latex(self.story(language, digits=digits))

    def __repr__(self) -> str:
        return repr(self.flow).replace("<Flow", "<Explanation", 1)

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def __str__(self) -> str:
        return self.text()


def explain(
    what: Any, *given: Any, parameter: Any = None, x: Any = None, corrupt: Any = None, margin: float = 1.0,
    output: str | None = None, seed: Any = None, names: Any = None, check: bool = False,
    notes: bool = False,
) -> Explanation:  # fmt: skip
    """Explain the gradient of one parameter: why, an overview, steps, two derivations, warnings, a check.

    Args:
        what: a network (a callable with ``parameter(name)``, or with a dict from ``parameters()``); the output of any
            graph, also that of a torch program (see `from_torch`) or of a function of jax (see `from_jax`); or a
            function, which is called.
        given: the parameter and, for a network, its input x; for a function, all its inputs, as in
            ``explain(f, 2.0, 3.0)``, and then ``parameter`` is the first of them unless it is set.
        parameter: the parameter in any spelling, W14(1), b1(1), U1, L23; a hidden unit, z1(2), a1(2), δ1(2); a variable
            of a function; or a node, of a torch program a torch tensor.
        x: the input of the network; not allowed if ``what`` is a node.
        corrupt: the input of the corrupt window; then J = max(0, margin + s_c − s) is explained (notes, section 1.4).
        margin: Δ, in the unit of the scores.
        output: the name of the node at which the error starts, such as a2(3), for networks with several outputs.
        seed: the error signal at that node, in the node's shape; 1 by default.
        names: names for unnamed nodes, such as ``locals()``.
        check: whether to compare with finite differences.
        notes: whether to tell the slips of the printed notes that concern this gradient.

    A network of Tensors is converted to Values (``scalar()``) if the parameter is one entry, and a network of Values to
    Tensors (``tensor()``) if it is a whole matrix; the numbers do not change.

    Raises:
        TypeError: if ``what`` is no network, node or function, or too much is given; errors of
        `autodiff.transforms.run.run`. ValueError: if the input is missing, the name is unknown (the message lists the
        known ones), or there are several outputs and ``output`` is not given.

    Source: notes, section 1.5.

    >>> from autodiff import Value
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> explanation = explain(w * x, "w", check=True)
    >>> explanation.gradient, explanation.explicit, explanation.check.verdict
    (3.0, 3.0, 'agrees')
    >>> explain(lambda x, y: x * y, 3.0, 2.0).gradient
    2.0
    """
    if is_function(what):
        if x is not None or corrupt is not None or output is not None:
            raise ValueError("a function takes its inputs as in explain(f, 2.0, 3.0); leave out x, corrupt and output")
        what, name, names = _of_function(what, given, parameter, names)
    else:
        name, x = _asked(what, given, parameter, x)
    what, name, names = adopt(what, name, names)
    if isinstance(what, Node):
        if x is not None or corrupt is not None:
            raise ValueError("a node already holds its result and takes no input; leave out x and corrupt")
        start = _start(what, output)
        target = name if isinstance(name, Node) else _in_graph(start, name)
    else:
        start, target = _of_network(what, name, _scorer(what, x, corrupt, margin, output))
    flow = error_flow(start, target, seed=seed, names=names)
    return Explanation(flow, checked(start, target, flow.gradient, seed=seed) if check else None, notes)


def _of_function(f: Any, inputs: Sequence[Any], parameter: Any, names: Any) -> tuple[Any, ...]:
    """The result of a function, the parameter and the names of variables."""
    done = run(f, inputs)
    wanted = next(iter(done.inputs)) if parameter is None else parameter
    return done.output, done.node(wanted), done.names(names)


def _asked(what: Any, given: Sequence[Any], parameter: Any, x: Any) -> tuple[Any, Any]:
    """The parameter and the input, from where they were given."""
    rest = [*given]
    if parameter is None:
        if not rest:
            raise TypeError("explain needs a parameter: explain(output, parameter), or explain(network, 'W14(1)', x)")
        parameter = rest.pop(0)
    if x is None and rest:
        x = rest.pop(0)
    if rest:
        raise TypeError(f"explain takes {describe(what)} with a parameter and at most one input x, but got more")
    return parameter, x


def _scorer(what: Any, x: Any, corrupt: Any, margin: float, output: str | None) -> Callable[[Any], Node]:
    """A function that runs a network and returns the node at which the error starts."""
    if not is_network(what):
        raise TypeError(
            "expected a network (a callable with parameter(name) or parameters()) or an output node, "
            f"but got {describe(what)}"
        )
    if x is None:
        raise ValueError("a network needs an input; pass it as x: explain(network, 'W14(1)', x)")
    if corrupt is None:
        return lambda network: _start(network(x), output)

    def objective(network: Any) -> Node:
        J = hinge(_start(network(x), output), _start(network(corrupt), output), margin=margin)
        if J.name is None:
            J.name = "J"
        return J  # type: ignore[no-any-return]

    return objective


def _of_network(network: Any, name: Any, score: Callable[[Any], Node]) -> tuple[Node, Node]:
    """Output and parameter in the network, or in its other form if it has no such entry or matrix."""
    refused: ValueError | None = None
    for form in _forms(network):
        try:
            start = score(form)  # first, because a scorer's words have no Values before
            return start, _parameter(form, start, name)
        except ValueError as error:
            refused = refused or error
    raise refused or ValueError(f"no parameter {name!r}")


def _forms(network: Any) -> Iterator[Any]:
    yield network
    for other in ("scalar", "tensor"):
        if hasattr(network, other):
            yield getattr(network, other)()


def _parameter(network: Any, start: Node, name: Any) -> Node:
    """The parameter of that name, or else the node of the graph."""
    if isinstance(name, Node):
        return name
    try:
        found = network.parameter(name) if hasattr(network, "parameter") else _listed(network.parameters(), name)
    except ValueError as error:
        try:
            return _in_graph(start, name)
        except ValueError:
            raise error from None
    if not isinstance(found, Node):
        raise ValueError(f"{name} is plain data in this network; pass a network of Values or Tensors")
    return found


def _listed(parameters: Mapping[Any, Any], name: Any) -> Any:
    """A parameter from a network's mapping, by its name in the notes or by any other name."""
    if not isinstance(parameters, Mapping):
        raise ValueError(
            f"parameters() of this network gives {type(parameters).__name__}, not a dict by name, and no node is "
            f"called {name!r}; pass the parameter itself instead of its name, or name it: w.name = {name!r}"
        )
    if name in parameters:
        return parameters[name]
    return find(_read(name), {key: item for key, item in parameters.items() if isinstance(key, Name)})


def _start(result: Any, output: str | None) -> Node:
    """The node at which the error starts."""
    nodes = list(_each(result))
    if output is not None:
        for node in nodes:
            if isinstance(node, Node) and (found := _known(node).get(_read(output))):
                return found
        raise ValueError(f"no node {output} in the graph of the output")
    if len(nodes) != 1:
        shown = ", ".join(str(getattr(node, "label", node)) for node in nodes[:_MOST_LISTED])
        listed = shown + ", …" * (len(nodes) > _MOST_LISTED)
        raise ValueError(f"expected 1 output, but got {len(nodes)}; set output to one of {listed}")
    if not isinstance(nodes[0], Node):
        raise TypeError(f"expected the output as a Value or Tensor, but got {describe(nodes[0])}")
    return nodes[0]


def _each(result: Any) -> Iterator[Any]:
    """The outputs of a network, one by one: a recurrent network returns a tuple, one of Values an array of them."""
    if isinstance(result, tuple | list):
        for item in result:
            yield from _each(item)
    elif isinstance(result, np.ndarray) and result.dtype == object:
        yield from result.ravel()
    else:
        yield result


def _in_graph(start: Node, name: Any) -> Node:
    """A node of the output's graph by its name; δ₁⁽²⁾ is the error signal at z₁⁽²⁾."""
    if not isinstance(name, str | Name):
        raise TypeError(f"expected a parameter as a name or a node, but got {describe(name)}")
    if isinstance(name, str):
        for node in reversed(topological(start)):
            if node.name == name:
                return node
    known = _known(start)
    if not known:
        listed = list(dict.fromkeys(node.label for node in reversed(topological(start))))
        shown = ", ".join(listed[:_MOST_LISTED]) + ", …" * (len(listed) > _MOST_LISTED)
        raise ValueError(f"no node {name!r} in the graph of the output, which has {shown}")
    return find(_read(name), known)


def _read(name: str | Name) -> Name:
    wanted = name if isinstance(name, Name) else parse(name)
    return Name("z", wanted.indices, wanted.layer) if wanted.letter == "δ" else wanted


def _known(start: Node) -> dict[Name, Node]:
    """The nodes of a graph that have names of the notes; of two windows, those of the true one."""
    known: dict[Name, Node] = {}
    for node in topological(start):
        try:
            known.setdefault(parse((node.name or "").rstrip("ᶜ′")), node)
        except ValueError:
            continue
    return known
