"""Groups of sums that differ only in their numbers of slots become one, padded with slots of factor 0.

Example: causal attention, where the t-th token sums over t others: of three tokens the sums of 1, 2 and 3 products
become a group with three products each, of which the first token's last two have the factor 0, as with a mask::

    a₁₁v₁                              1·a₁₁v₁ + 0·a₁₁v₂ + 0·a₁₁v₃
    a₂₁v₁ + a₂₂v₂             →        1·a₂₁v₁ + 1·a₂₂v₂ + 0·a₂₂v₃
    a₃₁v₁ + a₃₂v₂ + a₃₃v₃              1·a₃₁v₁ + 1·a₃₂v₂ + 1·a₃₃v₃
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from autodiff.program.compiling.groups import Groups
from autodiff.program.compiling.reading import Ints

__all__ = ["padded"]

_FEWEST: Final = 3  # groups that are worth it
_WASTE: Final = 2.5  # slots with padding, in those without


def padded(groups: Groups) -> Groups:
    """The groups, where those that are alike but for their lengths are one."""
    alike: dict[int, list[int]] = {}
    for k, nodes in enumerate(groups.members):
        if groups.loose[nodes[0]]:
            alike.setdefault(int(groups.loose[nodes[0]]), []).append(k)
    for several in alike.values():
        if len(several) >= _FEWEST:
            groups = _merged(groups, several)
    return replace(groups, members=[nodes for nodes in groups.members if len(nodes)])


def _merged(groups: Groups, several: list[int]) -> Groups:
    members = np.sort(np.concatenate([groups.members[k] for k in several]))
    lengths = groups.length[members]
    most = int(lengths.max())
    if most * len(members) > _WASTE * lengths.sum():
        return groups
    slot = np.minimum(np.arange(most), lengths[:, None] - 1)
    inside = np.arange(most) < lengths[:, None]
    old = groups.start[members][:, None] + slot
    left, right = groups.left[old], groups.right[old]
    right = np.where(inside, right, _continued(right, lengths))
    start, length, count = groups.start.copy(), groups.length.copy(), len(groups.left)
    start[members] = count + most * np.arange(len(members))
    length[members] = most
    lists = list(groups.members)
    for k in several:
        lists[k] = members[:0]
    lists[several[0]] = members

    def longer(column: Any, more: Any) -> Any:
        return np.concatenate([column, more.ravel()])

    return replace(
        groups, members=lists, start=start, length=length, left=longer(groups.left, left),
        right=longer(groups.right, right), factor=longer(groups.factor, groups.factor[old] * inside),
        classes=longer(groups.classes, groups.classes[old]),
    )  # fmt: skip


def _continued(right: Ints, lengths: Ints) -> Ints:
    """The right operands as in the longest row that begins alike, so that they stay a matrix."""
    order = np.lexsort((-lengths, right[:, 0]))
    _, first, which = np.unique(right[order, 0], return_index=True, return_inverse=True)
    longest = np.empty(len(order), np.intp)
    longest[order] = order[first][which]
    return right[longest]
