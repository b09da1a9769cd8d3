"""The gallery: every picture, light and dark; a page that needs no other file; the README shows what it makes."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from autodiff.system.extras import install
from tests.support.places import ROOT
from tests.support.present import present

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def gallery() -> Iterator[ModuleType]:
    """The demo as a module."""
    spec = present(spec_from_file_location("gallery", ROOT / "demos" / "gallery.py"))
    made = module_from_spec(spec)
    sys.modules["gallery"] = made  # dataclasses look their module up
    sys.path.append(str(ROOT / "demos"))  # a script's own folder is on the path when it runs
    present(spec.loader).exec_module(made)
    yield made
    del sys.modules["gallery"]


@pytest.fixture(scope="module")
def folder(gallery: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the demo writes."""
    target = tmp_path_factory.mktemp("gallery")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["gallery.py", "-o", str(target)])
        gallery.main()
    return target


def test_every_picture_is_there_in_light_and_dark(gallery: ModuleType, folder: Path) -> None:
    """Each parses, with a title and a description."""
    for exhibit in gallery.EXHIBITS:
        for theme in ("light", "dark"):
            root = ElementTree.parse(folder / f"{exhibit.name}-{theme}.svg").getroot()
            assert root.get("class") == f"autodiff-{theme}"
            assert present(root.find(f"{SVG}title")).text
            assert len(present(present(root.find(f"{SVG}desc")).text)) > 20


def test_the_page_needs_no_other_file(gallery: ModuleType, folder: Path) -> None:
    """Nothing is loaded; every picture is in it, with its caption."""
    source = (folder / "gallery.html").read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href|srcset)=\"(?!data:)", source)
    assert "<script" not in source
    assert "url(" not in source.replace("url(#", "")
    assert source.count("<figure>") >= len(gallery.EXHIBITS)
    for exhibit in gallery.EXHIBITS:
        assert f"<figcaption>{exhibit.says.replace(chr(39), '&#x27;')}" in source


@pytest.mark.parametrize("name", ["error-sharing", "several-paths", "wrong-rule"])
def test_the_readme_shows_what_the_gallery_makes(gallery: ModuleType, folder: Path, name: str) -> None:
    """The same bytes: run demos/gallery.py and copy FOLDER/readme to demos/pictures when drawings change.

    Small enough to load at once: with tooltips, which say each local gradient as a formula, under 75 kB.
    """
    assert name in gallery.IN_README
    shown = ROOT / "demos" / "pictures" / f"{name}.svg"
    assert f"demos/pictures/{name}.svg" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert shown.read_bytes() == (folder / "readme" / f"{name}.svg").read_bytes()
    assert shown.stat().st_size < 75_000


def test_a_hidden_layer_gives_a_curved_boundary(gallery: ModuleType) -> None:
    """On two half-moons a unit alone is wrong about some points; with 8 hidden units none is left."""
    points, label = gallery.moons()
    right = [
        (gallery.trained(sizes, points, label).predict(points)[:, 0] * label > 0).mean()
        for sizes in ((2, 1), (2, 8, 1))
    ]
    assert right[0] < 0.95
    assert right[1] == 1.0


def test_fig_1_is_drawn_in_the_colours_of_a_theme(gallery: ModuleType) -> None:
    """By matplotlib, the demos' extra; two runs give the same bytes."""
    pytest.importorskip("matplotlib", reason="the demos' extra is not installed")
    light, dark = gallery.boundaries(gallery.LIGHT), gallery.boundaries(gallery.DARK)
    assert light == gallery.boundaries(gallery.LIGHT)
    for source, palette in ((light, gallery.LIGHT), (dark, gallery.DARK)):
        root = ElementTree.fromstring(source)
        assert "8 hidden units: 100% right" in "".join(root.itertext())
        assert palette["error"].lower() in source.lower()


def test_without_matplotlib_the_rest_is_drawn(
    gallery: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence says what is left out, and why."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(gallery, "EXHIBITS", gallery.EXHIBITS[:1])
    assert {path.name for path in gallery.write(tmp_path)} == {
        "error-sharing-light.svg", "error-sharing-dark.svg", "error-sharing.svg", "gallery.html",
    }  # fmt: skip
    assert f"The notes' Fig 1 is missing: it needs matplotlib, {install('demos')}." in capsys.readouterr().out


def test_the_cyclist_is_right(gallery: ModuleType) -> None:
    """power = (¼(v + 2)² + rolling + climbing)·v; its derivative by hand is force + ½(v + 2)·v."""
    drawing = gallery.formula()
    force = 0.25 * 9.0**2 + 0.005 * 85 * 9.81 + 0.02 * 85 * 9.81
    assert drawing.flow.gradient == pytest.approx(force + 0.5 * 9.0 * 7.0, rel=1e-12)


def test_contact_sheets_show_every_width_and_theme(gallery: ModuleType, tmp_path: Path) -> None:
    """One sheet each, with the size and the smallest text of every program below its thumbnail."""
    from contact_sheets import WIDTHS, size_of, write_sheets

    sheets = write_sheets(tmp_path, ["neuron", "Snell's law"])
    assert {path.stem for path in sheets} == {f"{use}-{theme}" for use in WIDTHS for theme in ("light", "dark")}
    for path in sheets:
        use, theme = path.stem.split("-")
        source = path.read_text(encoding="utf-8")
        shown = re.findall(
            r'<img src="([^"]+)".*\n<figcaption>\d\. (.+): (\d+) × \d+ px, smallest text ([\d.]+) px', source
        )
        assert [name for _, name, *_ in shown] == ["neuron", "Snell&#x27;s law"]
        for file, _, wide, smallest in shown:
            svg = (tmp_path / file).read_text(encoding="utf-8")
            assert f'class="autodiff-{theme}"' in svg
            size = size_of(svg, WIDTHS[use])
            assert (wide, smallest) == (f"{size.wide:.0f}", f"{size.smallest:.1f}")
            assert size.wide <= WIDTHS[use]
        assert all(f"{other.stem}.html" in source for other in sheets)
    with pytest.raises(ValueError, match="expected an SVG of a drawing, but found no viewBox"):
        size_of("<svg/>", 100.0)


def test_the_command_writes_sheets(
    gallery: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --sheets, and nothing else then."""
    monkeypatch.setattr(gallery, "write_sheets", lambda folder: [folder / "slide-light.html"])
    monkeypatch.setattr(sys, "argv", ["gallery.py", "--sheets", "-o", str(tmp_path)])
    gallery.main()
    assert "Wrote 1 contact sheets" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
