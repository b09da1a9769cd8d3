"""Planted faults in the compiler of programs: in its passes, in the memory of runs, and in what sends a call back."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import change, classified

__all__ = ["PROGRAM_FAULTS"]

_BACKWARD: Final = "autodiff/program/writing/backward.py"
_COMPILED: Final = "autodiff/program/compiled.py"
_ELEMENTWISE: Final = "autodiff/program/writing/elementwise.py"
_KERNELS: Final = "autodiff/program/writing/kernels.py"
_LOWERING: Final = "autodiff/program/arrays/lowering.py"
_PLAN: Final = "autodiff/program/plan.py"
_SHIFTS: Final = "autodiff/program/recording/shifts.py"
_SIGNALS: Final = "autodiff/program/writing/signals.py"

PROGRAM_FAULTS: Final = classified({
    "accumulation: overwritten": (
        change("program: a share that arrives later replaces the first", _SIGNALS,
               "fresh = not self.written[segment][there].any()", "fresh = True", target="and_gradients_are"),
    ),
    "accumulation: aliased": (
        change("program: two runs share their memory", _COMPILED, "workspace = idle.pop()", "workspace = idle[-1]",
               target="runs_in_progress"),
    ),
    "state: stale saved array": (
        change("program: a signal does not begin at zero", _SIGNALS, "if not self.plan.get(segment, False):",
               "if False:", target="random_programs_on"),
        change("program: the parameters are read once", _COMPILED, "workspace.read_at != now", "workspace.read_at < 0",
               target="parameters_that_move"),
    ),
    "missing factor": (
        change("program: a square sends half of its share", _BACKWARD, "product.right, 2.0 * product.factor",
               "product.right, product.factor", target="random_programs_on"),
    ),
    "missing term": (
        change("program: penalties send nothing", _BACKWARD, "for deliver in self.later:", "for deliver in ():",
               target="penalty_adds"),
    ),
    "broadcasting: mean": (
        change("program: a mean is a sum", _LOWERING, '1.0 / summed[0] if entry.name == "mean" else 1.0', "1.0",
               target="and_gradients_are"),
    ),
    "types: integer truncation": (
        change("program: answers are added as answers", _ELEMENTWISE,
               "if not isinstance(other, Window) or other.buffer.dtype != np.bool:", "if True:",
               target="random_programs_on"),
    ),
    "structure: cut off by one": (
        change("program: a negative integer does not count from the end", _KERNELS,
               "np.where(picked < 0, picked + limit, picked)", "picked", target="integer_chooses"),
    ),
    "special points: zero times infinity": (
        change("program: gradients that are not finite are handed out", _COMPILED,
               "return bool(total - total == 0.0) or bool(np.isfinite(array).all())", "return True",
               target="inf_and_closed"),
    ),
    "refusal left out": (
        change("program: guards are not asked", _PLAN, "if guard is not None:", "if False:", target="guard_may"),
    ),
    "wrong formula": (
        change("program: gradients may depend on the number that max found", _SHIFTS, "return _agree(*found)",
               "return True", target="program_gives_what"),
    ),
})  # fmt: skip
