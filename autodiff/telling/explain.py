"""Everything about one gradient: what the parameter is, how the error reaches it, and why the number is right.

``explain(network, "W14(1)", x)`` takes a network: what can be called and has ``parameter(name)`` or ``parameters()``;
``explain(output, parameter)`` two nodes of any graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node, topological
from autodiff.flow import Factor, Flow, Signal, error_flow
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
from autodiff.words.notation import Name, find, parse

__all__ = ["Explanation", "explain"]

_MOST_LISTED: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """One gradient explained; made by `explain`.

    ``flow`` is the ledger all numbers come from; ``check`` compares with differences, None if that was not asked for.
    """

    flow: Flow
    check: Check | None = None

    @property
    def gradient(self) -> Signal:
        """By error sharing; None if the parameter is on no path."""
        return self.flow.gradient

    @property
    def explicit(self) -> float | None:
        """By explicit differentiation of the chain of equations; None on arrays and where there is no path."""
        lines = derivation(self.flow)
        return float(self.flow.seed) * lines[-1].slope if lines else None

    @property
    def weakest(self) -> Factor | None:
        """Where the gradient died: the factor of the strongest path that shrinks it most; None if none does."""
        return self.flow.weakest

    def story(self, language: str = "en", *, digits: int = 4) -> Story:
        """The explanation as blocks of text, for writers."""
        return lesson(self.flow, self.check, Style.of(language, digits))

    def text(self, language: str = "en", *, digits: int = 4) -> str:
        """As plain text.

        Raises:
            ValueError: an unknown language, or digits below 1.
        """
        return plain_text(self.story(language, digits=digits))

    def markdown(self, language: str = "en", *, digits: int = 4) -> str:
        """As Markdown; raises as `text` does."""
        return prose(self.story(language, digits=digits))

    def latex(self, language: str = "en", *, digits: int = 4) -> str:
        """As a LaTeX document; raises as `text` does."""
        return latex(self.story(language, digits=digits))

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def __str__(self) -> str:
        return self.text()


def explain(
    what: Any, name: Any, x: Any = None, *, corrupt: Any = None, margin: float = 1.0, output: str | None = None,
    seed: Any = None, names: Mapping[str, Any] | None = None, check: bool = False,
) -> Explanation:  # fmt: skip
    """Explain the gradient of one parameter: what it is, the numbered steps, two derivations, warnings, a check.

    Args:
        what: a network (it can be called, and has ``parameter(name)``, or a dict from ``parameters()``), or the output
            of any graph.
        name: the parameter in any spelling, W14(1), b1(1), U1, L23; a hidden unit, z1(2), a1(2), δ1(2); or a node.
        x: the network's input; with a node for ``what`` there is none.
        corrupt: the input of the corrupt window: then J = max(0, margin + s_c − s) is explained (notes, section 1.4).
        margin: Δ, in the unit of the scores.
        output: the name of the node that the error starts from, such as a2(3), for networks with several outputs.
        seed: the error signal there, of its shape; 1 if left out.
        names: what nodes without a name are called, such as ``locals()``.
        check: compare with a derivative by differences.

    A network of Tensors is turned into one of Values (``scalar()``) if one entry is asked for, and the other way round
    (``tensor()``) for a whole matrix: the numbers stay.

    Raises:
        TypeError: ``what`` is neither a network nor a node. ValueError: no input, an unknown name (it says which there
        are), more than one output.

    Source: notes, section 1.5.

    >>> from autodiff import Value
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> explanation = explain(w * x, "w", check=True)
    >>> explanation.gradient, explanation.explicit, explanation.check.verdict
    (3.0, 3.0, 'agrees')
    """
    if isinstance(what, Node):
        if x is not None or corrupt is not None:
            raise ValueError("a node holds its result already and takes no input; leave out x and corrupt")
        start = _start(what, output)
        target = name if isinstance(name, Node) else _in_graph(start, name)
    else:
        start, target = _of_network(what, name, _scorer(what, x, corrupt, margin, output))
    flow = error_flow(start, target, seed=seed, names=names)
    return Explanation(flow, checked(start, target, flow.gradient, seed=seed) if check else None)


def _scorer(what: Any, x: Any, corrupt: Any, margin: float, output: str | None) -> Callable[[Any], Node]:
    """What runs a network and gives the node that the error starts from."""
    if not callable(what) or not (hasattr(what, "parameter") or hasattr(what, "parameters")):
        raise TypeError(
            "explain takes a network, which can be called and has parameter(name) or parameters(), or the node of an "
            f"output, and got {describe(what)}"
        )
    if x is None:
        raise ValueError("a gradient belongs to an input; give it as x: explain(network, 'W14(1)', x)")
    if corrupt is None:
        return lambda network: _start(network(x), output)

    def objective(network: Any) -> Node:
        J = hinge(_start(network(x), output), _start(network(corrupt), output), margin=margin)
        if J.name is None:
            J.name = "J"
        return J  # type: ignore[no-any-return]

    return objective


def _of_network(network: Any, name: Any, score: Callable[[Any], Node]) -> tuple[Node, Node]:
    """Output and parameter, in the network or, where it has no such entry or matrix, in its other form."""
    refused: ValueError | None = None
    for form in _forms(network):
        try:
            start = score(form)  # first: a scorer's words have their Values only then
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
        raise ValueError(f"{name} is plain data in this network; explain one of Values or Tensors")
    return found


def _listed(parameters: Mapping[Any, Any], name: Any) -> Any:
    """A parameter among those that a network lists by names, the notes' or any others."""
    if not isinstance(parameters, Mapping):
        raise ValueError(
            f"parameters() of this network gives {type(parameters).__name__}, not a dict by name, and no node is "
            f"called {name!r}; pass the parameter itself in place of its name, or give it one: w.name = {name!r}"
        )
    if name in parameters:
        return parameters[name]
    return find(_read(name), {key: item for key, item in parameters.items() if isinstance(key, Name)})


def _start(result: Any, output: str | None) -> Node:
    """The one node that the error starts from."""
    nodes = list(_each(result))
    if output is not None:
        for node in nodes:
            if isinstance(node, Node) and (found := _known(node).get(_read(output))):
                return found
        raise ValueError(f"no node {output} in the graph of the output")
    if len(nodes) != 1:
        shown = ", ".join(str(getattr(node, "label", node)) for node in nodes[:_MOST_LISTED])
        listed = shown + ", …" * (len(nodes) > _MOST_LISTED)
        raise ValueError(f"the error starts at one output, and here are {len(nodes)}: set output to one of {listed}")
    if not isinstance(nodes[0], Node):
        raise TypeError(f"the output must be a Value or Tensor, and is {describe(nodes[0])}")
    return nodes[0]


def _each(result: Any) -> Iterator[Any]:
    """What a network gave, one by one: a recurrent one gives a tuple, one of Values an array of them."""
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
        raise TypeError(f"a parameter is given by its name or as a node, and got {describe(name)}")
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
    """The nodes of a graph whose names are the notes'; of two windows the true one."""
    known: dict[Name, Node] = {}
    for node in topological(start):
        try:
            known.setdefault(parse((node.name or "").rstrip("ᶜ′")), node)
        except ValueError:
            continue
    return known
