"""All of NumPy's public functions, each in exactly one place: works, made of primitives, plain answer, refused."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from autodiff import TABLE, Tensor, Value
from autodiff.values.compositions import COMPOSITIONS, numpy_functions
from autodiff.values.numpy_protocol import QUESTIONS
from autodiff.values.refusals import REFUSED, REFUSED_METHODS
from tests.support.cases import each

#: Functions that take no numbers to compute with: they make arrays, read files, set options, ask about types, or give
#: ``matrix``.
WITHOUT_OPERANDS = {
    "arange", "asmatrix", "bartlett", "base_repr", "binary_repr", "blackman", "bmat", "broadcast_shapes",
    "datetime_data", "diag_indices", "empty", "eye", "from_dlpack", "frombuffer", "fromfile", "fromfunction",
    "fromiter", "frompyfunc",
    "fromregex", "fromstring", "full", "genfromtxt", "get_include", "get_printoptions", "getbufsize", "geterr",
    "geterrcall", "hamming", "hanning", "identity", "indices", "info", "isdtype", "isfortran", "isscalar",
    "issubdtype", "iterable", "kaiser", "load", "loadtxt", "mask_indices", "mintypecode", "nested_iters",
    "ones", "printoptions", "promote_types", "set_printoptions", "setbufsize", "seterr", "seterrcall",
    "show_config", "show_runtime", "tri", "tril_indices", "triu_indices", "typename", "zeros", "deprecate",
    "disp", "get_array_wrap", "linalg.test", "maximum_sctype", "recfromcsv", "recfromtxt", "safe_eval", "test",
}  # fmt: skip
#: They request an array from a node, which refuses.
MAKE_ARRAYS = {
    "array", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "require",
    "format_float_positional", "format_float_scientific", "save", "savetxt",
}  # fmt: skip
#: Names that NumPy 2.0 still had, deprecated, and later ones do not have.
GONE = {"in1d", "row_stack", "trapz"}


def public_names() -> Iterator[str]:
    """Of every function of numpy and numpy.linalg."""
    for module, prefix in ((np, ""), (np.linalg, "linalg.")):
        for name in dir(module):
            item = getattr(module, name, None)
            if not name.startswith("_") and callable(item) and not isinstance(item, type | types.ModuleType):
                yield prefix + name


NAMES = sorted(set(public_names()) - WITHOUT_OPERANDS - GONE)


def function_of(name: str) -> Any:
    """The function of that name."""
    (function,) = numpy_functions({name: None})
    return function


IN_TABLE = {function for entry in TABLE.values() for function in entry.numpy}
COMPOSED, REFUSING = set(numpy_functions(COMPOSITIONS)), set(numpy_functions(REFUSED))


@each("name", NAMES)
def test_every_function_has_its_place(name: str) -> None:
    """A function that NumPy adds must be classified; ``power`` is in the table and has two forms."""
    function = function_of(name)
    places = [function in place for place in (IN_TABLE | COMPOSED, QUESTIONS, REFUSING)]
    assert sum(places) == 1, f"np.{name} is in {sum(places)} places"


def test_no_place_names_what_numpy_never_had() -> None:
    """Each name is one of the NumPy in use, or one that came or went between the versions allowed."""
    came = {"cumulative_prod", "cumulative_sum", "unstack", "astype", "matvec", "vecmat"}
    unknown = {name for name in (*COMPOSITIONS, *REFUSED) if name not in NAMES}
    assert unknown <= came


@pytest.mark.parametrize("name", sorted({*REFUSED} & {*NAMES}))
def test_refusal_says_why(name: str) -> None:
    """It is TypeError with the reason and what to write instead, and never an array that has left the graph."""
    x = Tensor([[0.3, 0.7], [0.2, 0.9]])
    function = function_of(name)
    count = getattr(function, "nin", 1)
    for operands in ([x] * count, [x] * 2, [x] * 3, [x] * 4, ["file", x], [[1.0], x]):
        try:
            result = function(*operands)
        except TypeError as error:
            if REFUSED[name] in str(error) or (name in MAKE_ARRAYS and "leave the graph" in str(error)):
                return
        else:
            pytest.fail(f"np.{name} gave {result!r}")
    pytest.fail(f"np.{name} never gave its reason")


#: What NumPy 2.0 lists and refuses itself.
_REMOVED = {"itemset", "newbyteorder", "ptp", "tostring"}
METHODS = [name for name in dir(np.ndarray) if not name.startswith("_") and name not in _REMOVED]


@each("name", METHODS)
def test_every_method_of_arrays_has_its_place(name: str) -> None:
    """A Tensor has it, or says why not."""
    if name in REFUSED_METHODS:
        with pytest.raises(AttributeError) as caught:
            getattr(Tensor([1.0]), name)
        assert str(caught.value) == f"a Tensor has no {name}: {REFUSED_METHODS[name]}"
    else:
        assert hasattr(Tensor([[1.0]]), name)


@pytest.mark.parametrize("call", [
    lambda x: x.all(), lambda x: x.any(), lambda x: x.argmax(axis=1), lambda x: x.argmin(), lambda x: x.argsort(axis=0),
    lambda x: x.nonzero()[0], lambda x: x.imag, lambda x: x.nbytes, lambda x: x.itemsize,
    lambda x: x[0].searchsorted(0.4), lambda x: x.argpartition(1)[0][0] * 0,
])  # fmt: skip
def test_methods_that_ask(call: Any) -> None:
    """Have the plain answer that an array gives."""
    x = np.array([[0.3, 0.7], [0.2, 0.9]])
    found = call(Tensor(x))
    assert not isinstance(found, Tensor)
    np.testing.assert_array_equal(found, call(x))


@pytest.mark.parametrize("call", [
    lambda x: x.copy(), lambda x: x.cumprod(axis=1), lambda x: x.diagonal(), lambda x: x.repeat(2, axis=0),
    lambda x: x.conj(), lambda x: x.round(1), lambda x: x.trace(), lambda x: x.compress([True, False], axis=1),
    lambda x: x.mT,
    lambda x: x.real, lambda x: x.astype(np.float32), lambda x: x % 0.4, lambda x: 0.5 % x, lambda x: x // 0.4,
    lambda x: 0.5 // x,
    lambda x: divmod(x, 0.4)[1], lambda x: divmod(0.5, x)[0],
])  # fmt: skip
def test_methods_that_compute(call: Any) -> None:
    """Give a node with NumPy's values."""
    x = np.array([[0.3, 0.7], [0.25, 0.9]])
    found = call(Tensor(x))
    assert isinstance(found, Tensor)
    np.testing.assert_array_equal(found.data, call(x))
    assert found.dtype == call(x).dtype


def test_data_is_assigned_in_place_by_operators() -> None:
    """``p.data -= step`` gives a Value or a Tensor new data, and graphs computed from it are stale."""
    for x, step in ((Value(3.0), 0.5), (Tensor([3.0, 1.0]), np.array([0.5, 0.25])), (Tensor(3.0), 0.5)):
        before, y = x.data, (x * x).sum() if isinstance(x, Tensor) and x.ndim else x * x
        x.data -= step
        np.testing.assert_array_equal(x.data, before - step)
        x.data *= 2.0
        x.data += 1.0
        x.data /= 4.0
        x.data **= 2
        np.testing.assert_array_equal(x.data, (((before - step) * 2.0 + 1.0) / 4.0) ** 2)
        with pytest.raises(Exception, match="was given new data after"):
            y.backward()
    matrix = Tensor(np.eye(2))
    matrix.data @= 3.0 * np.eye(2)
    np.testing.assert_array_equal(matrix.data, 3.0 * np.eye(2))


@pytest.mark.parametrize("write", [
    lambda d: d.__setitem__(0, 5.0), lambda d: d[0].__setitem__(0, 5.0), lambda d: d.T.__setitem__((0, 0), 5.0),
])  # fmt: skip
def test_data_is_not_written_into(write: Any) -> None:
    """The message says what to write instead; nothing has changed."""
    x = Tensor([[1.0, 2.0]])
    with pytest.raises(ValueError, match=r"because graphs .* would not notice a change; assign a new array") as caught:
        write(x.data)
    assert str(caught.value).endswith("data = t.data.copy(); data[0] = 5.0; t.data = data")
    np.testing.assert_array_equal(x.data, [[1.0, 2.0]])


def test_what_is_made_of_data_is_a_plain_array() -> None:
    """Results and copies can be written into, and are pickled without this package."""
    d = Tensor([[1.0, 2.0], [3.0, 4.0]]).data
    made = (d + 1, -d, np.exp(d), d.sum(axis=0), d @ d, d.copy(), np.sort(d), np.array(d), d.cumsum())
    assert {type(x) for x in made} == {np.ndarray}
    assert type(d.sum()) is type(d[0, 0]) is np.float64
    assert b"autodiff" not in d.dumps()
    taken = d.astype(np.float64)
    taken[0] = 5.0
    taken -= 1.0
    np.testing.assert_array_equal(taken, [[4.0, 4.0], [2.0, 3.0]])
    assert repr(d) == repr(np.array(d))


def test_a_node_is_not_written_into_an_array() -> None:
    """``out += node`` says what to write."""
    out = np.zeros(2)
    with pytest.raises(TypeError, match=r"cannot hold a node: x \+= y writes into x; write x = x \+ y"):
        out += Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"takes no out=; a node is never written to, so use the result"):
        np.sum(Tensor([1.0]), out=np.zeros(()))
    with pytest.raises(TypeError, match=r"np\.maximum cannot write a node into a plain array; use its result"):
        np.maximum(out, Tensor([1.0, 2.0]), out=out)
    with pytest.raises(TypeError, match="takes no keywords, and got where"):
        np.exp(Tensor([1.0]), where=np.array([True]))
