"""The settings with which parameters move: rate, decay and hyperparameters, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from nn.descent.formulas import Formula
from nn.descent.schedules import Rate, Schedule, checked_rate
from nn.parameters.ranges import Hyper, number_in

__all__ = ["DECAY", "Settings"]

#: The factor λ of a parameter in its gradient: g + λθ, the gradient of J + ½λ‖θ‖².
DECAY: Final = Hyper("decay", "λ", 0.0)


@dataclass(frozen=True, eq=False)
class Settings:
    """How some parameters move; ``rate`` is None for that of the optimiser, and ``factor`` is 1 or 1/√n_in."""

    rate: Rate | None
    decay: float
    hyper: Mapping[str, float]
    factor: float = 1.0

    @classmethod
    def of(cls, formula: Formula, given: Mapping[str, Any]) -> Settings:
        """Settings from keywords, which are checked; what is not given has its default.

        Raises:
            TypeError, ValueError: if a keyword is unknown, or its value is no number or out of range.
        """
        known = {each.keyword: each for each in (DECAY, *formula.hyper)}
        for key in given:
            if key not in known and key != "rate":
                raise TypeError(f"{formula.name} has no setting {key!r}; its settings are rate, {', '.join(known)}")
        found = {key: number_in(given.get(key, each.default), each) for key, each in known.items()}
        rate = checked_rate(given["rate"]) if "rate" in given else None
        return cls(rate, found.pop("decay"), found)

    def rate_at(self, t: int, usual: Rate) -> float:
        """The learning rate of step t."""
        rate = usual if self.rate is None else self.rate
        return (rate(t) if isinstance(rate, Schedule) else rate) * self.factor

    def __repr__(self) -> str:
        own = {} if self.rate is None else {"rate": self.rate}
        return ", ".join(f"{key}={value!r}" for key, value in (own | dict(self.hyper) | {"decay": self.decay}).items())
