"""`explain`: everything about one gradient, in words."""

from autodiff.telling.explain import explain

__all__ = ["explain"]
