"""Conditions of single entries, for the words of the catalogue's column "varies"."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from compare.base.nested import leaves
from compare.catalogue import layer_against_torch, rule_against_torch
from compare.catalogue.entries.entry import Entry, Variant
from tests.support import words
from tests.support.words import Condition, Seen, some


def per_axis(option: Any, axes: int) -> tuple[int, ...]:
    return tuple(option) if isinstance(option, tuple) else (option,) * axes


def together(v: Variant) -> bool:
    """Stride, padding, dilation and groups at once."""
    most = {key: max(per_axis(v.options.get(key, 1), 1)) for key in ("stride", "dilation")}
    padded = v.options.get("padding", 0) not in (0, "same")
    return min(most.values()) > 1 and padded and bool(v.options.get("groups", 1) > 1)


def kernel_of_one(v: Variant) -> bool:
    return bool(v.options["kernel_size"] == 1)


def output_shape(entry: Entry, v: Variant, **changed: Any) -> tuple[int, ...]:
    module = getattr(torch.nn, entry.name)(**dict(v.options) | changed)
    return tuple(module(torch.zeros(v.inputs[0].shape)).shape)


def ceil_windows(seen: Seen) -> bool:
    """Windows that ceil_mode adds, that it adds in what padding moved, and none in spite of it."""
    added, moved, refused = False, False, False
    for v in seen.variants:
        if v.options.get("ceil_mode"):
            more = output_shape(seen.entry, v) != output_shape(seen.entry, v, ceil_mode=False)
            added |= more
            moved |= more and v.options.get("padding", 0) not in (0, (0, 0))
            refused |= not more
    return added and moved and refused


def strides(seen: Seen) -> bool:
    """A stride that is left out, one below the kernel and one above it."""
    below, above, left_out = False, False, False
    for v in seen.variants:
        stride = v.options.get("stride")
        if stride is None:
            left_out = True
            continue
        steps = zip(per_axis(v.options["kernel_size"], 2), per_axis(stride, 2), strict=True)
        for kernel, step in steps:
            below |= step < kernel
            above |= step > kernel
    return below and above and left_out


def tied_windows(seen: Seen) -> bool:
    """Neighbours along the last axis that are equal, and not 0 alone."""
    return all(
        any(((x[..., 1:] == x[..., :-1]) & (x[..., 1:] != 0)).any() for _, x in one.inputs)
        for one in (Seen(seen.entry, seed) for seed in words.SEEDS)
    )


def no_variance(seen: Seen) -> bool:
    """A channel, a row or an instance all of whose numbers are equal."""
    name = seen.entry.name
    for v, x in seen.inputs:
        if name.startswith("BatchNorm") and v.training:
            flat = np.moveaxis(x, 1, 0).reshape(x.shape[1], -1)
        else:
            flat = x.reshape(x.shape[0], -1) if name != "GroupNorm" else x[:, :2].reshape(-1, 2)
        if (flat == flat[:, :1]).all(axis=1).any():
            return True
    return False


def repeated(seen: Seen) -> bool:
    return any(len(np.unique(x)) < x.size for _, x in seen.inputs)


def every_padding_row(seen: Seen) -> bool:
    """The row that is not learned is looked up, and it is also row 0 and one from the end."""
    found = set()
    for v, x in seen.inputs:
        if "padding_idx" in v.options:
            index = v.options["padding_idx"]
            if (x == index % v.options["num_embeddings"]).any():
                found.add(int(np.sign(index)))
    return found == {-1, 0, 1}


def ignored(seen: Seen) -> bool:
    """Ignored samples with weights and without, by another index, and all of a batch."""
    found = set()
    for v, problem in seen.problems:
        target = problem.inputs[1]
        hidden = target == v.options.get("ignore_index", -100)
        if hidden.all() and v.undefined:
            found.add("all")
        elif hidden.any():
            found.add("weights" if "weight" in v.options else "none")
            found |= {"another"} & ({"another"} if "ignore_index" in v.options else set())
    return found == {"all", "weights", "none", "another"}


def guards(v: Variant, y: Any, target: Any) -> bool:
    """Certain and wrong to either side, certain and right, and all but certain."""
    certain = [((y == p) & (target == t)).any() for p in (0, 1) for t in (0, 1)]
    close = ((y > 0) & (y < 1e-12)).any() and ((y < 1) & (y > 1 - 1e-12)).any()
    return all(certain) and bool(close)


def masks(*wanted: str) -> Condition:
    def holds(seen: Seen) -> bool:
        prefix = "src_" if seen.entry.name == "TransformerEncoderLayer" else ""
        matrix = "src_mask" if prefix else "attn_mask"
        found = set()
        for _, problem in seen.problems:
            attn = problem.given.get(matrix)
            padding = problem.given.get(f"{prefix}key_padding_mask")
            if attn is not None and attn.dtype == bool:
                found.add("all hidden" if attn.all(axis=-1).any() else "causal")
            if attn is not None and attn.dtype != bool:
                found.add("of −∞" if np.isinf(attn).any() else "added")
            if padding is not None:
                found.add("padding")
                key = problem.inputs[1] if not prefix else problem.inputs[0]
                if padding[..., -1].all() and np.abs(key[-1]).min() > 5 * np.abs(key[:-1]).max():
                    found.add("far larger")
            if padding is not None and attn is not None:
                found.add("two together")
        return found >= set(wanted)

    return holds


def seen_masks(seen: Seen) -> bool:
    """Masks whose truth means that a key is seen; a row without any, numbers, −∞."""
    found = set()
    for mask in filter(lambda one: one is not None, seen.given("attn_mask")):
        if mask.dtype == bool:
            found |= {"true"} | ({"none"} if (~mask).all(axis=-1).any() else set())
        else:
            found.add("−∞" if np.isinf(mask).any() else "added")
    return found == {"true", "none", "−∞", "added"}


def is_causal(seen: Seen) -> bool:
    """The promise with a mask alone, and beside another one; a whole layer's alone will do."""
    if seen.entry.name == "ScaledDotProductAttention":
        return any(seen.option("is_causal"))
    promised = [v for v in seen.variants if v.given.get("is_causal")]
    return len(promised) >= (2 if seen.entry.name == "MultiheadAttention" else 1)


def changing(seen: Seen) -> bool:
    """All that a schedule may change does so from step to step, in more than one group."""
    several = 0
    for v in seen.variants:
        moments = rule_against_torch.record(seen.entry, v, "float64", seen.seed)
        for key in moments[0].changes[0]:
            values = {repr(moment.changes[0][key]) for moment in moments}
            if len(values) < len(moments):
                return False
        several += len(moments[0].changes) > 1
    return several > 0


def absent(seen: Seen) -> bool:
    """Some tensors have no gradient, always or at times; some entries of others are exactly 0."""
    for v in seen.variants:
        moments = rule_against_torch.record(seen.entry, v, "float64", seen.seed)
        missing = [set(rule_against_torch.SHAPES) - set(moment.grads) for moment in moments]
        zeros = any((g == 0).any() and (g != 0).any() for m in moments for g in m.grads.values())
        if not set.intersection(*missing) or len(set(map(frozenset, missing))) < 2 or not zeros:
            return False
    return True


def by_group(*keys: str) -> Condition:
    """An option is a list somewhere, with other numbers in it."""
    return lambda seen: all(
        any(isinstance(value, list) and len(set(value)) > 1 for value in seen.option(key))
        for key in keys
    )


def one_group_differs(seen: Seen) -> bool:
    """Schedules always have two groups; rules have them in one variant, with other options."""
    if seen.entry.kind == "schedule":
        return len(rule_against_torch.GROUPS) == 2
    return some(lambda v: len(v.options.get("groups", ())) == 2)(seen)


def felt(seen: Seen) -> bool:
    """Some row's mean square is below ε, where ε is PyTorch's own, and not 0."""
    squares = [np.square(x).mean(axis=-1) for v, x in seen.inputs if "eps" not in v.options]
    return any(((one > 0) & (one < np.finfo(float).eps)).any() for one in squares)


def strided(seen: Seen) -> bool:
    return any(v.strided for v in seen.variants)


def alone(seen: Seen) -> bool:
    return any(x.ndim == 2 for _, x in seen.inputs)


def square(seen: Seen) -> bool:
    """As many outputs, channels or second inputs as inputs."""
    pairs_of = {
        "Linear": ("in_features", "out_features"),
        "Bilinear": ("in1_features", "in2_features"),
    }
    if seen.entry.name == "PReLU":
        return any(
            x.ndim == 2 and x.shape[0] == x.shape[1] == v.options.get("num_parameters")
            for v, x in seen.inputs
        )
    first, second = pairs_of[seen.entry.name]
    return any(v.options[first] == v.options[second] for v in seen.variants)


def places(seen: Seen) -> bool:
    """Axes after the channels, and none."""
    ranks = {x.ndim for _, x in seen.inputs}
    return {2, 3} <= ranks


def upsampled(seen: Seen) -> bool:
    """Outputs smaller than the input, and larger."""
    found = set()
    for v in seen.variants:
        before, after = v.inputs[0].shape[2:], output_shape(seen.entry, v)[2:]
        found |= {int(np.sign(m - n)) for n, m in zip(before, after, strict=True)}
    return found >= {-1, 1}


def adapted(seen: Seen) -> bool:
    found = set()
    for v in seen.variants:
        sizes = zip(v.inputs[0].shape[-2:], output_shape(seen.entry, v)[-2:], strict=True)
        found |= {int(np.sign(m - n)) for n, m in sizes}
    return found == {-1, 0, 1}


def normed_groups(seen: Seen) -> bool:
    found = {(v.options["num_groups"], v.options["num_channels"]) for v in seen.variants}
    return (
        any(g == 1 for g, _ in found)
        and any(g == c for g, c in found)
        and any(1 < g < c for g, c in found)
    )


def gamma(seen: Seen) -> bool:
    """Whatever has a weight has one other than 1 and 0."""
    weights = [p.params["weight"] for _, p in seen.problems if "weight" in p.params]
    return bool(weights) and all(not np.isin(w, (0, 1)).any() for w in weights)


def narrow(seen: Seen) -> bool:
    """As few as two numbers, or so, share a mean."""
    counts: list[int] = [x.size // x.shape[1 if x.ndim > 1 else 0] for _, x in seen.inputs]
    return min(counts) <= 12


def attention_lengths(seen: Seen) -> bool:
    both = {p.inputs[0].shape == p.inputs[1].shape for _, p in seen.problems}
    return both == {True, False}


def upstream(*paths: str) -> Condition:
    """Every output has a gradient: random numbers, at each of its entries."""

    def holds(seen: Seen) -> bool:
        v, problem = seen.problems[0]
        rng = layer_against_torch.generator(seen.entry, v, seen.seed)
        _, found = layer_against_torch.observe_torch(seen.entry, v, "float64", problem, rng)
        gradients = leaves(found, "output")
        return len(gradients) >= len(paths) and all((g != 0).all() for g in gradients.values())

    return holds


def decays(seen: Seen) -> bool:
    return any(v.options.get("weight_decay", 0) > 0 for v in seen.variants) and any(
        "weight_decay" not in v.options for v in seen.variants
    )


def milestones(seen: Seen) -> bool:
    given = seen.option("milestones")
    return any(len(set(m)) < len(m) for m in given) and any(0 in m for m in given)


def reductions(seen: Seen) -> bool:
    found = set(seen.option("reduction"))
    return found >= {"none", "mean", "sum"} and (
        seen.entry.name != "KLDivLoss" or "batchmean" in found
    )
