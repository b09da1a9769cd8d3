"""Whether a node was computed by an expression of the source, and which nodes the variables in it held."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from types import FunctionType, ModuleType
from typing import Any, Final

from autodiff.engine.graph import Node
from autodiff.naming.callers import is_own, syntax_of
from autodiff.naming.loops import ANY, Scope, Slot, function_result
from autodiff.words.arguments import closed_over

__all__ = ["Matcher"]

_OPERATORS: Final = {
    ast.Add: {"add"}, ast.Sub: {"subtract"}, ast.Mult: {"multiply"}, ast.Div: {"divide"}, ast.Pow: {"power", "pow"},
    ast.MatMult: {"matmul", "matvec", "vecmat", "inner"},
}  # fmt: skip
_BUILTINS: Final = {"abs": "absolute"}
_DEEPEST: Final = 100


class Matcher:
    """Compares nodes with expressions and finds the node that each slot in them held.

    ``bound`` maps slots to nodes, or to numbers where the program computed with numbers. An expression matches a node
    only if it consists of the node's operations, in their order, down to the variables; a variable that is assigned
    outside the loop must still hold the node that was used.
    """

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self.variables = variables
        self.bound: dict[Slot, Any] = {}

    def holds(self, slot: Slot, item: Any, depth: int = 0) -> bool:
        """Whether a slot can have held a node or a number; binds it if so."""
        if slot is ANY:
            return True
        if slot in self.bound:
            known = self.bound[slot]
            return known is item or not (isinstance(known, Node) or isinstance(item, Node))
        self.bound[slot] = item
        return slot.expression is None or self.matches(slot.expression, slot.scope, item, depth + 1)

    def matches(self, expression: ast.expr, scope: Scope, item: Any, depth: int = 0) -> bool:
        """Whether an expression can have computed a node or a number; after False, some slots may be bound wrongly."""
        if depth > _DEEPEST:
            return False
        if isinstance(expression, ast.Name):
            held = scope.get(expression.id)
            return self.is_outside(expression, item) if held is None else self.holds(held, item, depth)
        if not isinstance(item, Node):
            return not any(isinstance(self.value(name), Node) for name in _variables_in(expression) - {*scope})
        if isinstance(expression, ast.Constant):
            return item.is_detached
        kind = _KINDS.get(type(expression))
        if kind is not None and (kind is not Matcher.called or _variables_in(expression)):
            return kind(self, expression, scope, item, depth + 1)
        return _variables_in(expression).isdisjoint(name for name, slot in scope.items() if slot is not ANY)

    def is_outside(self, name: ast.Name, item: Any) -> bool:
        """Whether a variable that the loop does not assign holds this node or a number."""
        value = self.value(name.id)
        is_number = not isinstance(item, Node) or item.is_detached
        return value is item or (is_number and not isinstance(value, Node))

    def value(self, name: str) -> Any:
        return self.variables.get(name)

    # ---- kinds of expressions ----------------------------------------------------------------------------------------

    def operator(self, expression: ast.BinOp, scope: Scope, node: Node, depth: int) -> bool:
        inputs = node.inputs
        if _operation(node) not in _OPERATORS.get(type(expression.op), ()):
            return False
        if len(inputs) == 1:  # x**2
            return self.matches(expression.left, scope, inputs[0], depth)
        left, right = inputs
        return self.matches(expression.left, scope, left, depth) and self.matches(
            expression.right, scope, right, depth
        )

    def sign(self, expression: ast.UnaryOp, scope: Scope, node: Node, depth: int) -> bool:
        is_minus = isinstance(expression.op, ast.USub)
        if is_minus and _operation(node) == "negative":
            return self.matches(expression.operand, scope, node.inputs[0], depth)
        return isinstance(expression.op, ast.UAdd) and self.matches(expression.operand, scope, node, depth)

    def called(self, expression: ast.Call, scope: Scope, node: Node, depth: int) -> bool:
        """A primitive, as a function or a method, or a function of the user's that is made of expressions."""
        if any(isinstance(part, ast.Starred) for part in expression.args):
            return False
        function = self.users_function(expression.func, scope)
        if function is not None:
            return self.inlined(function, expression, scope, node, depth)
        name, inputs = _last_name(expression.func), node.inputs
        if _BUILTINS.get(name, name) != _operation(node):
            return False
        operands = list(expression.args)
        if isinstance(expression.func, ast.Attribute) and len(inputs) == len(operands) + 1:
            operands.insert(0, expression.func.value)
        return len(operands) == len(inputs) and all(
            self.matches(part, scope, item, depth) for part, item in zip(operands, inputs, strict=True)
        )

    def users_function(self, function: ast.expr, scope: Scope) -> FunctionType | None:
        """The function of the user's that a call runs, written in Python; None for a primitive or a method."""
        found: Any = None
        if isinstance(function, ast.Name) and function.id not in scope:
            found = self.value(function.id)
        elif isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            module = self.value(function.value.id)
            found = vars(module).get(function.attr) if isinstance(module, ModuleType) else None
        return found if isinstance(found, FunctionType) and not is_own(found.__module__) else None

    def inlined(self, function: FunctionType, call: ast.Call, scope: Scope, node: Node, depth: int) -> bool:
        """Whether a function of plain assignments can have returned the node."""
        code = function.__code__
        names, syntax = code.co_varnames[: code.co_argcount], syntax_of(code, function.__globals__)
        if syntax is None or call.keywords or len(names) != len(call.args) or code.co_flags & _PACKED:
            return False
        given = {name: Slot(name, part, scope) for name, part in zip(names, call.args, strict=True)}
        result = function_result(syntax, given)
        if result is None or result.expression is None:
            return False
        inner = Matcher(function.__globals__ | closed_over(function))
        inner.bound = self.bound
        return _with_own(inner, self, given, result, node, depth)


def _with_own(
    inner: Matcher, outer: Matcher, given: Mapping[str, Slot], result: Slot, node: Node, depth: int
) -> bool:  # fmt: skip
    """Match a function's result in its own variables; its arguments are expressions in those of its caller."""
    asked = {slot: (slot.expression, slot.scope) for slot in given.values()}
    for slot in asked:
        slot.expression = None
    expression = result.expression
    if expression is None or not inner.matches(expression, result.scope, node, depth):
        return False
    return all(
        slot not in inner.bound or part is None or outer.matches(part, scope, inner.bound[slot], depth)
        for slot, (part, scope) in asked.items()
    )


_PACKED: Final = 0x04 | 0x08  # *args and **kwargs
_KINDS: Final[dict[type, Callable[..., bool]]] = {
    ast.BinOp: Matcher.operator, ast.UnaryOp: Matcher.sign, ast.Call: Matcher.called,
}  # fmt: skip


def _operation(node: Node) -> str:
    return node.origin.primitive.name if node.origin.primitive else ""


def _last_name(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def _variables_in(expression: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(expression) if isinstance(part, ast.Name)}
