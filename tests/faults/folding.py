"""Planted faults in what pictures fold: sums, terms, units and turns of loops, gaps in formulas, and bundled wires."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import change, classified

__all__ = ["FOLDING_FAULTS"]

_BANDS: Final = "autodiff/draw/layout/bands.py"
_EXCHANGE: Final = "autodiff/draw/layout/exchange.py"
_FOLDS: Final = "autodiff/draw/views/folds.py"
_FORMULAS: Final = "autodiff/words/formulas.py"
_GAPS: Final = "autodiff/words/gaps.py"
_REPEATS: Final = "autodiff/draw/grouping/repeats.py"
_ROUTES: Final = "autodiff/draw/layout/routes.py"
_SUMS: Final = "autodiff/flow/sums.py"
_UNITS: Final = "autodiff/draw/grouping/units.py"

FOLDING_FAULTS: Final = classified({
    "order: off by one": (
        change("loops: one turn too many is folded", _REPEATS, "turns = len(ends) - 2", "turns = len(ends) - 1",
               target="an_operation_after_the_loop"),
        change("loops: an operation behind the loop is a turn", _REPEATS,
               "items[k].line, frozenset(shared & {*inputs[k]})", "None, frozenset()",
               target="an_operation_after_the_loop"),
        change("bundles: a wire starts one column too late", _ROUTES, "way[max(shared - 1, 0) :", "way[shared :",
               target="bundled_wires"),
        change("units: one term too many is said to be folded", _UNITS, "Terms(k, len(own) - 1)", "Terms(k, len(own))",
               target="of_squared_errors"),
    ),
    "missing term": (
        change("sums: an addition with a name is hidden", _SUMS, " and graph.name_of(nodes[k]) is None", "",
               target="names_uses_and_the_parameter"),
        change("sums: an addition that is used twice is hidden", _SUMS, "uses[k] == 1 and nodes[k]", "nodes[k]",
               target="names_uses_and_the_parameter"),
        change("sums: a term of another shape is added inside", _SUMS,
               ' and getattr(nodes[k]._data, "shape", ()) == shape', "", target="other_shapes_stay"),
        change("gaps: the last term is left out", _GAPS, "{_GAP}{between[-1]}{parts[-1]}", "{_GAP}",
               target="outer_operations_stay"),
        change("units: the bias of a folded unit is not named", _FOLDS, "any(item not in inner for item in own) or ",
               "", target="whether_it_has_a_bias"),
    ),
    "wrong formula": (
        change("gaps: a gap stands at the outermost operation", _GAPS, "_inside(text, most) or _between(text, most)",
               "_between(text, most) or _inside(text, most)", target="outer_operations_stay"),
        change("formulas: a raised operator is differentiated without brackets", _FORMULAS,
               'of_power="^" in outside(label)', "of_power=False", target="raised_operator"),
        change("units: a scaled sum is taken for w·x", _FOLDS, "item in inner for k in products",
               "False for k in products", target="whether_it_has_a_bias"),
    ),
    "scale": (
        change("bands: bands touch", _BANDS, "y += bottom - top + 2 * _EDGE + _LANE * lanes[k + 1]",
               "y += 0.5 * (bottom - top)", target="bands_lie_below"),
        change("exchange: a move that costs crossings is taken", _EXCHANGE, "if change < best:", "if change > best:",
               target="is_readable_on_a_slide"),
    ),
})  # fmt: skip
