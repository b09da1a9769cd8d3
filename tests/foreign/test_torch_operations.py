"""Every torch operation in the table, and nets of the kinds that people write first, have torch's gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import numpy as np
import pytest

from autodiff.engine.graph import topological
from autodiff.foreign.from_torch import from_torch
from autodiff.foreign.torch_graph import functions
from autodiff.foreign.torch_operations import OPERATIONS
from autodiff.primitives.registry import TABLE
from autodiff.system.extras import install
from tests.support.jax_traces import drawn

pytestmark = pytest.mark.peer

torch = pytest.importorskip("torch", reason=f"comparing with torch needs an extra: {install('peers')}")
F, nn = torch.nn.functional, torch.nn

Sample = tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]

_LATER = torch.triu(torch.ones(3, 3, dtype=torch.bool), 1)
_CLASSES = torch.tensor([0, 3, 1])


def _on(function: Callable[..., Any], *shapes: tuple[int, ...]) -> Sample:
    return function, shapes or ((3, 4),)


def _layer(make: Callable[[], Any], *shapes: tuple[int, ...], call: Callable[..., Any] | None = None) -> Sample:
    """A module with fixed random parameters, which are differentiated, too."""

    def apply(*args: Any) -> Any:
        torch.manual_seed(0)
        module = make().double()
        found = module(*args) if call is None else call(module, *args)
        apply.module = module  # type: ignore[attr-defined]
        return found

    return apply, shapes


def _trained(make: Callable[[], Any], *shape: int) -> Callable[[], Any]:
    """A layer that has seen a batch and no longer learns its statistics."""

    def made() -> Any:
        module = make().double()
        module(torch.tensor(drawn(*shape)))
        return module.eval()

    return made


def _attention(x: Any, fill: float = -np.inf) -> Any:
    """One head as people write it; torch records no value of a mask."""
    scores = (x @ x.mT / 2**0.5).masked_fill(_LATER, fill)
    return F.softmax(scores, -1) @ x


def _self_attention(module: Any, x: Any, **how: Any) -> Any:
    return module(x, x, x, **how)[0]


SAMPLES: dict[str, Sample] = {
    "attention": _on(_attention, (2, 3, 4)),
    "attention twice": _on(lambda x: _attention(_attention(x) + x, -1e9), (2, 3, 4)),
    "attention, where": _on(
        lambda x: F.softmax(torch.where(_LATER, torch.tensor(-np.inf, dtype=torch.float64), x @ x.mT), -1) @ x, (3, 4)
    ),
    "attention, one function": _on(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), *[(1, 2, 3, 2)] * 3
    ),
    "attention, a mask": _on(
        lambda q: F.scaled_dot_product_attention(q, 2 * q, q, attn_mask=~_LATER, scale=0.3), (1, 2, 3, 2)
    ),
    "attention, numbers as the mask": _on(
        lambda q: F.scaled_dot_product_attention(q, 2 * q, q, attn_mask=torch.tensor(drawn(3, 3))), (1, 2, 3, 2)
    ),
    "batch norm": _layer(lambda: nn.BatchNorm2d(2), (3, 2, 2, 2)),
    "batch norm, fixed": _layer(_trained(lambda: nn.BatchNorm1d(2), 5, 2), (3, 2)),
    "batch norm, plain": _layer(lambda: nn.BatchNorm1d(2, affine=False), (3, 2)),
    "convolution": _layer(lambda: nn.Conv2d(2, 3, (3, 2), padding=(1, 0), stride=(2, 1)), (2, 2, 5, 4)),
    "convolution, 1-D": _layer(lambda: nn.Conv1d(2, 3, 3, padding="same"), (2, 2, 5)),
    "convolution, 3-D": _layer(lambda: nn.Conv3d(1, 2, 2), (1, 1, 3, 2, 3)),
    "convolution, groups": _layer(lambda: nn.Conv2d(2, 4, 2, bias=False, groups=2, dilation=(1, 2)), (2, 2, 3, 4)),
    "convolution, transposed": _layer(
        lambda: nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1, groups=2), (1, 2, 3, 2)
    ),
    "dropout": _on(lambda x: F.dropout(x, 0.5) + F.dropout1d(x, 0.5), (2, 3, 2)),
    "embedding": _on(lambda w: F.embedding(torch.tensor([[1, 2], [1, 0]]), w, padding_idx=2), (3, 2)),
    "group norm": _layer(lambda: nn.GroupNorm(2, 4), (2, 4, 3)),
    "GRU": _layer(lambda: nn.GRU(3, 2, bidirectional=True), (2, 2, 3), call=lambda m, x: m(x)[0]),
    "instance norm": _layer(lambda: nn.InstanceNorm2d(2), (2, 2, 3, 2)),
    "layer norm": _layer(lambda: nn.LayerNorm(4), (3, 4)),
    "layer norm, two axes": _layer(lambda: nn.LayerNorm((2, 4), eps=1.23456789e-3), (3, 2, 4)),
    "LSTM": _layer(lambda: nn.LSTM(3, 2, num_layers=2), (2, 2, 3), call=lambda m, x: m(x)[0]),
    "LSTM cell": _layer(lambda: nn.LSTMCell(3, 2), (2, 3), call=lambda m, x: m(x)[0]),
    "multi-head attention": _layer(lambda: nn.MultiheadAttention(4, 2), (3, 2, 4), call=_self_attention),
    "multi-head attention, masked": _layer(
        lambda: nn.MultiheadAttention(4, 2), (3, 2, 4), call=lambda m, x: _self_attention(m, x, attn_mask=_LATER)
    ),
    "pooling, largest": _on(lambda x: F.max_pool2d(x, 3, stride=2, padding=1), (2, 2, 5, 4)),
    "pooling, largest, 1-D and 3-D": _on(lambda x: F.max_pool1d(F.max_pool3d(x, 2)[0, 0, 0], 2), (1, 1, 2, 6, 4)),
    "pooling, largest, adaptive": _on(lambda x: F.adaptive_max_pool2d(x, 2), (1, 2, 5, 4)),
    "pooling, mean": _on(lambda x: F.avg_pool2d(x, 2, padding=1), (1, 2, 4, 4)),
    "pooling, mean, 3-D": _on(lambda x: F.avg_pool3d(x, 2, divisor_override=3), (1, 1, 2, 4, 4)),
    "pooling, mean without the margin": _on(
        lambda x: F.avg_pool2d(x, 3, 2, padding=1, count_include_pad=False), (1, 2, 5, 5)
    ),
    "pooling, mean, adaptive": _on(lambda x: F.adaptive_avg_pool2d(x, 3), (1, 2, 5, 4)),
    "RMS norm": _layer(lambda: nn.RMSNorm(4, eps=1e-3), (2, 4)),
    "transformer": _layer(lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True), (2, 3, 4)),
    "transformer, GELU": _layer(
        lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, activation="gelu", norm_first=True), (3, 2, 4)
    ),
    **{
        name: _on(getattr(F, name) if hasattr(F, name) else getattr(torch, name))
        for name in (
            "abs", "atan", "cos", "cosh", "elu", "erf", "erfc", "exp", "expm1", "floor", "gelu", "hardswish",
            "hardtanh", "leaky_relu", "log", "log10", "log1p", "log2", "logsigmoid", "mish", "neg",
            "reciprocal", "relu6", "rsqrt", "selu", "sigmoid", "sign", "silu", "sin", "sinh", "softplus", "softsign",
            "sqrt", "tan", "tanh",
        )
    },
    "acos": _on(lambda x: torch.acos(x / 2)), "asin": _on(lambda x: torch.asin(x / 2)),
    "addcmul": _on(lambda x, y: torch.addcmul(x, x, y, value=2), (3, 4), (3, 4)),
    "unbind": _on(lambda x: sum(k * row for k, row in enumerate(x.unbind(1)))),
    "amax and amin": _on(lambda x: x.amax(1) * x.amin(1)),
    "atan2": _on(torch.atan2, (3,), (3,)),
    "baddbmm": _on(lambda c, a, b: torch.baddbmm(c, a, b, beta=2, alpha=3), (2, 2, 2), (2, 2, 3), (2, 3, 2)),
    "binary cross-entropy": _on(lambda x: F.binary_cross_entropy(x, (x > 0.5).double())),
    "binary cross-entropy of logits": _on(lambda x: F.binary_cross_entropy_with_logits(x, (x > 0.5).double())),
    "cat, stack": _on(lambda x, y: torch.cat([torch.stack([x, y]), x[None]]), (3, 2), (3, 2)),
    "clamp": _on(lambda x: x.clamp(0.3, 0.6) + x.clamp(min=0.5)),
    "constants": _on(lambda x: 2 / (x + 3) + (1 - x.tanh()) - (x - 0.25).exp()),
    "cosine similarity": _on(lambda x: F.cosine_similarity(x, x.flip(0))),
    "cross-entropy": _on(lambda x: F.cross_entropy(x, _CLASSES, label_smoothing=0.1)),
    "cummax, cummin": _on(lambda x: x.cummax(1)[0] + x.cummin(-2)[0]),
    "interpolated": _on(lambda x, y: torch.lerp(x, y, 0.25), (3, 4), (3, 4)),
    "interpolated, learned": _on(lambda x, y, w: torch.lerp(x, y, w) + torch.lerp(x, y * 0 + 1, w), *[(3, 4)] * 3),
    "running logsumexp": _on(lambda x: (300.0 * x).logcumsumexp(1) + x.logcumsumexp(-2)),
    "windows": _on(lambda x: x.unfold(-1, 2, 1).sin().cumsum(1).unfold(0, 2, 1)),
    "windows of images": _on(lambda x: F.unfold(x, (2, 3), padding=1, stride=2), (2, 3, 4, 5)),
    "cumsum, cumprod": _on(lambda x: x.cumsum(0) * x.cumprod(1)),
    "diagonal": _on(lambda x: x.diagonal(1)),
    "division by a number": _on(lambda x: (x / 4) * torch.tensor(2.0, dtype=torch.float64)),
    "dot, mv, mm, bmm": _on(
        lambda a, x: (a @ x).dot(a @ x) + (a @ a.mT).sum() + torch.bmm(a[None], a.mT[None]).sum(), (3, 4), (4,)
    ),
    "expand, permute, squeeze": _on(
        lambda x: x.permute(1, 0).unsqueeze(1).expand(4, 2, 3).transpose(0, 2)[:, :1].squeeze(1).squeeze()
    ),
    "gather": _on(lambda x: x.gather(1, torch.tensor([[0, 0], [3, 1]]))),
    "GELU by tanh": _on(lambda x: F.gelu(x, approximate="tanh")), "GLU": _on(F.glu),
    "Huber": _on(lambda x: F.huber_loss(3 * x, x.detach() / 2, delta=0.7)),
    "Huber, smooth L1": _on(lambda x: F.smooth_l1_loss(3 * x, x.detach() / 2, beta=0.9, reduction="sum")),
    "index": _on(lambda x: x[torch.tensor([0, 2, 0])] * x.index_select(0, torch.tensor([1, 1, 0]))),
    "Kullback-Leibler": _on(
        lambda x: F.kl_div(F.log_softmax(x, -1), F.softmax(x.detach() ** 2, -1), reduction="batchmean")
    ),
    "linear": _layer(lambda: nn.Linear(4, 2), (3, 4)),
    "log of sums": _on(lambda x: torch.logaddexp(x.logsumexp(0), x[0])),
    "L1": _on(lambda x: F.l1_loss(x, x.detach() * 2 - x.detach() ** 2 * 3)),
    "masked": _on(lambda x: x.masked_fill(x > 0.5, 7.0).exp() + x.tril() * x.triu(1)),
    "masked nowhere": _on(lambda x: F.softmax(x.masked_fill(x > 5, -np.inf), -1)),
    "masked by a node": _on(lambda x, y: x.masked_fill(x > 0.5, y), (3, 4), ()),
    "maximum, minimum": _on(lambda x, y: torch.maximum(x, y) * torch.minimum(x, y) + x.max() * x.min(), (3,), (3,)),
    "max, min along": _on(lambda x: x.max(0).values[:3] * x.min(1).values),
    "mean squared error": _on(lambda x, y: F.mse_loss(x, y), (3, 4), (3, 4)),
    "norms": _on(lambda x: F.normalize(x, dim=-1) * x.norm() + x.norm(p=1, dim=1, keepdim=True)),
    "pad": _on(lambda x: F.pad(x, (1, -1, 0, 2))),
    "powers": _on(lambda x, y: x**3 + x**y + 2.0**y, (3,), (3,)),
    "PReLU": _on(lambda x, slope: F.prelu(x - 0.5, slope), (3, 4), (1,)),
    "products": _on(lambda x: x.prod() * x.prod(1)),
    "repeat, roll": _on(lambda x: x.repeat(2, 1, 2).roll(1, 0).roll(2)),
    "softmax": _on(lambda x: torch.softmax(x, 0) * F.log_softmax(x, 1)),
    "sort, top": _on(lambda x: x.sort(1, descending=True).values[:, :2] * x.topk(2).values),
    "split": _on(lambda x: x.chunk(2, 1)[1] * x.split(1)[2][:, :2]),
    "sums": _on(lambda x: x.sum() * x.sum(1) * x.mean() * x.mean(1)),
    "variance": _on(lambda x: x.var(1) + x.std() + x.std(1, correction=0)),
}  # fmt: skip

#: Names of the same operations in other versions of torch, on other devices, or in its own C++ code.
OTHER_NAMES = {
    "AddBackward1", "AliasBackward0", "DivBackward1", "MaskedFillBackward1", "MulBackward1", "NativeDropoutBackward0",
    "ReshapeAliasBackward0", "SafeSoftmaxBackward0", "SqueezeBackward2", "ToCopyBackward0", "UnsafeSplitBackward0",
}  # fmt: skip


def _recorded(function: Callable[..., Any], shapes: tuple[tuple[int, ...], ...]) -> tuple[Any, list[Any]]:
    """A loss to which every element contributes differently, and the tensors to differentiate."""
    torch.manual_seed(1)
    leaves = [torch.tensor(drawn(*shape, seed=k), requires_grad=True) for k, shape in enumerate(shapes)]
    found = function(*leaves)
    weights = torch.sin(torch.arange(found.numel(), dtype=found.dtype)).reshape(found.shape) + 1.25
    module = getattr(function, "module", None)
    return (found * weights).sum(), [*leaves, *(module.parameters() if module is not None else ())]


@pytest.mark.parametrize(("function", "shapes"), SAMPLES.values(), ids=SAMPLES)
def test_an_operation_is_that_of_torch(function: Callable[..., Any], shapes: tuple[tuple[int, ...], ...]) -> None:
    """Its value, the gradients of every parameter, and those of one element through single numbers."""
    loss, leaves = _recorded(function, shapes)
    slopes = torch.autograd.grad(loss, leaves, retain_graph=True, allow_unused=True)
    traced = from_torch(loss)
    traced.output.backward()
    assert float(traced.output.data) == pytest.approx(loss.item(), rel=1e-12, abs=1e-12)
    for leaf, slope in zip(leaves, slopes, strict=True):
        if slope is None:
            continue
        found = traced.node(leaf).grad
        np.testing.assert_allclose(np.zeros(slope.shape) if found is None else found, slope, rtol=1e-12, atol=1e-12)
        one = from_torch(loss, leaf[tuple(n - 1 for n in leaf.shape)])
        one.output.backward()
        assert one.parameter is not None
        last = slope.reshape(-1)[-1].item()
        assert float(one.parameter.grad or 0.0) == pytest.approx(last, rel=1e-11, abs=1e-12)


def test_every_operation_in_the_table_has_a_sample() -> None:
    losses = (_recorded(*sample)[0] for sample in SAMPLES.values())
    assert {*OPERATIONS} - OTHER_NAMES <= {*chain.from_iterable(map(_names, losses))}


def _names(loss: Any) -> Iterator[str]:
    yield from (function.name() for function in functions(loss.grad_fn))


# ---- nets of the kinds that people write first -----------------------------------------------------------------------


class Digits(nn.Module):  # type: ignore[misc,name-defined]
    """Two convolutions, two fully connected layers: the net of PyTorch's first example, on smaller pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 3, 3), nn.Conv2d(3, 4, 3)
        self.fc1, self.fc2 = nn.Linear(16, 8), nn.Linear(8, 10)

    def forward(self, x: Any) -> Any:
        x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
        x = F.relu(self.fc1(F.dropout(x.flatten(1), 0.25)))
        return F.log_softmax(self.fc2(F.dropout(x, 0.5)), dim=1)


class Block(nn.Module):  # type: ignore[misc,name-defined]
    """A small language model: embeddings, one causal block, and scores of the next letter."""

    def __init__(self) -> None:
        super().__init__()
        self.letters, self.places = nn.Embedding(5, 4), nn.Embedding(3, 4)
        self.norm1, self.norm2 = nn.LayerNorm(4), nn.LayerNorm(4)
        self.qkv, self.out = nn.Linear(4, 12, bias=False), nn.Linear(4, 4)
        self.mlp = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 4))
        self.head = nn.Linear(4, 5, bias=False)

    def forward(self, ids: Any) -> Any:
        x = self.letters(ids) + self.places(torch.arange(3))
        q, k, v = (part.view(-1, 3, 2, 2).transpose(1, 2) for part in self.qkv(self.norm1(x)).split(4, dim=-1))
        scores = (q @ k.transpose(-2, -1)) * 2**-0.5
        scores = scores.masked_fill(_LATER, float("-inf"))
        x = x + self.out((F.softmax(scores, dim=-1) @ v).transpose(1, 2).reshape(-1, 3, 4))
        return self.head(x + self.mlp(self.norm2(x)))


def _digits() -> tuple[Any, Any]:
    net = Digits().double()
    return net, F.nll_loss(net(torch.tensor(drawn(2, 1, 8, 8))), torch.tensor([3, 7]))


def _block() -> tuple[Any, Any]:
    net = Block().double()
    scores = net(torch.tensor([[0, 1, 4], [2, 2, 3]]))
    return net, F.cross_entropy(scores.view(-1, 5), torch.tensor([1, 4, 0, 2, 3, 1]))


@pytest.mark.parametrize("build", [_digits, _block])
def test_a_first_net_is_traced(build: Callable[[], tuple[Any, Any]]) -> None:
    """Every parameter has torch's gradient, under the module's names."""
    torch.manual_seed(0)
    net, loss = build()
    named = dict(net.named_parameters())
    slopes = torch.autograd.grad(loss, [*named.values()], retain_graph=True)
    traced = from_torch(loss, names=net)
    traced.output.backward()
    for (name, leaf), slope in zip(named.items(), slopes, strict=True):
        assert traced.node(leaf).name == name
        np.testing.assert_allclose(traced.node(leaf).grad, slope, rtol=1e-12, atol=1e-12)


def test_single_numbers_are_multiplied_in_weighted_sums() -> None:
    """A linear layer of single numbers is one Σ for each unit, with the bias in it."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1)).double()
    loss = net(torch.tensor(drawn(3))).sum()
    one = from_torch(loss, net[0].weight[1, 2], names=net)
    sums = [node for node in topological(one.output) if node.primitive is TABLE["weighted_sum"]]
    assert [len(node.inputs) for node in sums] == [7, 7, 5]


def test_a_frozen_bias_that_torch_does_not_record_is_named() -> None:
    layer = nn.Conv1d(2, 3, 2).double()
    layer.bias.requires_grad_(False)
    with pytest.raises(ValueError, match="cannot trace ConvolutionBackward0 of the torch graph with a constant bias"):
        from_torch(layer(torch.tensor(drawn(1, 2, 4))).sum())


def test_a_constant_array_is_not_taken_for_a_number() -> None:
    """A single addend would give the same loss, and other gradients."""
    x = torch.tensor(drawn(3), requires_grad=True)
    away = torch.tensor([2.0, -3.0, 0.4], dtype=torch.float64)
    loss = (x - away).abs().sum()
    traced = from_torch(loss)
    traced.output.backward()
    np.testing.assert_array_equal(traced.node(x).grad, np.sign(drawn(3) - away.numpy()))


def test_a_constant_end_that_torch_does_not_record_is_named() -> None:
    x = torch.tensor(drawn(3), requires_grad=True)
    with pytest.raises(ValueError, match=r"cannot trace LerpBackward0 of the torch graph.* with a constant end"):
        from_torch(torch.lerp(x, torch.ones(3, dtype=torch.float64), 0.5).sum())
