"""The catalogue does what its column says: each word is a condition that the variants meet."""

from __future__ import annotations

import math
from typing import Any

import pytest

from compare.catalogue import rule_against_torch
from compare.catalogue.entries.entry import Entry, variant
from compare.catalogue.table import CATALOGUE
from tests.support import words
from tests.support.word_conditions import (
    absent,
    adapted,
    alone,
    attention_lengths,
    by_group,
    ceil_windows,
    changing,
    decays,
    every_padding_row,
    felt,
    gamma,
    guards,
    ignored,
    is_causal,
    kernel_of_one,
    masks,
    milestones,
    narrow,
    no_variance,
    normed_groups,
    one_group_differs,
    per_axis,
    places,
    reductions,
    repeated,
    seen_masks,
    square,
    strided,
    strides,
    tied_windows,
    together,
    upsampled,
    upstream,
)
from tests.support.words import (
    Condition,
    Seen,
    apart,
    contains,
    corners,
    differs,
    each,
    entries,
    lengths,
    pairs,
    phrases,
    signs,
    some,
    takes,
)

#: What each word means.
WORDS: dict[str, Condition] = {
    # of inputs
    "samples (1, many)": lengths(1, 2),
    "samples (none, many)": lengths(0, 2),
    "samples (none, 1, many)": lengths(0, 1, 2),
    "samples (none, 1, many, two axes of them)": lengths(0, 1, 2, 3),
    "zeros": entries(lambda x: (x == 0).any() and (x != 0).any()),
    "zeros of either sign": words.both_zeros,
    "±1e3": contains(1e3, -1e3),
    "±1e3 and 1e-30": contains(1e3, -1e3, 1e-30),
    "±1e3 and ±1e-30": contains(1e3, -1e3, 1e-30, -1e-30),
    "logits of ±1e3": contains(1e3, -1e3),
    "logits of ±1e3 and −∞": each(contains(1e3, -1e3), contains(-math.inf)),
    "logarithms of −∞": contains(-math.inf),
    "not contiguous": strided,
    "exact corners": corners,
    "ties": words.tied_softmax,
    "square": square,
    "places": places,
    "steps (1, many)": words.steps,
    "one sample alone": alone,
    "batch first": takes("batch_first", True, None),
    "repeated indices": repeated,
    "axes of indices (0 to 2)": lambda seen: {x.ndim for _, x in seen.inputs} == {0, 1, 2},
    "padding_idx (0, from either end)": every_padding_row,
    "odd sizes": entries(lambda x: x.shape[-1] % 2 and x.shape[-2] % 2),
    # of layers
    "bias": takes("bias", False, None),
    "no bias": takes("bias", False, None),
    "evaluation": lambda seen: {v.training for v in seen.variants} == {True, False},
    "training and evaluation": lambda seen: {v.training for v in seen.variants} == {True, False},
    "which axes": each(differs("start_dim"), differs("end_dim")),
    "which axis": differs("dim"),
    "axis": takes("dim", None, 0, -1),
    "axis (None too)": takes("dim", None, 0, 1, -1),
    "an inferred size": some(lambda v: -1 in v.options["unflattened_size"]),
    "p (0, 0.3, 0.5, 0.8)": takes("p", 0.0, 0.3, 0.5, 0.8),
    "the mask is the one PyTorch drew": lambda seen: all(
        mask is not None for mask in seen.given("mask")
    ),
    "stride": differs("stride"),
    "padding": differs("padding"),
    "dilation": differs("dilation"),
    "dilation (by axis)": some(lambda v: len(set(per_axis(v.options.get("dilation", 1), 2))) > 1),
    "output_padding": differs("output_padding"),
    "groups": some(lambda v: v.options.get("groups", 1) > 1),
    "all of these together": some(together),
    "kernels of 1": some(kernel_of_one),
    "kernel": differs("kernel_size"),
    "stride (None, below, above it)": strides,
    "ceil_mode (windows added and not)": ceil_windows,
    "tied maxima": tied_windows,
    "whether the padding counts": each(
        takes("count_include_pad", False, None),
        some(lambda v: v.options.get("padding", 0) != 0 and "count_include_pad" in v.options),
    ),
    "a divisor of either sign": signs("divisor_override"),
    "outputs (smaller, larger and as large as the input)": adapted,
    "modes (nearest, linear, bilinear)": takes("mode", None, "linear", "bilinear"),
    "by size and by factor (recomputed too)": each(
        differs("size"), differs("scale_factor"), takes("recompute_scale_factor", True, None)
    ),
    "corners aligned or not": takes("align_corners", True, None),
    "down as well as up": upsampled,
    "small widths": narrow,
    "gamma ≠ 1": gamma,
    "no variance": no_variance,
    "momentum (None too)": lambda seen: (
        any("momentum" in v.options and v.options["momentum"] is None for v in seen.variants)
        and len(set(seen.option("momentum"))) > 1
    ),
    "no statistics": takes("track_running_stats", False, None),
    "no affine": takes("affine", False, None),
    "with and without statistics and affine": each(
        takes("track_running_stats", True, None), takes("affine", True, None)
    ),
    "axes (1, 2)": lambda seen: (
        {1 if isinstance(one, int) else len(one) for one in seen.option("normalized_shape")}
        == {1, 2}
    ),
    "with and without weight": takes("elementwise_affine", False, None),
    "with and without weight and bias": each(
        takes("elementwise_affine", False, None), takes("bias", False, None)
    ),
    "groups (1, some, all)": normed_groups,
    "eps given and not and felt": each(differs("eps"), felt),
    # of sequences
    "tanh and ReLU": takes("nonlinearity", "relu", None),
    "layers (1, 2)": takes("num_layers", 2, None),
    "both directions": takes("bidirectional", True, None),
    "first states given or not": lambda seen: {len(v.inputs) for v in seen.variants} == {1, 2},
    "upstream gradients at all steps and at the last states": upstream("output", "states"),
    "upstream gradients at output and weights": upstream("output", "weights"),
    "queries and keys of one length and of two": attention_lengths,
    "heads (1, several)": lambda seen: 1 in seen.option("num_heads") and differs("num_heads")(seen),
    "masks (causal, padding, added, of −∞, two together, all hidden, of what is far larger)": masks(
        "causal", "padding", "added", "of −∞", "two together", "all hidden", "far larger"
    ),
    "masks (causal, padding, two together)": masks("causal", "padding", "two together"),
    "masks (true, added, of −∞, all hidden)": seen_masks,
    "is_causal": is_causal,
    "width of the value": pairs(lambda v, q, k, value: q.shape[-1] != value.shape[-1]),
    "scale": differs("scale"),
    "widths of key and value": differs("kdim", "vdim"),
    "norm first and last": takes("norm_first", True, None),
    "eps of the norms": differs("layer_norm_eps"),
    "ReLU and GELU": takes("activation", "gelu", None),
    # of activations
    "slope of either sign": signs("negative_slope"),
    "threshold and value": differs("threshold", "value"),
    "alpha of either sign": signs("alpha"),
    "by erf and by tanh": takes("approximate", "tanh", None),
    "beta and threshold": differs("beta", "threshold"),
    "limits": differs("min_val", "max_val"),
    "lambda (0 too)": takes("lambd", 0.0, None),
    "lambda of either sign": signs("lambd"),
    "one slope and one by channel": takes("num_parameters", 3, None),
    # of losses
    "every reduction": reductions,
    "one output and several": lambda seen: (
        {x.shape[-1] == 1 for _, x in seen.inputs} == {True, False}
    ),
    "no difference": pairs(lambda v, y, t: (y == t).any() and (y != t).any()),
    "one of exactly beta": apart("beta", 1.0),
    "one of exactly delta": apart("delta", 1.0),
    "beta (0 too)": each(differs("beta"), takes("beta", 0.0)),
    "delta": differs("delta"),
    "weight": differs("weight"),
    "pos_weight": differs("pos_weight"),
    "probabilities near 0 and 1": entries(
        lambda x: ((x > 0) & (x < 1e-5)).any() and ((x < 1) & (x > 1 - 1e-5)).any()
    ),
    "guards at 0 and 1 from either side": pairs(guards),
    "classes and probabilities": lambda seen: (
        {problem.inputs[1].dtype.kind for _, problem in seen.problems} == {"i", "f"}
    ),
    "ignored samples (with weights and without, another index, all of them)": ignored,
    "label smoothing": differs("label_smoothing"),
    "targets as probabilities (some 0) and as logarithms": each(
        takes("log_target", True, None), pairs(lambda v, y, t: (t == 0).any())
    ),
    "margin": differs("margin"),
    "margin of either sign": signs("margin"),
    "vectors of 0": pairs(lambda v, a, b, t: a.ndim == 2 and (a == 0).all(axis=-1).any()),
    "p (1, 2)": takes("p", 2, None),
    "p (1, 2, 3.5)": takes("p", 1.0, None, 3.5),
    "eps (0 too)": each(differs("eps"), takes("eps", 0.0)),
    "swap": takes("swap", True, None),
    "no distance": pairs(
        lambda v, a, b, c: v.options.get("eps") == 0 and (a == b).all(axis=-1).any()
    ),
    "rates and their logarithms": takes("log_input", False, None),
    "with and without the constant": takes("full", True, None),
    "a variance by entry and by sample": lambda seen: (
        {problem.inputs[0].shape == problem.inputs[2].shape for _, problem in seen.problems}
        == {True, False}
    ),
    # of update rules
    "several tensors": lambda seen: len(rule_against_torch.SHAPES) > 3,
    "two groups": one_group_differs,
    "options that change": changing,
    "zero and absent gradients": absent,
    "weight decay": decays,
    "maximize": takes("maximize", True, None),
    "momentum": differs("momentum"),
    "dampening": differs("dampening"),
    "Nesterov": takes("nesterov", True, None),
    "lr_decay": differs("lr_decay"),
    "eps": differs("eps"),
    "first accumulator": differs("initial_accumulator_value"),
    "rho": differs("rho"),
    "alpha": differs("alpha"),
    "centred": takes("centered", True, False),
    "betas": differs("betas"),
    "amsgrad": takes("amsgrad", True, None),
    "momentum decay": differs("momentum_decay"),
    "decoupled decay": takes("decoupled_weight_decay", True, None),
    "factors and limits of the step": differs("etas", "step_sizes"),
    "lambda": differs("lambd"),
    "t0": some(lambda v: v.options.get("t0", 1e6) < rule_against_torch.STEPS),
    # of schedules
    "60 counts": lambda seen: rule_against_torch.COUNTS == 60,
    "step": differs("step_size"),
    "gamma": differs("gamma"),
    "milestones (twice the same, 0)": milestones,
    "gamma below and above 1": lambda seen: (
        min(seen.option("gamma")) < 1 < max(seen.option("gamma"))
    ),
    "first and last factor": differs("start_factor", "end_factor"),
    "half periods longer and shorter than the run": lambda seen: (
        min(seen.option("T_max")) < rule_against_torch.COUNTS < max(seen.option("T_max"))
    ),
    "least rate": differs("eta_min"),
    "periods that stay and that grow": takes("T_mult", 2, None),
    "power": differs("power"),
    "any function of the count": some(lambda v: callable(v.options["lr_lambda"])),
    "one for each group": by_group("lr_lambda"),
    "cosine and linear": takes("anneal_strategy", "linear", None),
    "two and three phases": takes("three_phase", True, None),
    "rates and momenta by group": by_group("max_lr", "base_momentum", "max_momentum"),
    "momentum and betas and neither": each(
        takes("cycle_momentum", False, None),
        lambda seen: {v.given.get("optimizer") for v in seen.variants} == {None, "Adam"},
    ),
    "length by steps and by epochs": differs("total_steps", "epochs", "steps_per_epoch"),
    "two and three schedules": lambda seen: (
        {len(parts) for parts in seen.option("schedulers")} == {2, 3}
    ),
    "mode": takes("mode", "max", None),
    "threshold (relative and absolute)": each(
        differs("threshold"), takes("threshold_mode", "abs", None)
    ),
    "patience": differs("patience"),
    "cooldown": differs("cooldown"),
    "least rate (by group too)": each(differs("min_lr"), by_group("min_lr")),
    "metrics just as good and such as are no number": words.equal_metrics,
}

USES = [(name, phrase) for name, entry in CATALOGUE.items() for phrase in phrases(entry.varies)]


@pytest.mark.parametrize(("name", "phrase"), USES)
def test_what_the_column_says_is_reached(name: str, phrase: str) -> None:
    for seed in words.SEEDS:
        assert WORDS[phrase](Seen(CATALOGUE[name], seed)), f"{name}, seed {seed}: not {phrase}"


def test_no_word_is_explained_in_vain() -> None:
    assert {phrase for _, phrase in USES} == set(WORDS)


# The conditions can fail.

IGNORED = "ignored samples (with weights and without, another index, all of them)"


def without(name: str, *keys: str, **changed: Any) -> Entry:
    """An entry with these options left out, or changed, in all its variants."""
    entry = CATALOGUE[name]
    variants = tuple(
        variant(
            *one.inputs,
            **{key: value for key, value in one.options.items() if key not in keys} | changed,
        )
        for one in entry.variants
    )
    return Entry(name, entry.kind, entry.varies, variants, entry.differentiable)


@pytest.mark.parametrize(
    ("entry", "phrase"),
    [
        (without("MaxPool1d", "ceil_mode"), "ceil_mode (windows added and not)"),
        (
            without("MaxPool2d", kernel_size=2, stride=2, padding=0),
            "stride (None, below, above it)",
        ),
        (without("Conv2d", "groups"), "all of these together"),
        (without("Conv1d", kernel_size=3), "kernels of 1"),
        (
            without("NLLLoss", "weight"),
            "ignored samples (with weights and without, another index, all of them)",
        ),
        (without("Hardtanh", min_val=-0.3), "exact corners"),
        (without("Embedding", "padding_idx"), "padding_idx (0, from either end)"),
        (without("SGD", "groups"), "two groups"),
        (without("SGD", "groups"), "options that change"),
        (without("LambdaLR", lr_lambda=abs), "one for each group"),
    ],
)
def test_condition_that_is_not_met_is_told(entry: Entry, phrase: str) -> None:
    assert not WORDS[phrase](Seen(entry, 0))


def test_unknown_words_have_no_condition() -> None:
    assert phrases("p (1, 2), margin; two groups") == ["p (1, 2)", "margin", "two groups"]
    assert "colour" not in WORDS
