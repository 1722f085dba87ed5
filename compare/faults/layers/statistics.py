"""Faults of what normalisations take their statistics of, and of running statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.layers import other, output_of, when
from compare.faults.changes.methods import around, instead, options, result
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params
from reference.support.standardize import affine, scale, standardize

CHANNELS = ("BatchNorm1d", "BatchNorm2d", "InstanceNorm2d")


RUNNING = "running statistics"
EVALUATION = f"{RUNNING}, evaluation"


def _averages(self: Any) -> bool:
    return self.momentum is None


def _tracks(self: Any) -> bool:
    return bool(self.track_running_stats)


def _evaluates(self: Any) -> bool:
    return _tracks(self) and not self.training


def _batch(change: Callable[[Any, Array, Array, int], tuple[Array, Array]]) -> Changes:
    """Buffers moved towards ``change(self, mean, variance, count)``, the variance unbiased."""

    def buffers(right: Method, self: Any, params: Params, cache: Any) -> Any:
        xhat, root, rank, batch = cache
        if batch is None:
            return right(self, params, cache)
        mean, variance = batch
        count = int(np.prod([xhat.shape[axis] for axis in self._axes(rank)]))
        moved = change(self, mean, variance, count)
        return right(self, params, (xhat, root, rank, moved))

    return around("buffers", buffers)


def _biased(self: Any, mean: Array, var: Array, count: int) -> tuple[Array, Array]:
    return mean, var * ((count - 1) / count)


def _frozen(self: Any, params: Params, cache: Any) -> Params:
    return {name: params[name] for name in self.buffer_shapes()}


def _restored(right: Method, self: Any, params: Params, cache: Any) -> Any:
    """Running statistics moved in evaluation, too."""
    xhat, root, rank, batch = cache
    if batch is not None or not self.buffer_shapes():
        return right(self, params, cache)
    x = xhat * root + self._aligned(params["running_mean"], rank)
    axes = self._axes(rank)
    count = int(np.prod([x.shape[axis] for axis in axes]))
    _, mean, variance, _ = standardize(x, axes, self.eps)
    return right(self, params, (xhat, root, rank, (mean, variance * (count / (count - 1)))))


def _reversed(self: Any) -> dict[str, Any]:
    return {"momentum": None if self.momentum is None else 1 - self.momentum}


def _moves(self: Any) -> bool:
    return _tracks(self) and self.momentum is not None and self.momentum != 0.5


_MOMENTUM = when(_moves, other("buffers", _reversed))


def _over(axes_of: Callable[[Any, int], tuple[int, ...]]) -> Changes:
    """A forward whose statistics run over other axes."""

    def forward(right: Method, self: Any, params: Params, x: Array) -> Any:
        _, cache = right(self, params, x)
        rank, batch = cache[2:]
        if batch is None:
            return right(self, params, x)
        xhat, *_ = standardize(x, axes_of(self, rank), self.eps)
        return affine(self._learned(params, rank), xhat), cache

    return around("forward", forward)


def _places(self: Any, rank: int) -> tuple[int, ...]:
    """Without the samples; where there is nothing but samples, with the channels."""
    return tuple(range(2 - rank, 0)) if rank > 2 else (-2, -1)


_REMEDY = "running ← (1 − momentum) · running + momentum · batch"
_RUNNING = faults(CHANNELS, Right("keep n/(n − 1) σ², though x̂ is made with σ²"),
    Row("biased running variance", "the running variance moves towards the biased variance",
        "buffer running_var", _batch(_biased), needs=f"{RUNNING}, few values"),
    Right(_REMEDY),
    Row("momentum convention",
        "momentum weighs the old statistics, as in Keras: 1 − momentum weighs the new ones",
        "buffer running_mean", _MOMENTUM, needs=f"{RUNNING}, momentum ≠ ½"),
    Row("running statistics never moved", "the running statistics stay what they were",
        "buffer running_mean", instead("buffers", _frozen), needs=RUNNING),
    Right("leave the running statistics alone in evaluation"),
    Row("running statistics moved in evaluation", "evaluation moves the running statistics, too",
        "buffer running_mean", around("buffers", _restored), needs=EVALUATION),
    Right("keep the variance; add ε and take the root when it is used"),
    Row("standard deviation for variance",
        "the running variance moves towards the standard deviation", "buffer running_var",
        _batch(lambda self, mean, var, count: (mean, np.sqrt(var))), needs=RUNNING),
    Right("use the running statistics in evaluation"),
    Row("batch statistics in evaluation", "evaluation normalises with the batch at hand", "output",
        when(_tracks, options("forward", training=True)), needs=EVALUATION),
    Right("use the batch's statistics in training"),
    Row("running statistics in training", "training normalises with the running statistics",
        "output", when(_tracks, options("forward", training=False)), needs=f"{RUNNING}, training"),
    Right("s = √(running_var + ε)"),
    Row("ε missing in evaluation",
        "evaluation divides by the root of the running variance without ε", "output",
        when(_evaluates, options("forward", eps=0.0)), needs=EVALUATION),
)  # fmt: skip


def _one_fewer(right: Method, self: Any, tracked: Any) -> Any:
    return right(self, tracked - 1)


_BATCH = faults(("BatchNorm1d", "BatchNorm2d"),
    Right("num_batches_tracked + 1 after every batch in training"),
    Row("batches not counted", "num_batches_tracked stays what it was",
        "buffer num_batches_tracked", result("_counted", lambda counted: {}), needs=RUNNING),
    Right("the newest of t batches weighs 1/t"),
    Row("momentum None taken for 0.1",
        "the running statistics are no averages over all batches", "buffer running_mean",
        when(_averages, other("buffers", lambda self: {"momentum": 0.1})), needs="momentum=None"),
    Right("the newest of t batches weighs 1/t, itself counted"),
    Row("average over one batch fewer",
        "the newest of t batches weighs 1/(t − 1)", "buffer running_mean",
        when(_averages, around("_weight", _one_fewer)), needs="momentum=None"),
    Right("statistics of each channel over samples and places"),
    Row("statistics of single samples",
        "mean and variance run over the places alone, not over the samples", "output",
        _over(_places), needs="batch > 1"),
    Row("statistics of single places", "mean and variance run over the samples alone, as for rows",
        "output", _over(lambda self, rank: (-rank,) if rank > 2 else (-2, -1)), needs="places"),
)  # fmt: skip


def _features_over(axes: tuple[int, ...]) -> Changes:
    """A layer norm whose statistics run over other axes."""

    def forward(right: Method, self: Any, params: Params, x: Array) -> Any:
        _, cache = right(self, params, x)
        make = standardize if hasattr(self, "bias") else scale
        xhat = make(x, axes, self.eps or float(np.finfo(x.dtype).eps))[0]
        return affine(self._learned(params, x), xhat), cache

    return around("forward", forward)


def _dealt(right: Method, self: Any, params: Params, x: Array) -> Any:
    """Channel c in group c mod G."""
    _, cache = right(self, params, x)
    places = self._places(params, x)
    axis = x.ndim - 1 - places
    lead, behind = x.shape[:axis], x.shape[axis + 1 :]
    members = self.num_channels // self.num_groups
    dealt = x.reshape(*lead, members, self.num_groups, *behind).swapaxes(axis, axis + 1)
    flat = dealt.reshape(*lead, self.num_groups, members * int(np.prod(behind)))
    xhat = standardize(flat, (-1,), self.eps)[0]
    back = xhat.reshape(*lead, self.num_groups, members, *behind).swapaxes(axis, axis + 1)
    return affine(self._learned(params, places), back.reshape(x.shape)), cache


def _by_length(right: Method, self: Any, params: Params, x: Array) -> Any:
    """Divided by the root of the sum of squares, not of their mean."""
    y, cache = right(self, params, x)
    count = int(np.prod(self.normalized_shape))
    return y / float(np.sqrt(count)), cache


def _centred_too(right: Method, self: Any, params: Params, x: Array) -> Any:
    return right(self, params, x - x.mean(axis=self._check(x), keepdims=True))


_OTHERS = faults(
    "InstanceNorm2d", Right("statistics of each sample's channel over its places"),
    Row("statistics of the whole batch",
        "mean and variance run over the samples, too, as in batch norm", "output",
        _over(lambda self, rank: (-rank, -2, -1) if rank == 4 else (-2, -1)), needs="batch > 1"),
    ("LayerNorm", "RMSNorm"), Right("statistics of each sample over normalized_shape"),
    Row("statistics over the samples", "the statistics run along the first axis, not the features",
        "output", _features_over((0,))),
    ("LayerNorm", "RMSNorm"), Right("statistics over all axes of normalized_shape"),
    Row("statistics over the last axis alone",
        "only the last of the normalised axes is averaged over", "output",
        _features_over((-1,)), needs="normalized_shape of more than one axis"),
    "GroupNorm", Right("groups are of neighbouring channels: c is in group ⌊c G/C⌋"),
    Row("channels dealt out to the groups", "channel c is taken for a member of group c mod G",
        "output", around("forward", _dealt), needs="more than one group of more than one channel"),
    Right("statistics of each group of channels"),
    Row("one group", "the statistics run over all channels, as in layer norm", "output",
        output_of(lambda self: {"num_groups": 1}), needs="more than one group"),
    "RMSNorm", Right("y = x/√(mean(x²) + ε) · γ"),
    Row("divided by the length",
        "x is divided by the root of the sum of squares, not of their mean", "output",
        around("forward", _by_length)),
    Right("y = x/√(mean(x²) + ε) · γ: RMS norm does not centre"),
    Row("mean subtracted", "x is centred first, as in layer norm", "output",
        around("forward", _centred_too)),
)  # fmt: skip

STATISTICS = (*_RUNNING, *_BATCH, *_OTHERS)
