"""Automatic differentiation that lets people see a gradient."""

from autodiff.anomaly import detect_anomaly
from autodiff.backprop import backpropagate
from autodiff.graph import Node, StaleGraphError, topological
from autodiff.node import Tensor, Value, detach, stop_gradient
from autodiff.ops.elementwise import (
    absolute,
    add,
    arccos,
    arcsin,
    arctan,
    clip,
    cos,
    cosh,
    divide,
    erfc,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    multiply,
    negative,
    pow,
    power,
    reciprocal,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    where,
)
from autodiff.ops.layout import (
    broadcast_to,
    concatenate,
    diag,
    expand_dims,
    flip,
    pad,
    reshape,
    scatter,
    split,
    squeeze,
    stack,
    swapaxes,
    take,
    trace,
    transpose,
)
from autodiff.ops.linear import affine, dot, einsum, matmul, outer, tensordot, weighted_sum
from autodiff.ops.reductions import (
    cumsum,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    norm,
    prod,
    softmax,
    std,
    sum,
    var,
)
from autodiff.ops.units import (
    elu,
    gelu,
    hard_tanh,
    hinge,
    identity,
    leaky_relu,
    log_sigmoid,
    relu,
    sigmoid,
    soft_sign,
    softplus,
)
from autodiff.primitive import TABLE, Domain, Example, Primitive, primitive
from autodiff.transforms import grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp

__version__ = "0.1.0"
