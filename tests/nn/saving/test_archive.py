"""The bytes of a file: every kind of array bit for bit, read by NumPy alone, and no byte altered unnoticed."""

from __future__ import annotations

import pickle
import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nn
from nn.saving.archive import check, decoded, encoded
from tests.nn.saving.parts import Changing, bits

ARRAYS: dict[str, Any] = {
    "float64": np.array([[0.1, -0.0], [np.nan, np.inf]]),
    "float32": np.arange(3, dtype=np.float32),
    "nan with a payload": np.array([0x7FF8000000000123], dtype=np.uint64).view(np.float64),
    "big-endian": np.arange(3, dtype=">f8"),
    "int8": np.array([-1, 2], dtype=np.int8),
    "uint64": np.array(2**64 - 1, dtype=np.uint64),
    "bool": np.array([True, False]),
    "str": np.array(["δ", "", "ab\0c"]),
    "empty str": np.empty((2, 0), dtype="U0"),
    "no characters": np.zeros((2, 3), dtype="U1"),
    "0-d": np.array(0.5),
    "empty": np.empty((0, 3)),
    "one of five dimensions": np.ones((1, 1, 1, 1, 1)),
    "transposed": np.arange(6.0).reshape(2, 3).T,
    "every second, backwards": np.arange(10.0)[::-2],
    "not in one piece": np.arange(24.0).reshape(2, 3, 4)[:, 1:, ::2],
    "broadcast": np.broadcast_to(np.array(1.5), (2, 2)),
}


def read(arrays: Any) -> Any:
    """The arrays after a detour over bytes."""
    return check(decoded(bytes(encoded(arrays))))


def test_arrays_come_back_bit_for_bit() -> None:
    """With their types, shapes and bytes; NumPy reads the same."""
    assert bits(read(ARRAYS)) == bits(ARRAYS)
    with np.load(BytesIO(encoded(ARRAYS)), allow_pickle=False) as found:
        assert bits({key: found[key] for key in found if key != "checksum"}) == bits(ARRAYS)


def test_arrays_are_made_anew_in_their_order_in_memory() -> None:
    """Products of matrices add up in the order of memory, so it belongs to going on bit for bit."""
    found = read(ARRAYS)
    assert found["transposed"].flags.f_contiguous
    assert found["float64"].flags.c_contiguous
    assert all(array.flags.writeable and array.flags.owndata for array in found.values())


@given(st.dictionaries(
    st.text("abW(1)/δ. ", min_size=1),
    hnp.arrays(st.sampled_from(["f4", "<f8", ">f8", "i2", "?", "<U3"]), hnp.array_shapes(min_dims=0, min_side=0)),
    max_size=2,
))  # fmt: skip
def test_any_arrays_come_back(arrays: dict[str, np.ndarray[Any, Any]]) -> None:
    """Under any keys."""
    assert bits(read(arrays)) == bits(arrays)


def test_equal_arrays_give_equal_bytes() -> None:
    """No date and no machine is in them."""
    assert encoded(ARRAYS) == encoded({key: np.array(array, order="K") for key, array in ARRAYS.items()})


@pytest.mark.parametrize(
    "item",
    [
        np.array([object()]), np.array(None), None, [1.0], np.array([1j]), np.array([b"x"]), {"a": 1.0},
        np.array(["2026-01-01"], dtype="M8[D]"), np.array([(1, 2.0)], dtype="i4,f8"), np.ma.array([1.0], mask=[True]),
        np.array([1.0], dtype=np.longdouble), np.array(["x"], dtype=np.dtypes.StringDType()),
    ],
)  # fmt: skip
def test_other_arrays_are_refused_by_name(item: Any) -> None:
    """Objects would need pickling; the others have no bits that every machine reads."""
    with pytest.raises(TypeError, match=r"^model/W must be an array of numbers, bools or strings to be saved"):
        encoded({"model/W": item})


@pytest.mark.parametrize("key", ["", "a\0b", "a\nb", "a\\b", "\ud800", "x" * 1001, "checksum"])
def test_keys_that_a_zip_would_change_are_refused(key: str) -> None:
    """A null character would cut the name off, so that two keys become one."""
    with pytest.raises(ValueError, match=r"^a key must consist of 1 to 1000 printable characters"):
        encoded({key: np.array(1.0)})


# ---- damage ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a small run."""
    path = tmp_path_factory.mktemp("small") / "run.npz"
    nn.save(path, a=Changing(0.5))
    return path


def test_every_byte_altered_is_read_right_or_refused(small: Path, tmp_path: Path) -> None:
    """Names, dates, sizes and the directory of the zip included; one sentence that names the file, and no warning."""
    whole, right = small.read_bytes(), bits(nn.contents(small).arrays)
    path, refused, said = tmp_path / "run.npz", 0, f"{tmp_path / 'run.npz'} is right"
    masks = [1 << bit for bit in range(8)] if settings().max_examples > 500 else [None]
    for place in range(len(whole)):
        for mask in masks:
            altered = bytearray(whole)
            altered[place] ^= mask or (0xFF, 0x01, 0x20)[place % 3]
            path.write_bytes(altered)
            try:
                found = nn.contents(path).arrays
            except ValueError as error:
                said, refused = str(error), refused + 1
            else:
                assert bits(found) == right, place
            assert re.fullmatch(rf"{path} is [^\n]+", said)
    assert refused > 0.8 * len(masks) * len(whole)  # a tenth of a small file is dates, versions and rights in the zip


def test_a_file_cut_off_anywhere_is_refused(small: Path, tmp_path: Path) -> None:
    """At each length; and one followed by others' bytes is read right or refused."""
    whole, path = small.read_bytes(), tmp_path / "run.npz"
    for length in range(0, len(whole), 11):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"is not a whole file of nn\.save"):
            nn.contents(path)
    path.write_bytes(whole + b"more")
    assert bits(nn.contents(path).arrays) == bits(nn.contents(small).arrays)


def rewritten(path: Path, **changes: Any) -> dict[str, Any]:
    """The entries of a file with some of them changed; the old checksum stays."""
    with np.load(path, allow_pickle=False) as found:
        return {key: found[key] for key in found} | {key.replace("__", "/"): item for key, item in changes.items()}


def test_the_checksum_covers_names_types_shapes_and_numbers(small: Path, tmp_path: Path) -> None:
    """A whole zip with other contents has the wrong checksum; with the same, it is read, whoever wrote it."""
    path = tmp_path / "run.npz"
    same = rewritten(small)
    np.savez(path, **same)
    assert bits(nn.contents(path).arrays) == bits(nn.contents(small).arrays)
    renamed = {("a/x" if key == "a/number" else key): item for key, item in same.items()}
    number = np.float64(0.5)
    others = [np.array(0.25), np.array([0.5]), np.array(0.5, np.float32), np.array(number.view(np.int64)), None]
    for entries in [renamed, *({**same, "a/number": other} for other in others)]:
        np.savez(path, **{key: item for key, item in entries.items() if item is not None})
        with pytest.raises(ValueError, match=r"its checksum does not fit its contents$"):
            nn.contents(path)


def zipped(**entries: bytes) -> bytes:
    """A zip of these entries."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    """What NumPy writes."""
    file = BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


HEADER = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }".ljust(117)
FOREIGN = {
    "empty": (b"", "it is empty"),
    "text": (b"a,b\n1,2\n", "it does not start as a zip file does"),
    "pickle": (pickle.dumps({"a": 1.0}), "it does not start as a zip file does"),
    "npz": (npz(a=np.array(1.0)), "it has no checksum"),
    "npz of objects": (npz(a=np.array([None])), "it has no checksum"),
    "npz of objects with a checksum": (npz(a=np.array([None]), checksum="0"), "'a.npy' does not have the size"),
    "npz that says nothing": (npz(a=np.array(1.0), checksum="0"), "it does not say what it is"),
    "npz that says something else": (npz(about="[1]", checksum="0"), "it does not say what it is"),
    "nested too deeply": (npz(about="[" * 99_999, checksum="0"), "it does not say what it is"),
    "zip": (zipped(checksum=b"no array"), "the magic string is not correct"),
    "a header of 800 GB": (zipped(checksum=HEADER + b"\n"), "does not have the size of its array"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_one_sentence(kind: str, tmp_path: Path) -> None:
    """Whatever it is; nothing in it is run, and no memory is taken for what it claims to hold."""
    data, reason = FOREIGN[kind]
    path = tmp_path / "run.npz"
    path.write_bytes(data)
    with pytest.raises(ValueError) as caught:
        nn.contents(path)
    assert str(caught.value).startswith(f"{path} is not a whole file of nn.save or of a net's save: ")
    assert reason in str(caught.value)


def test_compressed_and_repeated_entries_are_refused(small: Path, tmp_path: Path) -> None:
    """Their size is not bounded by that of the file."""
    path = tmp_path / "run.npz"
    np.savez_compressed(path, **rewritten(small))
    with pytest.raises(ValueError, match=r"is not an uncompressed array$"):
        nn.contents(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("checksum.npy", b"")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("checksum.npy", b"")
    with pytest.raises(ValueError, match=r"two entries have the same name$"):
        nn.contents(path)
