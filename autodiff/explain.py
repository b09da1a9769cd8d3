"""`explain`: a full explanation of one gradient in words."""

from autodiff.telling.explain import explain

__all__ = ["explain"]
