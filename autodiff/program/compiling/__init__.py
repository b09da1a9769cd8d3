"""The compiler: a recorded graph becomes the intermediate form, its error signals, and the NumPy source of both."""

from autodiff.program.compiling.reading import NotScalarError
from autodiff.program.compiling.rolling import rolled

__all__ = ["NotScalarError", "rolled"]
