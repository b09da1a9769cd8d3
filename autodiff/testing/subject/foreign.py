"""Functions of torch and of jax: neither is imported here, for who passes their tensors has loaded them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.graph import Node
from autodiff.testing.subject.base import Subject
from autodiff.testing.subject.refusals import Arrays, check_steady, refuse_output
from autodiff.tree import flatten

__all__ = ["JaxFunction", "TorchFunction"]


class TorchFunction(Subject):
    """A function of torch tensors."""

    def as_array(self, item: Any) -> np.ndarray[Any, Any] | None:
        if not isinstance(item, sys.modules["torch"].Tensor):
            return None if isinstance(item, Node) else super().as_array(item)
        try:
            return np.asarray(item.detach().cpu().numpy())
        except (TypeError, RuntimeError):  # bfloat16, sparse, quantised: NumPy has no such arrays
            return None

    def fresh(self, points: Arrays) -> list[Any]:
        torch = sys.modules["torch"]
        return [
            torch.tensor(np.asarray(x, leaf.dtype), requires_grad=True)
            for leaf, x in zip(self.leaves, points, strict=True)
        ]

    def call(self, points: Arrays) -> tuple[list[Any], list[Any]]:
        """New leaves at these points, and the outputs."""
        torch, leaves = sys.modules["torch"], self.fresh(points)
        outputs = flatten(self.f(*self.arguments(leaves)))
        for output in outputs:
            if not isinstance(output, torch.Tensor) or output.is_complex():
                refuse_output(output)
            if not output.requires_grad:
                refuse_output(output, "; it is not connected to the inputs")
        return leaves, outputs

    def values(self, points: Arrays) -> Arrays:
        return [output.detach().cpu().numpy() for output in self.call(points)[1]]

    def pull(self, points: Arrays, cotangents: Arrays) -> Arrays:
        leaves, outputs = self.call(points)
        check_steady(outputs, cotangents)
        return self.shaped(_grad(outputs, leaves, cotangents))

    def second(self, points: Arrays, cotangents: Arrays, vectors: Arrays) -> Arrays:
        leaves, outputs = self.call(points)
        slopes = _grad(outputs, leaves, cotangents, create_graph=True)
        open_ones = [
            pair for pair in zip(slopes, vectors, strict=True) if pair[0] is not None and pair[0].requires_grad
        ]
        if not open_ones:
            return self.shaped([None] * len(leaves))
        curved, along = zip(*open_ones, strict=True)
        return self.shaped(_grad(curved, leaves, along))


def _grad(outputs: Any, leaves: Any, cotangents: Any, **more: Any) -> Any:
    """``torch.autograd.grad`` with cotangents as arrays."""
    torch = sys.modules["torch"]
    seeds = [torch.as_tensor(c, dtype=output.dtype) for output, c in zip(outputs, cotangents, strict=True)]
    return torch.autograd.grad(list(outputs), leaves, seeds, allow_unused=True, **more)


class JaxFunction(Subject):
    """A function of jax arrays."""

    def as_array(self, item: Any) -> np.ndarray[Any, Any] | None:
        return np.asarray(item) if hasattr(item, "devices") else super().as_array(item)

    def flat(self, *leaves: Any) -> list[Any]:
        """f on flat leaves, with its outputs flat."""
        outputs = flatten(self.f(*self.arguments(leaves)))
        for output in outputs:
            if getattr(getattr(output, "dtype", None), "kind", "") != "f":
                refuse_output(output)
        return outputs

    def fresh(self, points: Arrays) -> list[Any]:
        jnp = sys.modules["jax"].numpy
        return [jnp.asarray(x, leaf.dtype) for leaf, x in zip(self.leaves, points, strict=True)]

    def values(self, points: Arrays) -> Arrays:
        return [np.asarray(output) for output in self.flat(*self.fresh(points))]

    def pull(self, points: Arrays, cotangents: Arrays) -> Arrays:
        return self.shaped(self.pullback(cotangents)(*self.fresh(points)))

    def pullback(self, cotangents: Arrays) -> Callable[..., Any]:
        """x ↦ Jᵀ(x)·c."""
        jax = sys.modules["jax"]

        def slopes(*leaves: Any) -> Any:
            outputs, back = jax.vjp(self.flat, *leaves)
            check_steady(outputs, cotangents)
            return back([jax.numpy.asarray(c, z.dtype) for c, z in zip(cotangents, outputs, strict=True)])

        return slopes

    def second(self, points: Arrays, cotangents: Arrays, vectors: Arrays) -> Arrays:
        jax = sys.modules["jax"]
        slopes, back = jax.vjp(self.pullback(cotangents), *self.fresh(points))
        return self.shaped(back(tuple(jax.numpy.asarray(v, s.dtype) for v, s in zip(vectors, slopes, strict=True))))
