"""What each operation of PyTorch's rounds, as noise on it has to know.

An operation that is not named here is taken to round its result once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from enum import Enum
from functools import cache
from typing import Any

import torch
from torch import Tensor


class Kind(Enum):
    """Where an operation rounds."""

    EXACT = "nowhere"
    RESULT = "its result"
    WITHIN = "on the way to its result, relative to what it is given"


#: Operations that compute nothing: they move numbers, choose among them, or make new ones.
_MOVES = {
    *("alias", "view", "_unsafe_view", "_reshape_alias", "clone", "copy", "_to_copy", "detach"),
    *("lift", "lift_fresh", "expand", "t", "transpose", "permute", "slice", "select", "unsqueeze"),
    *("squeeze", "cat", "stack", "split", "unbind", "repeat", "flip", "roll", "rot90", "unfold"),
    *("index", "index_select", "gather", "take", "embedding", "masked_select", "scatter", "put"),
    *("masked_fill", "masked_scatter", "index_fill", "index_copy", "where", "fill", "zero"),
    *("zeros_like", "ones_like", "empty_like", "full_like", "new_zeros", "new_ones", "new_full"),
    *("new_empty", "new_empty_strided", "as_strided", "as_strided_scatter", "scalar_tensor"),
    *("select_scatter", "slice_scatter", "diagonal_scatter", "select_backward", "slice_backward"),
    *("diagonal", "diagonal_backward", "diag_embed", "tril", "triu", "repeat_interleave"),
    *("constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d"),
    *("replication_pad1d", "replication_pad2d", "replication_pad3d", "pixel_shuffle"),
    *("pixel_unshuffle", "channel_shuffle", "max_unpool2d", "max_unpool3d", "resize"),
    *("_local_scalar_dense", "view_as_real", "view_as_complex", "_conj", "resolve_conj"),
    *("real", "imag", "complex", "set", "swap_axes", "unsafe_split", "unsafe_chunk"),
}  # fmt: skip
_CHOICES = {
    *("neg", "abs", "sgn", "sign", "relu", "relu6", "threshold", "threshold_backward", "hardtanh"),
    *("hardtanh_backward", "hardshrink", "hardshrink_backward", "heaviside", "copysign", "ldexp"),
    *("round", "floor", "ceil", "trunc", "frac", "fmod", "clamp", "clamp_min", "clamp_max"),
    *("amax", "amin", "aminmax", "max", "min", "maximum", "minimum", "fmax", "fmin", "median"),
    *("nanmedian", "mode", "kthvalue", "sort", "topk", "cummax", "cummin", "_cummax_helper"),
    *("_cummin_helper", "nan_to_num", "nextafter", "max_pool2d_with_indices"),
    *("max_pool3d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool3d"),
    *("fractional_max_pool2d", "fractional_max_pool3d", "isnan", "signbit", "positive"),
}  # fmt: skip
_RANDOM = {
    *("bernoulli", "rand_like", "randn_like", "randint_like", "uniform", "normal", "exponential"),
    *("geometric", "cauchy", "log_normal", "multinomial", "poisson", "binomial", "random"),
    *("_standard_gamma", "_sample_dirichlet"),
}  # fmt: skip
_EXACT = _MOVES | _CHOICES | _RANDOM

#: Called like layers that sum, but no more than a product.
_ONCE = {"native_dropout", "native_dropout_backward"}

#: Operations whose results are sums: of products, of whatever a layer sums, of a tensor's numbers.
_PRODUCTS = ("mm", "bmm", "addmm", "baddbmm", "addbmm", "dot", "vdot", "mv", "addmv", "addr")
_LAYERS = (
    *("convolution", "native_", "_native_", "batch_norm", "_batch_norm", "_scaled", "mkldnn"),
    *("cudnn", "_thnn", "_fused", "_trilinear", "_weight_norm", "_embedding_bag", "_cdist"),
    *("_pdist", "avg_pool", "adaptive_avg_pool", "_adaptive_avg_pool", "upsample", "_upsample"),
    *("max_pool", "adaptive_max_pool", "fractional_max_pool", "grid_sampler", "im2col", "col2im"),
    *("linalg_", "_linalg", "cholesky", "_cholesky", "triangular_solve", "lu_", "_lu", "ormqr"),
    *("_fft", "_ctc", "lstm", "gru", "rnn", "matrix_exp", "slow_conv", "_slow", "conv_depthwise"),
    *("reflection_pad", "replication_pad", "_prelu_kernel_backward"),
)  # fmt: skip
_SUMS = (
    *("sum", "nansum", "mean", "cumsum", "var", "std", "prod", "cumprod", "norm", "logsumexp"),
    *("_log_softmax", "_softmax", "_safe_softmax", "logcumsumexp", "_logcumsumexp", "trace"),
    *("nll_loss", "index_add", "scatter_add", "scatter_reduce", "index_reduce", "segment_reduce"),
    *("embedding_dense_backward", "embedding_backward", "unfold_backward", "renorm", "dist"),
)  # fmt: skip

#: Norms, which of infinite order are the largest number.
_NORMS = (
    *("linalg_vector_norm", "norm", "_cdist_forward", "_cdist_backward", "_pdist_forward"),
    *("_pdist_backward",),
)

#: Those of them whose second argument says over which axes.
_BY_AXES = (
    *("sum", "nansum", "mean", "cumsum", "var", "std", "prod", "cumprod", "logsumexp"),
    *("_log_softmax", "_softmax", "_safe_softmax", "logcumsumexp", "_logcumsumexp"),
)

#: Functions of one number that PyTorch, and people, compose of others, for every real number.
_COMPOSED = {
    *("gelu", "mish", "silu", "softplus", "elu", "log_sigmoid_forward", "hardswish", "glu"),
    *("gelu_backward", "mish_backward", "silu_backward", "softplus_backward", "elu_backward"),
    *("log_sigmoid_backward", "hardswish_backward", "glu_backward", "addcmul", "addcdiv", "lerp"),
    *("logaddexp", "logaddexp2", "_euclidean_dist"),
}  # fmt: skip

#: How far a result may be off, for a relative error of 1 within the operation, where formulas pass
#: by a number near 1 that then cancels, as in 1 + erf, log(1 + e^x) or p − 1.
CANCELLING: dict[str, Callable[[Any], Tensor]] = {
    **dict.fromkeys(
        (
            *("tanh", "elu", "softplus", "expm1", "log1p", "log", "log2", "log10", "erf", "logit"),
            *("_log_softmax", "log_sigmoid_forward", "atanh", "asinh", "acosh", "sinh"),
        ),
        lambda args: torch.ones_like(args[0]),
    ),
    **dict.fromkeys(("gelu", "mish"), lambda args: args[0].abs()),
    **dict.fromkeys(
        ("_log_softmax_backward_data", "elu_backward", "binary_cross_entropy_backward"),
        lambda args: args[0].abs(),
    ),
    **dict.fromkeys(
        ("gelu_backward", "mish_backward"), lambda args: args[0].abs() * (1 + args[1].abs())
    ),
    **dict.fromkeys(
        ("lgamma", "digamma", "polygamma"), lambda args: 1 + args[-1].abs()
    ),
    **dict.fromkeys(
        ("multi_margin_loss", "multilabel_margin_loss_forward"),
        lambda args: 1 + args[0].abs().max(),
    ),
}  # fmt: skip

#: Functions that reach 1 by rounding alone, where people's formulas may stop just short of it.
SATURATING = {"sigmoid", "tanh", "erf", "_softmax", "_safe_softmax", "special_ndtr"}

#: The same of logarithms of probabilities, and 0.
SATURATING_AT_0 = {"_log_softmax", "log_sigmoid_forward"}


#: PyTorch divides by p (1 − p), or by this if that is smaller (aten/src/ATen/native/Loss.cpp).
_LEAST_VARIANCE = 1e-12


def _without_guard(args: Any, result: Tensor) -> Tensor:
    """How far the gradient of binary cross-entropy is from (p − t) / (p (1 − p))."""
    p = args[1]
    least = torch.finfo(p.dtype).eps / 2
    ratio = _LEAST_VARIANCE / (p * (1 - p)).clamp(min=least * _LEAST_VARIANCE)
    apart: Tensor = result.abs() * (ratio - 1).clamp(min=0)
    return apart


#: Backward passes that are kept from dividing by nearly 0 and so are no derivative there: how far
#: the derivative is from what they give.
GUARDED: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "binary_cross_entropy_backward": _without_guard
}


@cache
def kind(func: Any) -> tuple[str, Kind]:
    """The name of an operation, without the mark of those in place, and where it rounds."""
    schema = func._schema
    name = schema.name.partition("::")[2]
    name = name.rstrip("_") if schema.is_mutable else name
    shared = [one.alias_info for one in schema.arguments if one.alias_info is not None]
    if name in _EXACT or any(not one.is_write for one in shared):
        return name, Kind.EXACT
    if name in _ONCE:
        return name, Kind.RESULT
    sums = name in _PRODUCTS or name.startswith((*_LAYERS, *_SUMS)) or name in _COMPOSED
    return name, Kind.WITHIN if sums else Kind.RESULT


def chooses(name: str, args: Any, kwargs: Any) -> bool:
    """Whether its arguments make an operation one that only moves numbers, or chooses among them.

    The backward pass of a largest number looks for the entries that equal it.
    """
    if name in ("index_put", "_index_put_impl", "_unsafe_index_put"):
        return not (args[3] if len(args) > 3 else kwargs.get("accumulate", False))
    if name in ("scatter_reduce", "index_reduce"):
        return args[4] in ("amax", "amin")
    orders = [one for one in args[1:] if isinstance(one, int | float)]
    return name in _NORMS and any(math.isinf(order) for order in orders)


def terms(name: str, args: Any) -> float:
    """How many numbers one of the result's is summed from, about."""
    tensors = list(real(args))
    if not tensors or name in _COMPOSED:
        return 1.0
    if name in _PRODUCTS:
        return float(max(tensors[-2 if len(tensors) > 1 else 0].shape[-1:] or (1,)))
    if name in _BY_AXES or name.removesuffix("_backward_data") in _BY_AXES:
        return float(max(_reduced(tensors[0], args), 1))
    sizes = sorted((max(tensor.numel(), 1) for tensor in tensors), reverse=True)
    return math.sqrt(math.prod(sizes[:2])) if name.startswith(_LAYERS) else float(sizes[0])


def _reduced(tensor: Tensor, args: Any) -> int:
    """The number of entries along the axes that the second argument names; of all without it."""
    axes = args[1] if len(args) > 1 else None
    axes = [axes] if isinstance(axes, int) else axes
    if not isinstance(axes, list | tuple) or not axes or tensor.dim() == 0:
        return tensor.numel()
    return math.prod(tensor.shape[axis] for axis in axes if isinstance(axis, int))


def real(args: Any) -> Iterator[Tensor]:
    """The tensors of floating-point numbers among arguments."""
    for one in args:
        if isinstance(one, Tensor):
            if one.is_floating_point():
                yield one
        elif isinstance(one, list | tuple):
            yield from real(one)
