"""Our SVG in real browsers: nothing is cut off, no texts overlap, and no name runs as a script."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

from autodiff.draw import see
from tests.support.browser import Browser
from tests.support.flows import FLOWS, HOSTILE, hostile_flow

LOOK = """
const found = [];
for (const svg of document.querySelectorAll('svg')) {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].filter(text => text.textContent.trim());
  const places = texts.map(text => text.getBoundingClientRect());
  for (const [k, place] of places.entries()) {
    if (place.left < frame.left - 1 || place.right > frame.right + 1
        || place.top < frame.top - 1 || place.bottom > frame.bottom + 1)
      found.push([svg.id, 'cut', texts[k].textContent]);
    for (let j = 0; j < k; j++) {
      const across = Math.min(place.right, places[j].right) - Math.max(place.left, places[j].left);
      const down = Math.min(place.bottom, places[j].bottom) - Math.max(place.top, places[j].top);
      if (across > 2 && down > 0.45 * Math.min(place.height, places[j].height))
        found.push([svg.id, 'overlap', texts[j].textContent, texts[k].textContent]);
    }
  }
}
return found;
"""
VIEWS = ("auto", "rail", "graph", "network")


def show(browser: Browser, drawings: dict[str, str], folder: Path) -> None:
    """Open a page with all drawings and wait until it is loaded."""
    page = folder / "page.html"
    body = "\n".join(svg.replace("<svg ", f'<svg id="{name}" ', 1) for name, svg in drawings.items())
    page.write_text(f'<!DOCTYPE html><meta charset="utf-8"><body>{body}', encoding="utf-8")
    browser.open(page)
    end = time.monotonic() + 20.0
    while browser.run("return document.readyState") != "complete" and time.monotonic() < end:
        time.sleep(0.05)
    assert browser.run("return document.querySelectorAll('svg').length") == len(drawings)


@cache
def drawings_of(view: str) -> dict[str, str]:
    """Every kind of picture that has this view, in English and Chinese, drawn once for all browsers."""
    drawings = {}
    for name, make in FLOWS.items():
        flow = make()
        for language in ("en", "zh"):
            with suppress(ValueError):  # a view that does not fit
                drawings[f"{name}-{language}"] = see(flow, view=view, language=language).svg()
    return drawings


@pytest.mark.parametrize("view", VIEWS)
def test_no_text_is_cut_and_none_stands_on_another(browser: Browser, tmp_path: Path, view: str) -> None:
    """In every kind of picture that has this view, in English and Chinese, as rendered by the browser."""
    drawings = drawings_of(view)
    assert len(drawings) >= 10
    show(browser, drawings, tmp_path)
    assert browser.run(LOOK) == []


def test_the_look_finds_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    """Larger letters in the same picture are cut off and overlap."""
    drawing = see(FLOWS["rail"]()).svg().replace('font-size="15"', 'font-size="40"')
    narrow = drawing.replace('viewBox="0 0 1', 'viewBox="0 0 ')
    show(browser, {"rail": narrow}, tmp_path)
    assert {found[1] for found in browser.run(LOOK)} == {"cut", "overlap"}


def test_no_name_runs(browser: Browser, tmp_path: Path) -> None:
    """Whatever it is, in the SVG inside a page: there is no script, no handler, no link, and nothing has run."""
    names = [*HOSTILE, "<img src=x onerror=window.ran=1>", '"><script>window.ran=1</script>', "javascript:window.ran=1"]
    drawings = {
        f"d{k}-{view}": see(hostile_flow(name), view=view).svg()
        for k, name in enumerate(names) for view in ("auto", "graph")
    }  # fmt: skip
    show(browser, drawings, tmp_path)
    assert browser.run("return window.ran === undefined")
    live = "script,img,a,iframe,foreignObject,[onload],[onerror],[onclick],[href]"
    assert browser.run(f"return document.querySelectorAll('{live}').length") == 0
