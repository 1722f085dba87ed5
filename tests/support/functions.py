"""Functions of PyTorch as people use them in losses, with their usual arguments.

Each is a function of two parameters of shape (4, 6), ``a`` and ``b``, normal numbers; what it
returns is summed with random weights. Labels, masks and data are made as people make them: within
or outside of the loss, whole numbers, truth values, with infinities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

Function = Callable[[Tensor, Tensor], Tensor]

d: Any = torch.distributions

_G = torch.Generator().manual_seed(1)
DATA = torch.randn(4, 6, dtype=torch.float64, generator=_G)
KEEP = torch.rand(4, 6, generator=_G) < 0.6
KEEP[:, 0] = True
KEEP[0, 1] = False
LABELS = torch.tensor([0, 5, 2, 3])
SOME = torch.tensor([0, -100, 2, -100])
HOT = F.one_hot(LABELS, 6)
BITS = (torch.rand(4, 6, generator=_G) < 0.5).double()
SIGNS = 2 * BITS - 1
CAUSAL = torch.ones(4, 4).tril().bool()


def data(like: Tensor) -> Tensor:
    """The data in the dtype of a parameter."""
    return DATA.to(like.dtype)


def bits(like: Tensor) -> Tensor:
    """Zeros and ones in the dtype of a parameter."""
    return BITS.to(like.dtype)


def positive(a: Tensor) -> Tensor:
    return F.softplus(a) + 0.1


def inside(a: Tensor) -> Tensor:
    """Within (−1, 1)."""
    return 0.9 * torch.tanh(a)


def masked(a: Tensor) -> Tensor:
    return a.masked_fill(~KEEP, -torch.inf)


def causal(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.T).masked_fill(~CAUSAL, -torch.inf)


_UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    **{
        name: getattr(torch, name)
        for name in (
            *("exp", "exp2", "expm1", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asinh", "atan"),
            *("sigmoid", "erf", "erfc", "square", "abs", "relu", "neg", "sinc", "deg2rad"),
        )
    },
    **{
        name: getattr(F, name)
        for name in (
            *("softplus", "logsigmoid", "elu", "selu", "celu", "gelu", "silu", "mish", "hardswish"),
            *("hardsigmoid", "hardtanh", "relu6", "leaky_relu", "softsign", "tanhshrink"),
            *("softshrink", "hardshrink"),
        )
    },
    "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
    "threshold": lambda x: F.threshold(x, 0.1, -0.3),
    "rrelu evaluated": lambda x: F.rrelu(x, training=False),
    "clamp": lambda x: x.clamp(-0.5, 0.7),
    "clamp below infinity": lambda x: x.clamp(min=-torch.inf),
    "nan_to_num": lambda x: torch.nan_to_num(masked(x), neginf=0.0),
    "frac": lambda x: torch.frac(3 * x),
    "fmod": lambda x: torch.fmod(x, 0.4),
    "remainder": lambda x: torch.remainder(x, 0.4),
    "special.i0e": torch.special.i0e,
    "special.log_ndtr": torch.special.log_ndtr,
    "special.ndtr": torch.special.ndtr,
    "special.erfcx": torch.special.erfcx,
}
_POSITIVE: dict[str, Callable[[Tensor], Tensor]] = {
    **{
        name: getattr(torch, name)
        for name in (
            *("log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal", "lgamma", "digamma"),
        )
    },
    "pow": lambda x: x**1.7,
    "pow of a number": lambda x: 1.3**x,
    "xlogy": lambda x: torch.xlogy(x, x),
    "entr": torch.special.entr,
}
_INSIDE: dict[str, Callable[[Tensor], Tensor]] = {
    **{name: getattr(torch, name) for name in ("acos", "asin", "atanh", "erfinv")},
    "acosh": lambda x: torch.acosh(2 + x),
    "logit": lambda x: torch.logit((1 + x) / 2),
    "logit with eps": lambda x: torch.logit((1 + x) / 2, eps=0.1),
}
_BINARY: dict[str, Function] = {
    "add": lambda a, b: torch.add(a, b, alpha=0.3),
    "subtract data": lambda a, b: (a - data(a)) * b,
    "multiply": torch.mul,
    "divide": lambda a, b: a / positive(b),
    "floor divide": lambda a, b: a * torch.div(b, 0.3, rounding_mode="floor"),
    "pow": lambda a, b: positive(a) ** b,
    "float_power": lambda a, b: torch.float_power(positive(a), b),
    "atan2": torch.atan2,
    "hypot": torch.hypot,
    "logaddexp": torch.logaddexp,
    "logaddexp of minus infinity": lambda a, b: torch.logaddexp(masked(a), b),
    "logaddexp2": torch.logaddexp2,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "fmax": torch.fmax,
    "copysign": torch.copysign,
    "heaviside": lambda a, b: a * torch.heaviside(b.detach(), torch.zeros_like(b)),
    "lerp": lambda a, b: torch.lerp(a, b, 0.3),
    "addcmul": lambda a, b: torch.addcmul(a, b, data(a), value=0.7),
    "addcdiv": lambda a, b: torch.addcdiv(a, b, 2 + data(a).abs()),
    "where": lambda a, b: torch.where(a > b, a, 2 * b),
    "where a mask": lambda a, b: torch.where(KEEP, a, b * b),
    "masked_fill": lambda a, b: a.masked_fill(~KEEP, 0.0) * b,
    "masked_select": lambda a, b: torch.masked_select(a * b, KEEP),
    "masked_scatter": lambda a, b: a.masked_scatter(KEEP, b),
    "dist": lambda a, b: torch.dist(a, b),
    "cross": lambda a, b: torch.linalg.cross(a[:, :3], b[:, 3:]),
    "polar": lambda a, b: torch.view_as_real(torch.polar(positive(a), b)),
    "complex": lambda a, b: torch.view_as_real(torch.complex(a, b) ** 2),
    "complex modulus": lambda a, b: torch.complex(a, b).abs(),
}
_REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sum": lambda x: x.sum(1),
    "mean": lambda x: x.mean(0),
    "var": lambda x: x.var(1),
    "std": lambda x: x.std(0, correction=0),
    "var_mean": lambda x: torch.cat(torch.var_mean(x, 1)),
    "norm": lambda x: torch.linalg.vector_norm(x, dim=1),
    "norm of order 1": lambda x: torch.linalg.vector_norm(x, 1, dim=1),
    "norm of order 3": lambda x: torch.linalg.vector_norm(x, 3, dim=1),
    "largest norm": lambda x: torch.linalg.vector_norm(x, torch.inf, dim=1),
    "Frobenius norm": torch.linalg.matrix_norm,
    "logsumexp": lambda x: x.logsumexp(1),
    "logsumexp of minus infinity": lambda x: masked(x).logsumexp(1),
    "prod": lambda x: x.prod(1),
    "prod of all": torch.prod,
    "cumsum": lambda x: x.cumsum(1),
    "cumprod": lambda x: x.cumprod(1),
    "logcumsumexp": lambda x: x.logcumsumexp(1),
    "cummax": lambda x: x.cummax(1).values,
    "amax": lambda x: x.amax(1),
    "amin": lambda x: x.amin(0),
    "amax of all": torch.amax,
    "aminmax": lambda x: torch.cat(torch.aminmax(x, dim=1)),
    "max": lambda x: x.max(1).values,
    "max of minus infinity": lambda x: masked(x).max(1).values,
    "max of all": torch.max,
    "median": lambda x: x.median(1).values,
    "median of all": torch.median,
    "nanmedian": lambda x: x.nanmedian(1).values,
    "mode": lambda x: x.mode(1).values,
    "kthvalue": lambda x: x.kthvalue(2, 1).values,
    "quantile": lambda x: x.quantile(torch.tensor([0.2, 0.7], dtype=x.dtype), dim=1),
    "quantile of all": lambda x: torch.quantile(x, 0.35),
    "nanmean": lambda x: torch.where(KEEP, x, torch.nan).nanmean(1),
    "nansum": lambda x: torch.where(KEEP, x, torch.nan).nansum(1),
    "sort": lambda x: x.sort(1, descending=True).values,
    "topk": lambda x: x.topk(2, 1).values,
    "trapezoid": lambda x: torch.trapezoid(x, dim=1),
    "diff": lambda x: x.diff(dim=1),
    "trace": lambda x: (x @ x.T).trace(),
    "softmax": lambda x: x.softmax(1),
    "softmax of minus infinity": lambda x: masked(x).softmax(1),
    "softmin": lambda x: F.softmin(x, 0),
    "log_softmax": lambda x: x.log_softmax(1),
    "normalize": F.normalize,
    "renorm": lambda x: torch.renorm(x, 2, 0, 1.5),
    "pdist": F.pdist,
    "unfold": lambda x: x.unfold(1, 3, 2),
    "fft": lambda x: torch.view_as_real(torch.fft.rfft(x)),
    "inverse fft": lambda x: torch.fft.irfft(torch.fft.rfft(x) * 2),
    "slogdet": lambda x: torch.linalg.slogdet(x @ x.T + torch.eye(4, dtype=x.dtype))[1],
    "inverse": lambda x: torch.linalg.inv(x @ x.T + torch.eye(4, dtype=x.dtype)),
    "Cholesky": lambda x: torch.linalg.cholesky(x @ x.T + torch.eye(4, dtype=x.dtype)),
    "eigenvalues": lambda x: torch.linalg.eigvalsh(x @ x.T + torch.eye(4, dtype=x.dtype)),
    "singular values": torch.linalg.svdvals,
    "matrix_exp": lambda x: torch.linalg.matrix_exp(x[:, :4] / 4),
}
_MOVES: dict[str, Callable[[Tensor], Tensor]] = {
    "gather": lambda x: x.gather(1, LABELS[:, None]),
    "index of labels": lambda x: x[torch.arange(4), LABELS],
    "index_select twice": lambda x: x.index_select(0, torch.tensor([1, 1, 3])),
    "index by a comparison": lambda x: x[x > 0.1],
    "index by labels that equal": lambda x: (x * x)[bits(x) == 1],
    "index_add": lambda x: torch.zeros(3, 6, dtype=x.dtype).index_add(0, LABELS % 3, x),
    "scatter_add": lambda x: torch.zeros_like(x).scatter_add(1, LABELS[:, None] % 2 + 0 * HOT, x),
    "scatter_reduce": lambda x: torch.zeros_like(x).scatter_reduce(
        1, HOT, x, "amax", include_self=False
    ),
    "index_put added": lambda x: torch.zeros(6, dtype=x.dtype).index_put(
        (LABELS % 2,), x[:, 0], accumulate=True
    ),
    "take_along_dim": lambda x: x.take_along_dim(x.argsort(1), 1),
    "roll": lambda x: x.roll(1, 1) * x,
    "flip": lambda x: x.flip(0) * x,
    "tril": lambda x: x.tril() + x.triu(1) ** 2,
    "cat": lambda x: torch.cat([x, x**2]),
    "stack": lambda x: torch.stack(x.unbind(1)).cumsum(0),
    "repeat_interleave": lambda x: x.repeat_interleave(2, 1).cumsum(1),
    "pad": lambda x: F.pad(x, (1, 2), value=0.3),
    "pad by reflection": lambda x: F.pad(x[None], (2, 2), mode="reflect"),
    "embedding": lambda x: F.embedding(torch.tensor([[0, 3, 0]]), x),
    "embedding_bag": lambda x: F.embedding_bag(torch.tensor([[0, 3, 0]]), x, mode="mean"),
    "one_hot": lambda x: x * F.one_hot(x.argmax(1), 6),
    "straight through": lambda x: (x.round() - x).detach() + x * x,
    "expand": lambda x: (x[:, :1].expand(4, 6) * x).sum(0),
    "einsum": lambda x: torch.einsum("ij,kj->ik", x, x),
}
_PLACED: dict[str, Callable[[Tensor], Tensor]] = {
    "relu_": lambda x: F.relu((x * 1.1).clone(), inplace=True),
    "leaky_relu_": lambda x: F.leaky_relu(x * 1.1, inplace=True),
    "elu_": lambda x: F.elu(x * 1.1, inplace=True),
    "hardtanh_": lambda x: F.hardtanh(x * 1.1, inplace=True),
    "tanh_": lambda x: (x * 1.1).tanh_(),
    "sigmoid_": lambda x: (x * 1.1).sigmoid_(),
    "exp_": lambda x: (x * 1.1).exp_(),
    "clamp_": lambda x: (x * 1.1).clamp_(-0.5, 0.5),
    "mul_ and add_": lambda x: (x * 1.1).mul_(data(x)).add_(0.3),
    "sub_": lambda x: (x * 1.1).sub_(data(x)) ** 2,
    "masked_fill_": lambda x: (x * 1.1).masked_fill_(~KEEP, -torch.inf).softmax(1),
    "copy_ into rows": lambda x: _rows(x),
    "index_add_": lambda x: torch.zeros(3, 6, dtype=x.dtype).index_add_(0, LABELS % 3, x),
    "addmm_": lambda x: torch.zeros(4, 4, dtype=x.dtype).addmm_(x, x.T),
}


def _rows(x: Tensor) -> Tensor:
    made = torch.zeros(4, 6, dtype=x.dtype)
    for row in range(4):
        made[row] = torch.tanh(x[row])
    return made


_LOSSES: dict[str, Function] = {
    "mse_loss": lambda a, b: F.mse_loss(a * b, data(a)),
    "l1_loss": lambda a, b: F.l1_loss(a * b, data(a)),
    "smooth_l1_loss": lambda a, b: F.smooth_l1_loss(a * b, data(a), beta=0.5),
    "huber_loss": lambda a, b: F.huber_loss(a * b, data(a), delta=0.7),
    "mean over a mask": lambda a, b: ((a * b) ** 2 * KEEP).sum() / KEEP.sum(),
    "mean over a mask of numbers": lambda a, b: ((a * b) ** 2 * bits(a)).sum() / bits(a).sum(),
    "mean over a count": lambda a, b: (a * b).sum() / int(bits(a).sum()),
    "binary_cross_entropy": lambda a, b: F.binary_cross_entropy(torch.sigmoid(a * b), bits(a)),
    "binary_cross_entropy, weights": lambda a, b: F.binary_cross_entropy(
        torch.sigmoid(a * b), bits(a), weight=data(a).abs(), reduction="sum"
    ),
    "binary_cross_entropy, soft": lambda a, b: F.binary_cross_entropy(
        torch.sigmoid(a * b), 0.9 * bits(a) + 0.05
    ),
    "binary_cross_entropy_with_logits": lambda a, b: F.binary_cross_entropy_with_logits(
        a * b, bits(a), pos_weight=data(a)[0].abs()
    ),
    "cross_entropy": lambda a, b: F.cross_entropy(a * b, LABELS),
    "cross_entropy, weights": lambda a, b: F.cross_entropy(a * b, LABELS, data(a)[0].abs()),
    "cross_entropy, ignored": lambda a, b: F.cross_entropy(a * b, SOME),
    "cross_entropy, smoothed": lambda a, b: F.cross_entropy(a * b, LABELS, label_smoothing=0.1),
    "cross_entropy, probabilities": lambda a, b: F.cross_entropy(a * b, data(a).softmax(1)),
    "cross_entropy, one hot": lambda a, b: F.cross_entropy(a * b, HOT.to(a.dtype)),
    "cross_entropy, masked": lambda a, b: F.cross_entropy(
        (a * b).masked_fill(HOT.roll(1, 1) == 1, -torch.inf), LABELS
    ),
    "nll_loss": lambda a, b: F.nll_loss((a * b).log_softmax(1), LABELS),
    "nll by hand": lambda a, b: -(a * b).softmax(1)[torch.arange(4), LABELS].log().mean(),
    "kl_div": lambda a, b: F.kl_div(a.log_softmax(1), b.softmax(1), reduction="batchmean"),
    "kl_div of logarithms": lambda a, b: F.kl_div(
        a.log_softmax(1), b.log_softmax(1), log_target=True
    ),
    "poisson_nll_loss": lambda a, b: F.poisson_nll_loss(a * b, bits(a)),
    "poisson_nll_loss, full": lambda a, b: F.poisson_nll_loss(a * b, 3 * bits(a), full=True),
    "gaussian_nll_loss": lambda a, b: F.gaussian_nll_loss(a, data(a), positive(b)),
    "soft_margin_loss": lambda a, b: F.soft_margin_loss(a * b, SIGNS.to(a.dtype)),
    "hinge_embedding_loss": lambda a, b: F.hinge_embedding_loss(a * b, SIGNS.to(a.dtype)),
    "margin_ranking_loss": lambda a, b: F.margin_ranking_loss(a, b, SIGNS.to(a.dtype), 0.5),
    "multi_margin_loss": lambda a, b: F.multi_margin_loss(a * b, LABELS),
    "multilabel_margin_loss": lambda a, b: F.multilabel_margin_loss(a * b, HOT * 2),
    "multilabel_soft_margin_loss": lambda a, b: F.multilabel_soft_margin_loss(a * b, bits(a)),
    "cosine_embedding_loss": lambda a, b: F.cosine_embedding_loss(
        a, b, SIGNS[:, 0].to(a.dtype), 0.1
    ),
    "cosine_similarity": lambda a, b: F.cosine_similarity(a, b),
    "pairwise_distance": lambda a, b: F.pairwise_distance(a, b),
    "cdist": lambda a, b: torch.cdist(a, b),
    "triplet_margin_loss": lambda a, b: F.triplet_margin_loss(a, b, data(a)),
    "ctc_loss": lambda a, b: F.ctc_loss(
        (a * b)[:, None].expand(4, 2, 6).log_softmax(2),
        torch.tensor([[1, 2], [3, 3]]), torch.tensor([4, 4]), torch.tensor([2, 1]),
    ),
    "hinge by hand": lambda a, b: (1 - SIGNS.to(a.dtype) * a * b).clamp(min=0).mean(),
    "focal loss by hand": lambda a, b: _focal(a * b, bits(a)),
    "dice loss by hand": lambda a, b: 1 - (2 * (torch.sigmoid(a * b) * bits(a)).sum() + 1)
    / (torch.sigmoid(a * b).sum() + bits(a).sum() + 1),
    "log with epsilon": lambda a, b: -(
        bits(a) * torch.log(torch.sigmoid(a * b) + 1e-8)
    ).mean(),
    "accuracy beside": lambda a, b: F.cross_entropy(a * b, LABELS)
    + 0 * ((a * b).argmax(1) == LABELS).to(a.dtype).mean(),
    "indexed by a count": lambda a, b: (a * b)[int((bits(a) * 1.0).sum()) % 4].square(),
    "counted": lambda a, b: (a * b).square() * _count(bits(a), a * b),
    "asserted equal": lambda a, b: _equal(a * b, b * a).square(),
    "ties": lambda a, b: torch.stack([a * b, a.detach() * b.detach()]).amax(0),
    "nearly certain": lambda a, b: F.binary_cross_entropy(
        torch.sigmoid(a * b + 36.3 * (2 * bits(a) - 1)), bits(a)
    )
    + (a * b).sum(),
    "certain": lambda a, b: F.binary_cross_entropy(
        torch.sigmoid(a * b + 80 * (2 * bits(a) - 1)), bits(a)
    )
    + (a * b).sum(),
    "asserted finite": lambda a, b: _finite(a * b).square().mean(),
    "asserted probabilities": lambda a, b: _probabilities((a * b).softmax(1)).square().sum(),
}  # fmt: skip


def _focal(logits: Tensor, target: Tensor) -> Tensor:
    cross = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return ((1 - torch.exp(-cross)) ** 2 * cross).mean()


def _count(mask: Tensor, values: Tensor) -> float:
    """A count, in ways that are all the same."""
    number = mask.sum()
    if number != int(number) or number != (mask * (values == values)).sum():
        raise ValueError("a count is not whole")
    return float(number)


def _equal(one: Tensor, other: Tensor) -> Tensor:
    if not torch.equal(one, other):
        raise ValueError("not equal")
    return one


def _finite(values: Tensor) -> Tensor:
    if torch.isnan(values).any() or not torch.isfinite(values).all():
        raise ValueError("not finite")
    return values


def _probabilities(p: Tensor) -> Tensor:
    if not ((p >= 0) & (p <= 1)).all() or not torch.allclose(p.sum(1), torch.ones_like(p[:, 0])):
        raise ValueError("no probabilities")
    return p


_LAYERS: dict[str, Function] = {
    "matmul": lambda a, b: a @ b.T,
    "linear": lambda a, b: F.linear(a, b, data(a)[:, 0]),
    "bilinear": lambda a, b: F.bilinear(a[:, :3], b[:, :4], data(a).reshape(2, 3, 4)),
    "baddbmm": lambda a, b: torch.baddbmm(data(a)[None, :, :4], a[None], b.T[None]),
    "addmv": lambda a, b: torch.addmv(data(a)[:, 0], a, b[0]),
    "outer": lambda a, b: torch.outer(a[0], b[1]),
    "kron": lambda a, b: torch.kron(a[:2, :2], b[:2, :2]),
    "tensordot": lambda a, b: torch.tensordot(a, b, dims=([1], [1])),
    "solve": lambda a, b: torch.linalg.solve(
        a @ a.T + torch.eye(4, dtype=a.dtype), b
    ),
    "layer_norm": lambda a, b: F.layer_norm(a, (6,), b[0], b[1]),
    "rms_norm": lambda a, b: F.rms_norm(a, (6,), b[0]),
    "batch_norm": lambda a, b: F.batch_norm(a, None, None, b[0], b[1], training=True),
    "batch_norm with statistics": lambda a, b: F.batch_norm(
        a, data(a)[0], data(a)[1].abs() + 1, b[0], b[1]
    ),
    "group_norm": lambda a, b: F.group_norm(a, 2, b[0], b[1]),
    "instance_norm": lambda a, b: F.instance_norm(a[None] * b[None]),
    "local_response_norm": lambda a, b: F.local_response_norm((a * b)[None], 3),
    "conv1d": lambda a, b: F.conv1d(a[None], b[:, None, :3].expand(4, 4, 3), padding=1, stride=2),
    "conv2d": lambda a, b: F.conv2d(a[None, None], b[None, None, :3, :3], padding=1),
    "conv2d in groups": lambda a, b: F.conv2d(
        a.reshape(1, 2, 3, 4), b[:2, :4].reshape(2, 1, 2, 2), groups=2, dilation=2, padding=1
    ),
    "conv_transpose1d": lambda a, b: F.conv_transpose1d(a[None], b[:, None, :3], stride=2),
    "avg_pool1d": lambda a, b: F.avg_pool1d((a * b)[None], 3, 2, padding=1),
    "avg_pool2d": lambda a, b: F.avg_pool2d((a * b)[None, None], 2, 1, count_include_pad=False),
    "max_pool1d": lambda a, b: F.max_pool1d((a * b)[None], 3, 2),
    "max_pool2d": lambda a, b: F.max_pool2d((a * b)[None, None], 3, 1, padding=1),
    "adaptive_avg_pool1d": lambda a, b: F.adaptive_avg_pool1d((a * b)[None], 4),
    "adaptive_max_pool2d": lambda a, b: F.adaptive_max_pool2d((a * b)[None, None], 2),
    "lp_pool1d": lambda a, b: F.lp_pool1d(positive(a * b)[None], 3.0, 2),
    "interpolate": lambda a, b: F.interpolate((a * b)[None], scale_factor=2, mode="linear"),
    "interpolate nearest": lambda a, b: F.interpolate((a * b)[None], size=9),
    "fold": lambda a, b: F.fold((a * b).reshape(1, 4, 6), (3, 4), 2),
    "pixel_shuffle": lambda a, b: F.pixel_shuffle((a * b)[None, :, None], 2) ** 2,
    "dropout": lambda a, b: F.dropout(a * b, 0.4),
    "alpha_dropout": lambda a, b: F.alpha_dropout(a * b, 0.4, training=True),
    "prelu": lambda a, b: F.prelu(a, b[0, :1]),
    "glu": lambda a, b: F.glu(a * b),
    "attention": lambda a, b: F.scaled_dot_product_attention(a[None], b[None], b[None] ** 2),
    "causal attention": lambda a, b: F.scaled_dot_product_attention(
        a[None], b[None], b[None] ** 2, is_causal=True
    ),
    "causal attention by hand": lambda a, b: causal(a, b).softmax(1) @ a,
    "added mask": lambda a, b: (
        (a @ b.T) + torch.zeros(4, 4, dtype=a.dtype).masked_fill(~CAUSAL, -torch.inf)
    ).softmax(1) @ b,
    "large negative mask": lambda a, b: (a @ b.T).masked_fill(~CAUSAL, -1e9).softmax(1) @ b,
    "grid_sample": lambda a, b: F.grid_sample(
        a[None, None], inside(b)[None, :, :2, None].expand(1, 4, 2, 2), align_corners=False
    ),
    "LSTM": lambda a, b: _recurrent(torch.lstm_cell, 4, a, b),
    "GRU": lambda a, b: _recurrent(torch.gru_cell, 3, a, b),
    "running products": lambda a, b: _steps(a, b),
}  # fmt: skip


def _recurrent(cell: Any, gates: int, a: Tensor, b: Tensor) -> Tensor:
    weight = torch.cat([b[:2] * (k + 1) / 3 for k in range(gates)])
    own = data(a)[:2, :2].tile(gates, 1)
    bias = torch.zeros(2 * gates, dtype=a.dtype)
    zero = torch.zeros(4, 2, dtype=a.dtype)
    state = (zero, zero) if gates == 4 else zero
    for _ in range(2):
        state = cell(a, state, weight, own, bias, bias)
    return state[0] if isinstance(state, tuple) else state


def _steps(a: Tensor, b: Tensor) -> Tensor:
    h = torch.zeros_like(a)
    for _ in range(5):
        h = torch.tanh(a + h * b)
    return h


_DISTRIBUTIONS: dict[str, Function] = {
    "Normal": lambda a, b: d.Normal(a, positive(b)).log_prob(data(a)),
    "Normal of whole numbers": lambda a, b: d.Normal(a * b, 1.0).log_prob(bits(a)),
    "Laplace": lambda a, b: d.Laplace(a, positive(b)).log_prob(data(a)),
    "LogNormal": lambda a, b: d.LogNormal(a, positive(b)).log_prob(data(a).exp()),
    "Bernoulli": lambda a, b: d.Bernoulli(torch.sigmoid(a * b)).log_prob(bits(a)),
    "Bernoulli of logits": lambda a, b: d.Bernoulli(logits=a * b).log_prob(bits(a)),
    "Categorical": lambda a, b: d.Categorical((a * b).softmax(1)).log_prob(LABELS),
    "Categorical of logits": lambda a, b: d.Categorical(logits=a * b).entropy(),
    "OneHotCategorical": lambda a, b: d.OneHotCategorical(logits=a * b).log_prob(HOT.to(a.dtype)),
    "Poisson": lambda a, b: d.Poisson(positive(a * b)).log_prob(3 * bits(a)),
    "Gamma": lambda a, b: d.Gamma(positive(a), positive(b)).log_prob(data(a).abs()),
    "Beta": lambda a, b: d.Beta(positive(a), positive(b)).log_prob(torch.sigmoid(data(a))),
    "Dirichlet": lambda a, b: d.Dirichlet(positive(a * b)).log_prob(data(a).softmax(1)),
    "StudentT": lambda a, b: d.StudentT(3.0, a, positive(b)).log_prob(data(a)),
    "MultivariateNormal": lambda a, b: d.MultivariateNormal(
        a[0, :4], a[:, :4] @ a[:, :4].T + torch.eye(4, dtype=a.dtype)
    ).log_prob(b[:, :4]),
    "KL of normals": lambda a, b: d.kl_divergence(
        d.Normal(a, positive(b)), d.Normal(data(a), 1.0)
    ),
    "reparametrised": lambda a, b: (a + positive(b) * _drawn(a)) ** 2,
    "reparametrised by PyTorch": lambda a, b: _sampled(a, b),
    "Uniform": lambda a, b: d.Uniform(a - 3, b + 3).entropy(),
}  # fmt: skip


def _drawn(like: Tensor) -> Tensor:
    return torch.randn(like.shape, dtype=torch.float64).to(like.dtype)


def _sampled(a: Tensor, b: Tensor) -> Tensor:
    """The noise is drawn in float64 whatever the parameters are."""
    normal = d.Normal(a.double(), positive(b).double())
    sample: Tensor = normal.rsample()
    return (sample**2).to(a.dtype)


def _of(function: Callable[[Tensor], Tensor], before: Any) -> Function:
    """A function of one tensor, of both parameters."""
    return lambda a, b: function(before(a * b + 0.1 * a))


FUNCTIONS: dict[str, Function] = {
    **{name: _of(f, lambda x: x) for name, f in _UNARY.items()},
    **{name: _of(f, positive) for name, f in _POSITIVE.items()},
    **{name: _of(f, inside) for name, f in _INSIDE.items()},
    **{f"{name} of both": f for name, f in _BINARY.items()},
    **{name: _of(f, lambda x: x) for name, f in (_REDUCTIONS | _MOVES | _PLACED).items()},
    **_LOSSES,
    **_LAYERS,
    **_DISTRIBUTIONS,
}
