"""Files that were written once and are kept: each later version reads them, with the exact numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import nn
from nn.saving.archive import check, decoded, encoded
from nn.saving.file import VERSION
from tests.nn.saving.old_files import FILES, network, random
from tests.nn.saving.parts import Loaded, bits

versions = pytest.mark.parametrize("version", range(1, VERSION + 1))


@versions
def test_a_run_of_an_old_version_goes_on(version: int) -> None:
    """Numbers, and what the generator and its children draw."""
    net, generator, number = nn.Network((3, 2, 1)), np.random.default_rng(0), Loaded(0.0)
    nn.resume(FILES / f"run_{version}.npz", model=net, random=generator, number=number)
    expected = random()
    assert bits(net.state()) == bits(network().state())
    assert number.number == 0.1
    assert generator.integers(9, size=3, dtype=np.uint32).tolist() == [1, 0, 5]
    expected.integers(9, size=3, dtype=np.uint32)
    assert generator.random() == expected.random()
    assert generator.spawn(1)[0].random() == expected.spawn(1)[0].random()


@versions
def test_a_net_of_an_old_version_is_made_anew(version: int) -> None:
    """Of Values, with its activations."""
    net = nn.load(FILES / f"net_{version}.npz")
    assert repr(net) == "Network(Layer(3, 2, tanh, number=1), Layer(2, 1, identity, number=2))"
    assert bits(net.state()) == bits(network().state())
    assert net.state()["W(1)"].tolist() == [[-0.25, -0.125, 0.0], [0.125, 0.25, 0.375]]
    assert type(net([1.0, 2.0, 3.0])).__name__ == "Value"


def test_fields_that_a_later_autodiff_adds_are_passed_over(tmp_path: Path) -> None:
    """Within one version of the format."""
    arrays = check(decoded((FILES / "run_1.npz").read_bytes()))
    about = json.loads(str(arrays["about"]))
    arrays["about"] = np.array(json.dumps({**about, "new": [1], "written_by": {"autodiff": "0.1.1", "jax": "1.0"}}))
    (tmp_path / "run.npz").write_bytes(encoded(arrays))
    assert nn.contents(tmp_path / "run.npz").written_by == {"autodiff": "0.1.1", "jax": "1.0"}
    nn.resume(tmp_path / "run.npz", model=network(), random=random(), number=Loaded(0.0))
