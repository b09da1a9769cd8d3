"""Faults of the tables that translate the operations of torch and jax, and of the search for what torch leaves out."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import change, classified

__all__ = ["FOREIGN_FAULTS"]

_MOVES, _JAX, _PROGRAM, _FROM_JAX, _SINGLES, _TORCH, _GRAPH, _LAYERS, _WINDOWS = (
    f"autodiff/foreign/{name}.py"
    for name in (
        "jax_moves", "jax_operations", "jax_program", "from_jax", "singles", "torch_operations", "torch_graph",
        "torch_layers", "windows",
    )
)  # fmt: skip

FOREIGN_FAULTS: Final = classified(
    {
        "wrong formula": (
            change("jax: erf is erfc", _JAX, "return subtract(1.0, erfc(x))", "return erfc(x)", target="erf"),
            change("jax: rsqrt is sqrt", _JAX, "power(x, n=-0.5)", "power(x, n=0.5)", target="rsqrt"),
            change("jax: softplus of x is x", _PROGRAM, "return softplus(x) if", "return x if", target="custom_jvp"),
            change("torch: GELU by tanh without 0.044715", _LAYERS, "0.044715", "0.0447", target="GELU"),
            change(
                "torch: layer norm without ε",
                _LAYERS,
                "keepdims=True), epsilon), n=-0.5",
                "keepdims=True), 0.0), n=-0.5",
                target="layer norm",
            ),
            change("torch: attention scaled by d", _LAYERS, "[-1] ** -0.5", "[-1] ** -1.0", target="attention"),
        ),
        "missing factor": (
            change(
                "torch: dropout's own function unscaled",
                _LAYERS,
                'kept / (1.0 - call.saved("p"))',
                "kept",
                equivalent="torch records it on other devices only",
            ),
            change(
                "torch: SELU without its scale",
                _TORCH,
                'return _scaled(call, "scale", elu(',
                "return (elu(",
                target="selu",
            ),
            change(
                "torch: baddbmm without β",
                _LAYERS,
                'base if call.saved("beta") == 1 else',
                "base if True else",
                target="baddbmm",
            ),
        ),
        "wrong operand": (
            change(
                "jax: select takes the first case",
                _MOVES,
                "np.equal(which, k)",
                "np.equal(which, k - 1)",
                target="select_n",
            ),
            change(
                "jax: a scan keeps its first row",
                _PROGRAM,
                "(_row(item, k) for item in rows)",
                "(_row(item, 0) for item in rows)",
                target="scan",
            ),
            change("jax: a loop without its constants", _PROGRAM, "branches[taken]", "branches[0]", target="cond"),
            change(
                "torch: GLU gates the wrong half",
                _LAYERS,
                "parts[0], sigmoid(parts[1])",
                "parts[1], sigmoid(parts[0])",
                target="GLU",
            ),
            change("torch: PReLU below 0 is the slope", _LAYERS, "x, multiply(slope, x))", "x, slope)", target="PReLU"),
        ),
        "cotangent ignored": (
            change(
                "jax: a derivative of one's own is forgotten",
                _PROGRAM,
                '"custom_vjp_call": _tangent',
                '"custom_vjp_call": _inlined',
                target="custom_vjp",
            ),
            change(
                "jax: stop_gradient stops nothing",
                _JAX,
                "holds_values(x) else detach(x)",
                "holds_values(x) else x",
                target="stop_gradient",
            ),
            change(
                "jax: stop_gradient stops no single number",
                _JAX,
                "return data_of(x, call.data(0).dtype) if holds_values(x) else",
                "return x if holds_values(x) else",
                target="stop_gradient",
            ),
            change(
                "torch: the padding row learns", _LAYERS, "constant_of(rows), rows)", "rows, rows)", target="embedding"
            ),
        ),
        "order: off by one": (
            change(
                "jax: a reversed scan runs forwards",
                _PROGRAM,
                'reversed(range(length)) if call.param("reverse")',
                'range(length) if call.param("reverse")',
                target="scan",
            ),
            change(
                "jax: a reversed scan gives its rows backwards",
                _PROGRAM,
                "parts[::-1] if reverse",
                "parts if reverse",
                target="scan",
            ),
            change(
                "jax: cumsum does not turn back",
                _JAX,
                "axis=axis), axis=axis), axis=axis)",
                "axis=axis), axis=axis), axis=())",
                target="cumsum",
            ),
        ),
        "axes and layout": (
            change(
                "jax: dot_general takes its axes in order",
                _JAX,
                "(*batch_b, *over_b, *free_b)",
                "(*batch_b, *free_b, *over_b)",
                target="dot_general",
            ),
            change(
                "jax: a convolution leaves its result in our order",
                _JAX,
                "np.argsort(numbers.out_spec)",
                "range(len(numbers.out_spec))",
                target="conv",
            ),
            change(
                "torch: a transposed convolution without the turn",
                _LAYERS,
                "axis=spatial)",
                "axis=())",
                target="convolution",
            ),
            change(
                "windows: the stride of the first axis for all",
                _WINDOWS,
                "// step + 1, 0)) * step",
                "// step + 1, 0)) * stride[0]",
                target="convolution",
            ),
        ),
        "structure: cut off by one": (
            change("jax: a dynamic slice outside", _MOVES, "min(max(k, 0), n - m)", "max(k, 0)", target="dynamic"),
            change("windows: one place too few", _WINDOWS, "// step + 1, 0))", "// step, 0))", target="pooling"),
            change(
                "windows: the margins exchanged",
                _WINDOWS,
                "starts = [max(low, 0) for low, _ in",
                "starts = [max(high, 0) for _, high in",
                target="pad",
            ),
            change(
                "torch: the last bin is short",
                _LAYERS,
                "-(-(k + 1) * length // count)",
                "(k + 1) * length // count",
                target="pooling",
            ),
        ),
        "structure: repeated index": (
            change(
                "jax: scatter-add drops the first update",
                _MOVES,
                "kept = places >= 0",
                "kept = places > 0",
                target="scatter-add",
            ),
            change("jax: a gather outside clips", _MOVES, "if not (places < 0).any():", "if True:", target="gather"),
        ),
        "special points: kinks and edges": (
            change(
                "jax: clamp passes at its bounds",
                _JAX,
                "np.greater(numbers, least) & np.less",
                "np.greater_equal(numbers, least) & np.less",
                target="kinks",
            ),
            change(
                "jax: |x| at 0", _JAX, "absolute(x) if np.all(numbers) else", "absolute(x) if True else", target="kinks"
            ),
        ),
        "special points: ties": (
            change(
                "jax: the last extreme of a window",
                _JAX,
                "-np.inf, np.argmax)",
                "-np.inf, lambda x, axis: x.shape[axis] - 1 - np.argmax(x[..., ::-1], axis))",
                target="kinks",
            ),
        ),
        "state: stale saved array": (
            change(
                "torch: a constant need not fit what was saved",
                _GRAPH,
                "np.all(same | np.isnan(known) | ~np.isfinite(saved))",
                "True",
                target="L1",
            ),
            change(
                "torch: an addend found by the loss alone",
                _GRAPH,
                "triples = [*_observed(order, results, known, loss)]",
                "triples = [*_observed(order, results, known, loss)][-1:]",
                target="constant array",
            ),
        ),
        "types: float32 upcast": (
            change(
                "jax: arguments become float64",
                _FROM_JAX,
                "np.asarray(leaf, aval.dtype)",
                "np.asarray(leaf, np.float64)",
            ),
        ),
        "missing term": (
            change(
                "singles: a product without its bias",
                _SINGLES,
                "bias if holds_values(bias) else float(bias)",
                "0.0",
                target="linear",
            ),
            change(
                "torch: a convolution without its bias",
                _LAYERS,
                "return add(made, _along_channels(call.inputs[2], len(call.shape)))",
                "return made",
                target="convolution",
            ),
            change(
                "jax: the change of one input of a function with its own derivative",
                _PROGRAM,
                "results[j] = add(results[j], back",
                "results[j] = add(values[j], back",
                target="custom_jvp",
            ),
        ),
    }
)
