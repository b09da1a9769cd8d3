"""Functions of jax arrays, in trees that jax knows; jax is not imported here: a caller with arrays has loaded it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autodiff.engine.trees import flatten
from autodiff.testing.subject.base import Leaf, Subject
from autodiff.testing.subject.refusals import Arrays, check_steady, refuse_output
from autodiff.words.arguments import argument_names

__all__ = ["JaxFunction"]


class JaxFunction(Subject):
    """A function of jax arrays, in any tree that jax knows; inputs of half precision become single or double.

    ``coarsest`` is the relative rounding of the coarsest output so far.
    """

    coarsest = 0.0

    def named(self) -> Iterator[tuple[int, str, Any]]:
        trees = sys.modules["jax"].tree_util
        names = argument_names(self.f, len(self.inputs))
        for (argument, *path), item in trees.tree_flatten_with_path(self.inputs)[0]:
            yield argument.idx, names[argument.idx] + trees.keystr(tuple(path)), item

    def flattened(self, tree: Any) -> list[Any]:
        return list(sys.modules["jax"].tree_util.tree_leaves(tree))

    def arguments(self, leaves: Sequence[Any]) -> list[Any]:
        trees = sys.modules["jax"].tree_util
        return list(trees.tree_unflatten(trees.tree_structure(self.inputs), leaves))

    def as_array(self, item: Any) -> np.ndarray[Any, Any] | None:
        if not hasattr(item, "devices"):
            return super().as_array(item)
        return np.asarray(item.astype("float32") if item.dtype.name == "bfloat16" else item)

    @property
    def epsilon(self) -> float:
        return max(self.coarsest, super().epsilon)

    def leaf(self, argument: int | None, name: str, item: Any) -> Leaf:
        made, jax = super().leaf(argument, name, item), sys.modules["jax"]
        dtype = jax.dtypes.canonicalize_dtype(made.dtype)  # float64 is float32 unless jax_enable_x64
        return replace(made, dtype=dtype, epsilon=float(jax.numpy.finfo(dtype).eps))

    def flat(self, *leaves: Any) -> list[Any]:
        """The outputs of f as a flat list, from flat leaves."""
        jax = sys.modules["jax"]
        result = self.f(*self.arguments(leaves))
        outputs = flatten(result) if result is None else self.flattened(result)
        for output in outputs:
            if not hasattr(output, "dtype") or not jax.numpy.issubdtype(output.dtype, jax.numpy.floating):
                refuse_output(output)
            self.coarsest = max(self.coarsest, float(jax.numpy.finfo(output.dtype).eps))
        return outputs

    def fresh(self, points: Arrays) -> list[Any]:
        jnp = sys.modules["jax"].numpy
        return [jnp.asarray(x, leaf.dtype) for leaf, x in zip(self.leaves, points, strict=True)]

    def values(self, points: Arrays) -> Arrays:
        return [np.asarray(self.as_array(output)) for output in self.flat(*self.fresh(points))]

    def pullback(self, points: Arrays, cotangents: Arrays) -> Arrays:
        return self.shaped(self.slopes_at(cotangents)(*self.fresh(points)))

    def slopes_at(self, cotangents: Arrays) -> Callable[..., Any]:
        """x ↦ Jᵀ(x)·c."""
        jax = sys.modules["jax"]

        def slopes(*leaves: Any) -> Any:
            outputs, back = jax.vjp(self.flat, *leaves)
            check_steady(outputs, cotangents)
            return back([jax.numpy.asarray(c, z.dtype) for c, z in zip(cotangents, outputs, strict=True)])

        return slopes

    def second(self, points: Arrays, cotangents: Arrays, vectors: Arrays) -> Arrays:
        jax = sys.modules["jax"]
        slopes, back = jax.vjp(self.slopes_at(cotangents), *self.fresh(points))
        return self.shaped(back(tuple(jax.numpy.asarray(v, s.dtype) for v, s in zip(vectors, slopes, strict=True))))
