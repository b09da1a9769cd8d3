"""The pages of the flows that several tests look at."""

from __future__ import annotations

from functools import cache

from autodiff.draw.page.page import page
from autodiff.flow import Flow
from tests.support.flows import FLOWS

__all__ = ["flow_and_page"]


@cache
def flow_and_page(kind: str) -> tuple[Flow, str]:
    """One of `FLOWS` and its page, made once in a process: a page tells the story of every node, in two languages."""
    flow = FLOWS[kind]()
    return flow, page(flow)
