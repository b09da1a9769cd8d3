"""Faults of the engine: those that small engines are known for, each planted where this engine could have it."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import Fault, change, classified

_PASS, _GRAPH = "autodiff/engine/backward.py", "autodiff/engine/graph.py"
_SLOTS, _GENERAL, _EMIT = "autodiff/engine/slot_pass.py", "autodiff/engine/general_pass.py", "autodiff/engine/emit.py"
_BASE, _TENSOR, _UPDATES = "autodiff/values/base.py", "autodiff/values/tensor.py", "autodiff/values/updates.py"
_ARRAY, _SCALAR = "autodiff/engine/emit_arrays.py", "autodiff/engine/emit_values.py"
_TRANSFORMS, _GRADIENTS = "autodiff/transforms/functional.py", "autodiff/transforms/gradients.py"
_COPIES, _PLAIN, _SHARES = "autodiff/values/copies.py", "autodiff/engine/plain.py", "autodiff/engine/shares.py"
_RECORDING, _READING = "autodiff/values/recording.py", "autodiff/values/reading.py"
_CHOICES = "autodiff/primitives/table/choices.py"
_GATES, _ROWS = "autodiff/engine/gates.py", "autodiff/primitives/rows.py"

_RECURSIVE_ORDER: Final = '''

def _visit(node, seen, order):
    if node not in seen:
        seen.add(node)
        for item in node.inputs:
            if isinstance(item, Node):
                _visit(item, seen, order)
        order.append(node)


def topological(output):
    """By recursion: a planted fault."""
    order = []
    _visit(output, set(), order)
    return order
'''

_RECURSIVE_COPY: Final = """

def copied(output, memo):  # a planted fault
    if id(output) not in memo:
        for item in output.inputs:
            if isinstance(item, Node):
                copied(item, memo)
        memo[id(output)] = twin(output, memo)
    return memo[id(output)]
"""

_FAULTS: Final = {
    "wrong operand": (
        change(
            "a reflected operator swaps its operands", _SCALAR, "def function(y, x$keywords)",
            "def function(x, y$keywords)",
        ),
        change(
            "a reflected Tensor operator swaps its operands", _ARRAY, "lambda y, x: written(x, y)",
            "lambda y, x: written(y, x)",
        ),
    ),
    "missing term": (
        change("gradients of unwanted branches only", _GENERAL, "useful.add(node)", "pass"),
        change("jvp: the first argument alone", _TRANSFORMS, "total := total_of(terms)", "total := terms[0]"),
    ),
    "cotangent ignored": (
        change("slot pass ignores the seed", _SLOTS, "output.delta = seed", "output.delta = seed * 0 + 1"),
        change("general pass ignores the seed", _GENERAL, "{output: seed}", "{output: seed * 0 + 1}"),
    ),
    "accumulation: overwritten": (
        change(
            "slot pass: shares of a first input overwritten", _SLOTS, "a.delta += signal * da",
            "a.delta = signal * da",
        ),
        change(
            "slot pass: shares of a second input overwritten", _SLOTS, "b.delta += signal * db",
            "b.delta = signal * db",
        ),
        change(
            "slot pass: shares of an n-ary node overwritten", _SLOTS, "item.delta += signal * local",
            "item.delta = signal * local",
        ),
        change(
            "slot pass: shares by rule overwritten", _ARRAY,
            " if {a}.delta is token else gather({a}.delta, {s})", "",
        ),
        change(
            "slot pass: a slice overwritten", _SHARES, "put(known.whole, index, g, add=True)",
            "put(known.whole, index, g)",
        ),
        change("general pass: shares overwritten", _GENERAL, " if item in signals else share", " if False else share"),
        change(
            "general pass: the second share counts alone", _GENERAL,
            "accumulate(signals[item], share, signal) if item in signals", "share if item in signals",
        ),
        change(
            "second backward of Values overwrites .grad", _SLOTS,
            "node._grad = node._grad + signal", "node._grad = signal",
        ),
        change(
            "second backward of Tensors overwrites .grad", _GRAPH, "kept(grad)) + signal", "kept(grad)) * 0 + signal",
        ),
        change(
            "an old .grad goes into the next pass", _SLOTS, "signal = node.delta\n",
            "signal = node.delta if node._grad is None else node.delta + node._grad\n",
        ),
    ),
    "accumulation: aliased": (
        change(
            "a share of any number of inputs is not lent", _SHARES, "unbroadcast(lent(entry.vjp",
            "unbroadcast((entry.vjp",
        ),
        change(
            "shares added into an array that somebody else holds", _SHARES,
            "return share.__class__ is np.ndarray and share is not signal and share.base is None",
            "return share.__class__ is np.ndarray",
        ),
        change(
            "a signal passed on unchanged is not copied", _ARRAY,
            "if {s} is g and g.__class__ is ndarray: {s} = g.view()", "pass",
        ),
        change(
            "general pass: a signal passed on unchanged is not copied", _PASS, "signals[node] = own_copy(signal)",
            "signals[node] = signal",
        ),
        change(
            "gradients are views of other gradients", _GRAPH,
            "(signal.__class__ is np.ndarray and signal.base is None)", "signal.__class__ is np.ndarray",
        ),
        change("gradients of computed nodes are each other's", _ROWS, "np.array(grad[0])", "grad[0]"),
        change("slot pass: shares added into a view", _SHARES, "if known.base is None:", "if True:"),
        change(
            "returned signals share memory with each other", _GRAPH,
            "return np.array(signal) if isinstance(signal, np.ndarray | np.generic) else signal", "return signal",
        ),
    ),
    "accumulation: fan-out over 3": (
        change(
            "slot pass: a fourth use is not counted", _SLOTS, "$item.due += 1", "$item.due = min($item.due + 1, 3)",
        ),
        change(
            "general pass: a fourth use is not counted", _GENERAL, "expected[item] += 1",
            "expected[item] = min(expected[item] + 1, 3)",
        ),
    ),
    "order: too early": (
        change("slot pass: a node passes on before all have delivered", _EMIT, "if due == 1:", "if due:"),
        change(
            "general pass: a node passes on before all have delivered", _GENERAL, "if not expected[item]:",
            "if expected[item] >= 0:",
        ),
        change(
            "topological order: consumers before inputs", _GRAPH, "if done:\n            order.append(item)",
            "if not done:\n            order.append(item)",
        ),
    ),
    "order: off by one": (
        change("slot pass: a shared input is counted once", _SLOTS, "$item.due += 1", "$item.due += 0"),
        change("general pass: a shared input is counted once", _GENERAL, "expected[item] += 1", "expected[item] += 0"),
        change("slot pass: a node passes on one share early", _EMIT, "if due == 1:", "if due <= 2:"),
        change(
            "general pass: a node passes on one share early", _GENERAL, "if not expected[item]:",
            "if expected[item] <= 1:",
        ),
    ),
    "order: depth limit": (
        Fault("topological order by recursion", _GRAPH, _RECURSIVE_ORDER),
        Fault("copies by recursion", _COPIES, _RECURSIVE_COPY),
    ),
    "order: parents in a set": (
        change(
            "general pass: another order than the slot pass", _GENERAL,
            "in node.inputs:\n                if isinstance(item, Node):\n                    expected",
            "in node.inputs[::-1]:\n                if isinstance(item, Node):\n                    expected",
        ),
        change(
            "topological order depends on hashes", _GRAPH,
            "for each in reversed(before(item)) if each not in seen",
            "for each in sorted(before(item), key=lambda x: hash((type(x).__name__, str(x)))) if each not in seen",
        ),
        change(
            "topological order depends on addresses", _GRAPH,
            "for each in reversed(before(item)) if each not in seen",
            "for each in set(before(item)) if each not in seen",
        ),
        change(
            "general pass: inputs are a set", _GENERAL,
            "for item in node.inputs:\n                if isinstance(item, Node):\n                    expected",
            "for item in {x for x in node.inputs if isinstance(x, Node)}:\n"
            "                if True:\n                    expected",
        ),
    ),
    "broadcasting: leading axes": (
        change("broadcasting of arrays is not undone", _SHARES, "if share.shape != shape:", "if False:"),
        change("broadcasting is not undone", _SHARES, "share = _reshaped(share, data.shape)", "pass"),
        change(
            "a gradient broadcast to a Value is not summed", _SHARES, "return float(_total(share))",
            "return float(np.ravel(share)[0])",
        ),
        change(
            "second order: broadcasting is not undone", _SHARES,
            "return share if share._data.shape == data.shape else _reshaped(share, data.shape)", "return share",
        ),
    ),
    "broadcasting: axes of length 1": (
        change(
            "a small share is not repeated", _SHARES, "if share.ndim < len(shape) or share.size < math.prod(shape):",
            "if False:",
        ),
    ),
    "broadcasting: wrong axis": (
        change(
            "a share is summed over its last axis", _SHARES, "sum_of_rows(share) if share.ndim",
            "sum_of_rows(share.T) if share.ndim",
        ),
    ),
    "axes and layout": (
        change(
            "arrays of Values are reduced over the axes that stay", _RECORDING, "np.transpose(values, rest + axes)",
            "np.transpose(values, axes + rest)",
        ),
        change(
            "a Jacobian with its axes exchanged", _TRANSFORMS,
            "return np.stack(column).reshape(shape + np.shape(column[0]))",
            "return np.stack(column, -1).reshape(shape + np.shape(column[0]))",
        ),
    ),
    "0-d against (1,)": (
        change(
            "a share of shape (1,) is taken for one without axes", _SHARES, "if share.shape != shape:",
            "if share.size != data.size:",
        ),
        change(
            "a seed of shape (1,) is taken for a number", _PASS, "if shape != np.shape(data):",
            "if np.prod(shape) != np.size(data):",
        ),
        change(
            "a gradient without axes is a NumPy scalar", _GRAPH,
            "np.array(signal) if isinstance(signal, np.ndarray | np.generic)",
            "np.array(signal) if isinstance(signal, np.ndarray)",
        ),
        change(
            "a sum of gradients without axes is a NumPy scalar", _GRAPH,
            "np.asarray(total) if isinstance(total, np.generic) else total", "total",
        ),
        change(
            "a step makes a Tensor without axes a NumPy scalar", _UPDATES, "return np.asarray(data, before.dtype)",
            "return data",
        ),
    ),
    "special points: kinks and edges": (
        change("a signal starts as a positive zero", _SLOTS, 'token = float("-0.0")', 'token = float("0.0")'),
        change("slot pass: −0 stays beside a slice", _SHARES, "whole = np.add(known, 0.0, out=known)", "whole = known"),
        change("math faults are not IEEE values", _SCALAR, "except FAULTS:", "except KeyError:"),
    ),
    "special points: zero times infinity": (
        change("a nan at a leaf is not asked about", _SLOTS, "if low != low:", "if False:"),
        change("a nan at a Value is not asked about", _SLOTS, "elif db is None and signal != signal:", "elif False:"),
        change("a signal 0 crosses infinite factors of a sum", _SHARES, " and z - z == 0.0", ""),
        change("a pass that met a nan is not undone", _SLOTS, "if not sound:", "if False:"),
        change(
            "a nan of the general pass is not asked about", _GENERAL, "sound = sound and not has_nan(signal)", "pass",
        ),
        change("a nan that goes no further is not asked about", _ARRAY, '["return has_nan(g)"] * asked', "[]"),
        change("everything gets through a closed gate", _GATES, "if np.all(mask):", "if True:"),
        change("a gate is asked as if it were smooth", _GATES, "present if entry.gate", "present if False"),
        change("nothing gets through a smooth factor 0", _GATES, "present if entry.gate", "present if True"),
        change("a constant factor 0 is taken for a smooth one", _GATES, "return item\n", "return 1.0\n"),
        change("a seed of 0 is taken for an error", _GATES, "np.not_equal(seed, 0)", "np.not_equal(seed, np.inf)"),
        change("a term that no error reaches spoils a sum", _SHARES, "if spoiled and entry.multilinear:", "if False:"),
        change(
            "the sum of what is reached is taken for all of it", _GATES, "np.equal(terms, sound)",
            "np.equal(terms, terms)",
        ),
        change("second order: a closed gate opens", _SHARES, "spoiled or not entry.smooth", "spoiled"),
    ),
    "state: mutated cotangent": (
        change(
            "shares added into the signal that came first", _SHARES, "np.add(known, share, out=share)",
            "np.add(known, share, out=known)",
        ),
        change(
            "nested passes use the same slots", _PASS, "not _slots_in_use.locked():\n        with _slots_in_use:",
            "True:\n        if True:",
        ),
        change(
            "the caller's seed is kept", _PASS, "else np.array(seed, data.dtype)",
            "else np.asarray(seed, data.dtype)",
        ),
    ),
    "state: stale operand": (
        change("slot pass takes a stale graph", _SLOTS, "if newest > oldest:", "if False:"),
        change("slot pass does not see new data of a leaf", _SLOTS, "if version > newest:", "if False:"),
        change(
            "new data before the forward pass makes a graph stale", _GRAPH, "if item.version > node.version:",
            "if item.version >= node.version:",
        ),
        change("general pass takes a stale graph", _GENERAL, "if item.version > node.version:", "if False:"),
        change("new data leaves no trace", _GRAPH, "(_set_version, leaves, _readings)", "(_set_version, (), ())"),
        change("new data does not move the clock", _GRAPH, "        clock.change,\n", ""),
    ),
    "state: stale saved array": (
        change("constant arrays are not copied", _PLAIN, "array = item.copy()", "array = item"),
        change(
            "leaf arrays are not copied", _PLAIN, 'array = np.array(array, order="C")',
            "array = np.asarray(array).view()",
        ),
        change("data can be written to", _TENSOR, "view.setflags(write=False)", "pass"),
        change(
            "a forward rule can write to a leaf", _PLAIN,
            "array.setflags(write=False)\n    return array\n\n\ndef as_constant", "return array\n\n\ndef as_constant",
        ),
        change(
            "a param of the caller is kept", "autodiff/primitives/origin.py",
            "item = item.copy()\n        item.setflags(write=False)", "pass",
        ),
    ),
    "state: detach leaks": (
        change("detach leaks", _BASE, "leaf = self._leaf(self._data, DETACHED)", "return +self"),
        change("stop_gradient leaks", _BASE, "return x.detach() if isinstance(x, Arithmetic) else x", "return x"),
        change(
            "a deep copy shares its leaves", _COPIES, "copy = type(node)._leaf(node._data, node.origin)",
            "copy = node if node.a is None else type(node)._leaf(node._data, node.origin)",
        ),
        change(
            "a deep copy is of the wrong inputs", _COPIES,
            "inputs = tuple(memo[id(x)] if isinstance(x, Node) else x for x in node.inputs)", "inputs = node.inputs",
        ),
    ),
    "state: unneeded gradient": (
        change(
            "gradients write to .grad", _GRADIENTS, "if node in targets:",
            "node._grad = signal\n        if node in targets:",
        ),
    ),
    "state: half-written after an exception": (
        change(
            "half of the gradients are written when a rule raises", _SLOTS, "arrived[node] = signal",
            "arrived[node] = node._grad = signal",
        ),
        change(
            "a pass that raises keeps the slots", _PASS, "with _slots_in_use:", "if _slots_in_use.acquire():",
        ),
        change(
            "leaves move one by one", _UPDATES,
            "fresh[leaf] = data + change if",
            "leaf._data = fresh[leaf] = data + change if",
        ),
        change(
            "changes are made in a loop of Python", _GRAPH, "_run(chain.from_iterable(starmap(map, changes)))",
            "[None for _ in chain.from_iterable(starmap(map, changes))]",
        ),
    ),
    "second order: detached factor": (
        change(
            "second order: shares are constants", _SHARES, "entry.rule(k)(*given, **node.origin.params)",
            "entry.rule(k)(*given[:2], *(getattr(x, '_data', x) for x in given[2:]), **node.origin.params)",
        ),
        change(
            "second order: the result is a constant", _SHARES, "entry.rule(k)(*given, **node.origin.params)",
            "entry.rule(k)(signal, getattr(given[1], '_data', given[1]), *given[2:], **node.origin.params)",
        ),
        change(
            "second order: create_graph gives numbers", _GRADIENTS,
            "found = {node: _as_node(signal, node) for node, signal in found.items()}",
            "found = {node: _as_node(_as_node(signal, node)._data, node) for node, signal in found.items()}",
        ),
    ),
    "types: float32 upcast": (
        change(
            "float32 gradients come as float64", _SHARES, "return share.astype(data.dtype, copy=False)",
            "return share",
        ),
        change("the seed is float64", _PASS, "return np.ones(data.shape, data.dtype)", "return np.ones(data.shape)"),
        change("assigned data are float64", _TENSOR, "array.astype(self._data.dtype, copy=False)", "array"),
        change(
            "a step makes float64", _UPDATES,
            "return data if data.dtype is before.dtype else data.astype(before.dtype)", "return data",
        ),
    ),
    "types: integer truncation": (
        change(
            "arrays of integers stay integers", "autodiff/primitives/operands.py",
            "return array.astype(np.float64)\n    if array.dtype.kind == \"f\"",
            "return array\n    if array.dtype.kind == \"f\"",
        ),
        change("a Value of an int holds an int", _PLAIN, "return as_float(data)", "return data"),
        change("integers beside a Value stay ints", _SCALAR, "if y.__class__ is int: b = y = as_float(y)", "pass"),
        change(
            "a seed is cut to an integer", _PASS, "float(seed) if data.__class__ is float",
            "float(int(seed)) if data.__class__ is float",
        ),
    ),
    "gates": (
        change(
            "where: a constant that one bool chooses is no node", _CHOICES,
            "if not numbers and _is_one_bool(condition):", "if False:",
        ),
        change(
            "where: an array of bools between two numbers", "autodiff/primitives/primitive.py",
            "any(isinstance(item, np.ndarray) for item in params.values())", "False",
        ),
        change(
            "where: a rule's choice between two numbers is no formula", "autodiff/primitives/table/elementwise.py",
            "if isinstance(condition, Expression):", "if False:",
        ),
    ),
    "refusal left out": (
        change("a result that left the graph is a constant", _READING, "if watch.deed and not", "if False and not"),
        change("data of any node counts as read", _READING, "if watch.depends(node):", "if True:"),
        change("a read counts for every call around", _READING, "            return\n", ""),
        change("a call stays watched", _READING, "        WATCHES.remove(watch)\n", ""),
        change(
            "item() is not seen", _BASE, "read = noted(self)", "read = self._data",
        ),
        change("plain gradients inside are not seen", _GRADIENTS, "if WATCHES and not create_graph", "if False"),
        change("a seed of another shape is taken", _PASS, "if shape != np.shape(data):", "if False:"),
        change("an output of many elements needs no seed", _PASS, "data.size != 1", "False"),
        change(
            "a computed node's data may be assigned", _BASE, "if self.a is not None:\n            raise",
            "if False:\n            raise",
        ),
    ),
}  # fmt: skip

ENGINE_FAULTS: Final = classified(_FAULTS)
#: What random programs show in three steps; four uses of a node take more, and depth shows in no number.
_LONG: Final = ("accumulation: fan-out over 3", "order: depth limit")
ACCUMULATION, ORDER = (
    tuple(fault for fault in ENGINE_FAULTS if fault.kind.startswith(word) and fault.kind not in _LONG)
    for word in ("accumulation", "order")
)
