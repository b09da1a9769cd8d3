"""Faults of gradients of rows: in their sums, in what sends them, and in moving a table in place."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import Fault, change, classified

_ROWS, _UPDATES, _GRAPH = "autodiff/primitives/rows.py", "autodiff/values/updates.py", "autodiff/engine/graph.py"
_SLOTS, _ARRAY, _NN = "autodiff/engine/slot_pass.py", "autodiff/engine/emit_arrays.py", "nn/descent/rows.py"

_LAG, _MISSED, _LAGGING, _LAGS = (f"nn/lagging/{room}.py" for room in ("lag", "missed", "table", "steps"))

_FAULTS: Final = {
    "structure: repeated index": (
        change(
            "rows of a repeated index: the last alone", _ROWS,
            "sums = np.bincount(keys, rows.ravel(), len(known) * width)",
            "sums = np.zeros(len(known) * width); sums[keys] = rows.ravel()", target="rows",
        ),
        change(
            "rows of a repeated index of float32: the last alone", _ROWS, "np.add.at(sums, keys, rows.ravel())",
            "sums[keys] = rows.ravel()", target="rows",
        ),
        change(
            "rows of an index with a few: the last alone", _ROWS, "sums[more] += rows[order", "sums[more] = rows[order",
            target="rows",
        ),
        change("negative indices are not counted up", _ROWS, "places[places < 0] += length", "pass", target="rows"),
        change(
            "rows of a slice of the columns", _ROWS, "item.__class__ is slice and item == _WHOLE",
            "item.__class__ is slice", target="rows",
        ),
        change("a first int is enough", _ROWS, "if not index or not all(", "if not any(", target="rows"),
    ),
    "accumulation: overwritten": (
        change("rows of a second look-up alone", _ROWS, "(self._parts + more, self", "(more, self", target="rows"),
        change("rows replace what was there", _ROWS, "total[indices] += rows", "total[indices] = rows", target="rows"),
    ),
    "accumulation: aliased": (
        change(
            "rows share memory with the look-up's gradient", _ROWS, "rows = np.array(signal, kind)",
            "rows = np.asarray(signal, kind)", target="rows",
        ),
        change(
            "an array plus rows is written in place", _ROWS, "total = np.array(other, np.result_type(other, rows))",
            "total = other", target="rows",
        ),
        change("a view of a table stays one", _ROWS, "result = result.copy()", "pass", target="rows"),
        change(
            "a table is written to whoever holds it", _UPDATES, "if not (alone and before.flags.owndata):",
            "if False:", target="rows",
        ),
        change("a view of the table does not count", _UPDATES, "== _ONE", "<= _ONE + 1", target="rows"),
    ),
    "state: stale saved array": (
        change(
            "the array of a table is not remembered", _GRAPH, "self._grad, array = own_grad(self._grad)",
            "array = dense(self._grad)", target="rows",
        ),
        change(
            "others are handed rows", _SLOTS, "deliver(node, dense(signal))", "deliver(node, signal)", target="rows",
        ),
        change("a gradient that is read counts for rows", _ROWS, "return grad if same else array", "return array"),
        change("a gradient that is written to does not count", _ROWS, "return grad if same else array", "return grad"),
        change("a table is shown as of an earlier step", _LAG, "(missed, None)", "(missed, self.shown)"),
        change("a table is read as its rows last moved", _LAGGING, "fresh = lag.whole() if", "fresh = lag.table if"),
        change("rows are looked up as they last moved", _LAG, "caught_up(missed.count - last,", "caught_up(0 * last,"),
        change("a new lag forgets the slots", _LAGS, "slots = slots.now()", "pass"),
        change("data assigned in between is lost", _LAGGING, "np.array_equal(lag.whole(), leaf._data)", "True"),
        change("rows that are due do not catch up", _LAG, "// MOST, (turn + 1)", "// MOST, turn"),
        change("maps of a rate that has changed", _MISSED, "if matrix != self.matrix:", "if self.matrix is None:"),
        change("maps of the rate before the last change", _MISSED, "or self.same > MOST:", "or self.same >= MOST:"),
        change("computed nodes get rows", _ARRAY, " and $a.a is None else None", " else None", target="rows"),
    ),
    "special points: zero times infinity": (
        change("a nan in rows is overlooked", _SLOTS, "return not signal.has_nan()", "return True", target="rows"),
    ),
    "state: half-written after an exception": (
        change(
            "rows are written before all are checked", _UPDATES,
            "    return before, overwriting(before, indices, rows)",
            "    before.setflags(write=True); before[indices] = rows\n    return before, ()",
            target="rows",
        ),
        change(
            "rows of a slot are written at once", _NN, "writing += overwriting(slot, indices, rows)",
            "slot[indices] = rows", target="rows",
        ),
        change(
            "a written table stays writable", _UPDATES, "(ndarray.setflags, (array,), (False,))",
            "(ndarray.setflags, (array,), (True,))", target="rows",
            equivalent="views that ``.data`` returns are read-only by themselves",
        ),
    ),
}

ROW_FAULTS: Final[tuple[Fault, ...]] = classified(_FAULTS)
