"""Normalisation of each channel, with running statistics for evaluation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.module import Array, Module, Params, Shapes
from reference.support.checks import per_axis, require, require_floating, require_numbers
from reference.support.ensemble import align, ensemble_rank
from reference.support.standardize import (
    Axes,
    affine,
    affine_backward,
    constant,
    standardize,
    standardize_backward,
)

STATISTICS = ("running_mean", "running_var")


class ChannelNorm(Module):
    r"""Each channel with mean 0 and variance 1, then scaled and shifted.

    ::

        y = (x − μ) / √(σ² + ε) · γ + β

    In training, μ and the biased σ² are those of the batch at hand, functions of x, and the
    gradient runs through them: it is derived in :mod:`reference.support.standardize`. In evaluation
    they are the running statistics, constants, so dx = dx̂ / √(σ² + ε) is all. Without running
    statistics, evaluation is the same as training.

    Each pass in training moves the running statistics by ``momentum`` towards the batch's::

        running ← (1 − momentum) · running + momentum · batch

    where the batch's variance is the unbiased one, n/(n − 1) σ², although x̂ was made with σ².
    They are buffers: no gradient runs through them.

    Args:
        num_features: channels C.
        eps: ε.
        momentum: weight of the newest batch.
        affine: whether γ (and β) are there.
        track_running_stats: whether running statistics are.
        bias: whether β is there, too.
    """

    #: How many axes x may have, when it belongs to one network.
    ranks: tuple[int, ...]
    #: Whether μ and σ² run over the samples, too, not only over the places.
    over_samples: bool

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        bias: bool,
    ) -> None:
        (self.num_features,) = per_axis(self, "num_features", num_features, 1)
        require_numbers(self, eps=eps, momentum=0 if momentum is None else momentum)
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.bias = bias

    def parameter_shapes(self) -> Shapes:
        names = ("weight", "bias") if self.bias else ("weight",)
        return dict.fromkeys(names, (self.num_features,)) if self.affine else {}

    def buffer_shapes(self) -> Shapes:
        if not self.track_running_stats:
            return {}
        return dict.fromkeys(STATISTICS, (self.num_features,)) | {"num_batches_tracked": ()}

    def init(self, rng: np.random.Generator) -> Params:
        """Weight 1 and bias 0; running variance 1 and mean 0, no batch tracked."""
        first = constant(self.parameter_shapes() | self.buffer_shapes())
        if self.track_running_stats:
            first["num_batches_tracked"] = np.zeros((), np.int64)
        return first

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        rank = self._rank(params, x)
        axes = self._axes(rank)
        if self._by_batch:
            count = math.prod(x.shape[axis] for axis in axes)
            require(not self.over_samples or self.eps > 0, self, "eps", self.eps, "greater than 0")
            require(count > 1, self, "the number of values per channel", count, "more than 1")
            xhat, mean, variance, root = standardize(x, axes, self.eps)
            batch = (mean, variance * (count / (count - 1)))
        else:
            mean, variance = (self._aligned(params[name], rank) for name in STATISTICS)
            root = np.sqrt(variance + self.eps)
            xhat, batch = (x - mean) / root, None
        return affine(self._learned(params, rank), xhat), (xhat, root, rank, batch)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        xhat, root, rank, batch = cache
        dxhat, grads = affine_backward(self._learned(params, rank), xhat, dy)
        if batch is None:
            dx = dxhat / root
        else:
            dx = standardize_backward(dxhat, xhat, root, self._axes(rank))
        return dx, {name: grad.reshape(params[name].shape) for name, grad in grads.items()}

    def buffers(self, params: Params, cache: Any) -> Params:
        before = {name: params[name] for name in self.buffer_shapes()}
        *_, rank, batch = cache
        if batch is None or not before:
            return before
        weight = self._weight(before["num_batches_tracked"])
        moved = {
            name: (1 - weight) * before[name] + weight * self._per_channel(newest, rank)
            for name, newest in zip(STATISTICS, batch, strict=True)
        }
        return before | moved | self._counted(before["num_batches_tracked"])

    @property
    def _by_batch(self) -> bool:
        """Whether μ and σ² are those of the batch."""
        return self.training or not self.track_running_stats

    def _weight(self, tracked: Array) -> float:
        """The weight of the newest batch."""
        raise NotImplementedError

    def _counted(self, tracked: Array) -> Params:
        """The number of batches after this one."""
        raise NotImplementedError

    def _rank(self, params: Params, x: Array) -> int:
        """Check the input; give how many of its axes are not an ensemble's."""
        require_floating(self, "the input", x, params)
        networks = ensemble_rank(params, self.parameter_shapes() | self.buffer_shapes())
        fitting = [rank for rank in (x.ndim - networks, x.ndim) if rank in self.ranks]
        needed = f"one with {' or '.join(map(str, self.ranks))} axes"
        require(bool(fitting), self, "the input's shape", x.shape, needed)
        found = x.shape[x.ndim - fitting[0] + self._channel_axis(fitting[0])]
        needed = f"{self.num_features}"
        require(found == self.num_features, self, "the input's number of channels", found, needed)
        return fitting[0]

    def _channel_axis(self, rank: int) -> int:
        """Where the channels are among the axes of one network's x."""
        return 0 if not self.over_samples and rank == min(self.ranks) else 1

    def _axes(self, rank: int) -> Axes:
        """The axes over which μ and σ² run, counted from the end."""
        channel = self._channel_axis(rank)
        samples = range(channel if self.over_samples else 0)
        return tuple(axis - rank for axis in (*samples, *range(channel + 1, rank)))

    def _aligned(self, p: Array, rank: int) -> Array:
        """One number per channel, with singleton axes for samples and places."""
        channel = self._channel_axis(rank)
        return align(p, 1, channel, rank - 1 - channel)

    def _learned(self, params: Params, rank: int) -> Params:
        return {name: self._aligned(params[name], rank) for name in self.parameter_shapes()}

    def _per_channel(self, statistic: Array, rank: int) -> Array:
        """A statistic with singleton axes as ``(..., C)``, averaged over the samples left in it."""
        if self._channel_axis(rank):
            statistic = statistic.mean(axis=-rank, keepdims=True)
        return statistic.reshape(*statistic.shape[: statistic.ndim - rank], self.num_features)


class BatchNorm(ChannelNorm):
    """Batch norm: μ and σ² run over samples and places. See :class:`ChannelNorm`.

    With ``momentum`` None the running statistics are the averages over all batches so far: the
    newest of t batches weighs 1/t.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
    """

    over_samples = True

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias)

    def _weight(self, tracked: Array) -> float:
        if self.momentum is not None:
            return self.momentum
        # All networks of an ensemble have seen the same number of batches.
        return 1 / (1 + int(tracked.real.reshape(-1)[0]))

    def _counted(self, tracked: Array) -> Params:
        return {"num_batches_tracked": tracked + 1}


class BatchNorm1d(BatchNorm):
    """Batch norm of x ``(N, C)`` or ``(N, C, L)``. See :class:`ChannelNorm`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
    """

    ranks = (2, 3)


class BatchNorm2d(BatchNorm):
    """Batch norm of x ``(N, C, H, W)``. See :class:`ChannelNorm`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
    """

    ranks = (4,)


class InstanceNorm2d(ChannelNorm):
    """Instance norm of x ``(N, C, H, W)`` or ``(C, H, W)``: μ and σ² run over places alone.

    The running statistics move towards the average of the samples' statistics. PyTorch does not
    count batches here, and takes a ``momentum`` of None for 0. See :class:`ChannelNorm`.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html
    """

    ranks = (4, 3)
    over_samples = False

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias)

    def _weight(self, tracked: Array) -> float:
        return self.momentum or 0.0

    def _counted(self, tracked: Array) -> Params:
        return {}
