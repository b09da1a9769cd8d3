"""Faults of the engine: those that small engines are known for, each planted where ours could have it."""

from __future__ import annotations

from tests.faults import Fault

_PASS, _NODE, _GRAPH = "autodiff/backprop.py", "autodiff/node.py", "autodiff/graph.py"
_ARRAY, _SCALAR, _TRANSFORMS = "autodiff/array.py", "autodiff/scalar.py", "autodiff/transforms.py"
_LAYOUT, _RECORDING = "autodiff/ops/layout.py", "autodiff/recording.py"
_COPIES, _PLAIN, _SHARES = "autodiff/copies.py", "autodiff/plain.py", "autodiff/shares.py"


def change(name: str, file: str, old: str, new: str, place: int = 0) -> Fault:
    """``old`` becomes ``new``."""
    return Fault(name, file, new, old, place)


ACCUMULATION = (
    change("slot pass: shares of a first input overwritten", _PASS, "a.delta += signal * da", "a.delta = signal * da"),
    change("slot pass: shares of a second input overwritten", _PASS, "b.delta += signal * db", "b.delta = signal * db"),
    change(
        "slot pass: shares of an n-ary node overwritten",
        _PASS,
        "item.delta += signal * local",
        "item.delta = signal * local",
    ),
    change(
        "slot pass: shares by rule overwritten",
        _ARRAY,
        "a#.delta = s# if a#.delta is token else joined(a#.delta, s#, g)",
        "a#.delta = s#",
    ),
    change("general pass: shares overwritten", _PASS, " if item in signals else share", " if False else share"),
    change(
        "general pass: the second share counts alone",
        _PASS,
        "joined(signals[item], share, signal) if item in signals",
        "share if item in signals",
    ),
    change(
        "a zero signal on a first edge erases earlier shares",
        _PASS,
        "a.delta += signal * da if signal",
        "a.delta = a.delta + signal * da if signal",
    ),
    change(
        "a zero signal on a second edge erases earlier shares",
        _PASS,
        "b.delta += signal * db if signal",
        "b.delta = b.delta + signal * db if signal",
    ),
    change("a zero signal of an n-ary node erases earlier shares", _PASS, "item.delta += 0.0", "item.delta = 0.0"),
    change("a zero signal of an n-ary node leaves the token", _PASS, "item.delta += 0.0", "pass"),
    change(
        "slot pass: shares of any number of inputs overwritten",
        _SHARES,
        "share if item.delta is token else joined(item.delta, share, signal)",
        "share",
    ),
    change("a share of any number of inputs is not lent", _SHARES, "share = lent(entry.vjp", "share = (entry.vjp"),
    change("a signal starts as a positive zero", _PASS, 'token = float("-0.0")', 'token = float("0.0")'),
    change(
        "second backward of Values overwrites .grad",
        _PASS,
        "node.grad = signal if node.grad is None else node.grad + signal",
        "node.grad = signal",
    ),
    change("second backward of Tensors overwrites .grad", _PASS, "total = node.grad + signal", "total = signal"),
    change(
        "an old .grad goes into the next pass",
        _PASS,
        "signal = node.delta\n",
        "signal = node.delta if node.grad is None else node.delta + node.grad\n",
    ),
    change(
        "shares added into an array that somebody else holds",
        _SHARES,
        "return share.__class__ is np.ndarray and share is not signal and share.base is None",
        "return share.__class__ is np.ndarray",
    ),
    change(
        "shares added into the signal that came first",
        _SHARES,
        "np.add(known, share, out=share)",
        "np.add(known, share, out=known)",
    ),
    change(
        "a signal passed on unchanged is not copied",
        _ARRAY,
        "if s# is g and g.__class__ is ndarray: s# = g.copy()",
        "pass",
    ),
    change(
        "general pass: a signal passed on unchanged is not copied",
        _PASS,
        "signals[node] = own_copy(signal)",
        "signals[node] = signal",
    ),
    change(
        "gradients are views of other gradients",
        _PASS,
        "(signal.__class__ is np.ndarray and signal.base is None)",
        "signal.__class__ is np.ndarray",
    ),
    change(
        "returned signals share memory with each other",
        _PASS,
        "return np.array(signal) if isinstance(signal, np.ndarray | np.generic) else signal",
        "return signal",
    ),
)

ORDER = (
    change("slot pass: a first input passes on before all have delivered", _PASS, "if a.due == 1:", "if a.due:"),
    change("slot pass: a second input passes on before all have delivered", _PASS, "if b.due == 1:", "if b.due:"),
    change("slot pass: an input of an n-ary node passes on too early", _PASS, "if item.due == 1:", "if item.due:"),
    change(
        "slot pass: an input of an n-ary node passes a zero on too early",
        _PASS,
        "if item.due == 1:",
        "if item.due:",
        1,
    ),
    change(
        "slot pass: an input of an n-ary node by rule passes on too early",
        _SHARES,
        "if item.due == 1:",
        "if item.due:",
    ),
    change(
        "slot pass: an input by rule passes on too early",
        _ARRAY,
        "if a#.due == 1: push(a#)",
        "if a#.delta is s#: push(a#)",
    ),
    change("slot pass: a shared first input is counted once", _PASS, "a.due += 1", "a.due += 0"),
    change("slot pass: a shared second input is counted once", _PASS, "b.due += 1", "b.due += 0"),
    change("slot pass: a shared input by rule is counted once", _PASS, "item.due += 1", "item.due += 0", 0),
    change(
        "slot pass: a shared input of an n-ary node is counted once", _PASS, "item.due += 1", "item.due += 0", 1
    ),
    change(
        "general pass: a node passes on before all have delivered",
        _PASS,
        "if not expected[item]:",
        "if expected[item] >= 0:",
    ),
    change("general pass: a shared input is counted once", _PASS, "expected[item] += 1", "expected[item] += 0"),
    change(
        "general pass: another order than the slot pass",
        _PASS,
        "in node.inputs:\n            if isinstance(item, Node):\n                expected[item] -= 1",
        "in node.inputs[::-1]:\n            if isinstance(item, Node):\n                expected[item] -= 1",
    ),
    change(
        "topological order: consumers before inputs",
        _GRAPH,
        "if done:\n            order.append(node)",
        "if not done:\n            order.append(node)",
    ),
    change(
        "topological order depends on hashes",
        _GRAPH,
        "for item in reversed(node.inputs) if isinstance(item, Node)",
        "for item in sorted(node.inputs, key=lambda x: hash((type(x).__name__, str(x)))) if isinstance(item, Node)",
    ),
)

SEEDS_AND_STOPS = (
    change("slot pass ignores the seed", _PASS, "output.delta = seed", "output.delta = seed * 0 + 1"),
    change("general pass ignores the seed", _PASS, "{output: seed}", "{output: seed * 0 + 1}"),
    change("a seed of another shape is taken", _PASS, "if shape != np.shape(data):", "if False:"),
    change("an output of many elements needs no seed", _PASS, "data.size != 1", "False"),
    change("a zero signal meets an infinite first edge", _PASS, "signal * da if signal else 0.0", "signal * da"),
    change("a zero signal meets an infinite second edge", _PASS, "signal * db if signal else 0.0", "signal * db"),
    change("a zero signal meets an infinite edge of an n-ary node", _PASS, "if signal:", "if True:"),
    change(
        "a zero signal meets an infinite edge in the general pass",
        _SHARES,
        "signal * local if signal else 0.0) for",
        "signal * local) for",
    ),
    change("a zero signal meets an infinite edge by rule", _SHARES, "if top == top:", "if True:"),
    change("detach leaks", _NODE, "leaf = self._leaf(self._data, DETACHED)", "return +self"),
    change("stop_gradient leaks", _NODE, "return x.detach() if isinstance(x, Arithmetic) else x", "return x"),
    change("slot pass takes a stale graph", _PASS, "if newest > oldest:", "if False:"),
    change("slot pass does not see new data of a leaf", _PASS, "if stamp > newest:", "if False:"),
    change(
        "new data before the forward pass makes a graph stale",
        _GRAPH,
        "if item.stamp > node.stamp:",
        "if item.stamp >= node.stamp:",
    ),
    change("general pass takes a stale graph", _PASS, "if item.stamp > node.stamp:", "if False:"),
    change("new data leaves no stamp", _NODE, "self.stamp = clock.tick()", "clock.tick()"),
    change(
        "a computed node's data may be assigned",
        _NODE,
        "if self.a is not None:\n            raise",
        "if False:\n            raise",
    ),
    change(
        "half of the gradients are written when a rule raises",
        _PASS,
        "if deliver is None and not by_rule:",
        "if deliver is None:",
    ),
    change(
        "nested passes use the same slots",
        _PASS,
        "_slots_in_use.acquire(False)",
        "(_slots_in_use.acquire(False) or True)",
    ),
    change("a pass that raises keeps the slots", _PASS, "_slots_in_use.release()", "pass"),
    change(
        "gradients write to .grad",
        _TRANSFORMS,
        "if node in targets:",
        "node.grad = signal\n        if node in targets:",
    ),
    change("gradients of unwanted branches only", _PASS, "useful.add(node)", "pass"),
)

SHAPES = (
    change("broadcasting of arrays is not undone", _SHARES, "if share.shape != shape:", "if False:"),
    change("broadcasting is not undone", _SHARES, "share = _reshaped(share, data.shape)", "pass"),
    change(
        "broadcasting is undone by a mean",
        _LAYOUT,
        "return np.sum(x, axis=axes, keepdims=True)",
        "return np.mean(x, axis=axes or (), keepdims=True)",
    ),
    change("leading axes are not summed", _LAYOUT, "axes = tuple(range(lead)) + ", "axes = "),
    change("axes of length 1 are not summed", _LAYOUT, "if n == 1 and x.shape[k + lead] != 1", "if False"),
    change(
        "a matrix is summed to a row by its mean",
        _LAYOUT,
        "np.ones(count, dtype)",
        "np.full(count, 1.0 / count, dtype)",
    ),
    change(
        "float32 gradients come as float64",
        _SHARES,
        "return share.astype(data.dtype, copy=False)",
        "return share",
    ),
    change(
        "a small share is not repeated",
        _SHARES,
        "if share.ndim < len(shape) or share.size < math.prod(shape):",
        "if False:",
    ),
    change(
        "a gradient broadcast to a Value is not summed",
        _SHARES,
        "return float(np.sum(share))",
        "return float(np.ravel(share)[0])",
    ),
    change("indices that repeat lose shares", _LAYOUT, "np.add.at(whole, index, g)", "whole[index] = g"),
)

GRAPHS_OF_GRADIENTS = (
    change(
        "second order: shares are constants",
        _SHARES,
        "share = entry.rule(k)(signal, node, *inputs, **params)",
        "share = entry.rule(k)(signal, node, *(getattr(x, '_data', x) for x in inputs), **params)",
    ),
    change(
        "second order: the result is a constant",
        _SHARES,
        "share = entry.rule(k)(signal, node, *inputs, **params)",
        "share = entry.rule(k)(signal, node.detach(), *inputs, **params)",
    ),
    change(
        "second order: broadcasting is not undone",
        _SHARES,
        "return share if share._data.shape == data.shape else _reshaped(share, data.shape)",
        "return share",
    ),
    change(
        "second order: a zero signal meets an infinite edge",
        _SHARES,
        "share = _zero_shares_zero(share, signal)",
        "pass",
    ),
    change(
        "second order: create_graph gives numbers",
        _TRANSFORMS,
        "found = {node: _as_node(signal, node) for node, signal in found.items()}",
        "found = {node: _as_node(_as_node(signal, node)._data, node) for node, signal in found.items()}",
    ),
)

VALUES = (
    change("a reflected operator swaps its operands", _SCALAR, "names[::-1] if reflected else names", "names"),
    change(
        "a reflected Tensor operator swaps its operands",
        _RECORDING,
        "lambda y, x: record(x, y)",
        "lambda y, x: record(y, x)",
    ),
    change("math faults are not IEEE values", _SCALAR, '"except FAULTS:",', '"except KeyError:",'),
    change(
        "a deep copy shares its leaves",
        _COPIES,
        "copy = type(node)._leaf(node._data, node.origin)",
        "copy = node if node.a is None else type(node)._leaf(node._data, node.origin)",
    ),
    change("constant arrays are not copied", _PLAIN, "array = item.copy()", "array = item"),
    change(
        "leaf arrays are not copied", _PLAIN, 'array = np.array(array, order="C")', "array = np.asarray(array).view()"
    ),
    change("data can be written to", _NODE, "view.setflags(write=False)", "pass"),
    change(
        "a forward rule can write to a leaf",
        _PLAIN,
        "array.setflags(write=False)\n    return array\n\n\ndef as_constant",
        "return array\n\n\ndef as_constant",
    ),
)

ENGINE_FAULTS: tuple[Fault, ...] = (
    *ACCUMULATION, *ORDER, *SEEDS_AND_STOPS, *SHAPES, *GRAPHS_OF_GRADIENTS, *VALUES,
)  # fmt: skip
