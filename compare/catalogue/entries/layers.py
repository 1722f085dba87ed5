"""Layers for rows and images: linear maps, convolution, pooling, normalisation and the rest."""

from __future__ import annotations

from typing import Any

from compare.catalogue.entries.entry import Entry, Variant, variant, x

LINEAR = (
    Entry(
        "Linear",
        "layer",
        "samples (none, 1, many, two axes of them), square, bias, zeros, ±1e3 and 1e-30, "
        "not contiguous",
        (
            variant((5, 3), in_features=3, out_features=4),
            variant((1, 4), in_features=4, out_features=3, bias=False),
            variant((2, 3, 5), in_features=5, out_features=2),
            variant((4,), in_features=4, out_features=6),
            variant(x(6, 3, kind="extreme"), in_features=3, out_features=7),
            variant(x(6, 3, kind="zeros"), in_features=3, out_features=7, strided=True),
            variant((5, 4), in_features=4, out_features=4),
        ),
    ),
    Entry(
        "Bilinear",
        "layer",
        "samples (1, many), square, bias, zeros, not contiguous",
        (
            variant((5, 3), (5, 4), in1_features=3, in2_features=4, out_features=2),
            variant((1, 2), (1, 3), in1_features=2, in2_features=3, out_features=4, bias=False),
            variant(
                x(4, 3, kind="zeros"),
                x(4, 2, kind="extreme"),
                in1_features=3,
                in2_features=2,
                out_features=5,
                strided=True,
            ),
            variant((4, 3), (4, 3), in1_features=3, in2_features=3, out_features=2),
        ),
    ),
    Entry(
        "Embedding",
        "layer",
        "repeated indices, axes of indices (0 to 2), padding_idx (0, from either end)",
        (
            variant(x(9, kind="index", count=5), num_embeddings=5, embedding_dim=3),
            variant(x(kind="index", count=4), num_embeddings=4, embedding_dim=2),
            variant(
                x(3, 4, kind="index", count=6), num_embeddings=6, embedding_dim=3, padding_idx=2
            ),
            variant(
                x(7, kind="index", count=3),
                num_embeddings=3,
                embedding_dim=4,
                padding_idx=-1,
                strided=True,
            ),
            variant(x(5, kind="index", count=4), num_embeddings=4, embedding_dim=2, padding_idx=0),
        ),
    ),
)

SHAPES = (
    Entry(
        "Flatten",
        "layer",
        "which axes, samples (1, many)",
        (
            variant((3, 2, 4)),
            variant((1, 2, 3, 2), start_dim=2),
            variant((2, 3, 4), start_dim=0, end_dim=-2, strided=True),
        ),
    ),
    Entry(
        "Unflatten",
        "layer",
        "which axis, an inferred size",
        (
            variant((3, 8), dim=1, unflattened_size=(2, 4)),
            variant((1, 6, 2), dim=-2, unflattened_size=(-1, 3)),
        ),
    ),
    Entry(
        "Dropout",
        "layer",
        "p (0, 0.3, 0.5, 0.8), zeros, ±1e3, evaluation; the mask is the one PyTorch drew",
        (
            variant(x(6, 5, kind="zeros"), p=0.3),
            variant((2, 3, 4), p=0.8, strided=True),
            variant((4, 3), p=0.0),
            variant(x(3, 4, kind="extreme"), p=0.5),
            variant((4, 3), p=0.3, training=False),
        ),
    ),
)

CONVOLUTIONS = (
    Entry(
        "Conv1d",
        "layer",
        "stride, padding, dilation, groups, all of these together, kernels of 1, bias, samples "
        "(none, 1, many), ±1e3, not contiguous",
        (
            variant((3, 2, 9), in_channels=2, out_channels=4, kernel_size=3),
            variant((2, 7), in_channels=2, out_channels=3, kernel_size=2, padding=1, stride=2),
            variant((1, 4, 11), in_channels=4, out_channels=6, kernel_size=3, dilation=2, groups=2),
            variant(
                x(2, 3, 8, kind="extreme"),
                in_channels=3,
                out_channels=3,
                kernel_size=4,
                stride=3,
                groups=3,
                bias=False,
                strided=True,
            ),
            variant((2, 2, 6), in_channels=2, out_channels=3, kernel_size=3, padding="same"),
            variant((2, 2, 7), in_channels=2, out_channels=3, kernel_size=4, padding="same"),
            variant(
                (2, 4, 10),
                in_channels=4,
                out_channels=6,
                kernel_size=3,
                stride=2,
                padding=2,
                dilation=2,
                groups=2,
            ),
            variant((2, 4, 5), in_channels=4, out_channels=2, kernel_size=1, padding=1, groups=2),
        ),
    ),
    Entry(
        "Conv2d",
        "layer",
        "stride, padding, dilation (by axis), groups, all of these together, kernels of 1, bias, "
        "odd sizes, samples (none, 1, many), zeros, ±1e3, not contiguous",
        (
            variant((2, 3, 7, 5), in_channels=3, out_channels=4, kernel_size=3, padding=1),
            variant(
                (1, 2, 8, 7),
                in_channels=2,
                out_channels=3,
                kernel_size=(3, 2),
                stride=(2, 3),
                padding=(0, 1),
                strided=True,
            ),
            variant(
                (2, 4, 9, 6),
                in_channels=4,
                out_channels=6,
                kernel_size=(2, 3),
                dilation=(3, 2),
                groups=2,
                bias=False,
            ),
            variant(
                x(3, 5, 4, kind="zeros"), in_channels=3, out_channels=3, kernel_size=2, groups=3
            ),
            variant((2, 2, 5, 6), in_channels=2, out_channels=3, kernel_size=1, stride=2),
            variant((2, 2, 4, 5), in_channels=2, out_channels=3, kernel_size=2, padding="same"),
            variant(
                x(2, 2, 6, 5, kind="extreme"),
                in_channels=2,
                out_channels=2,
                kernel_size=(2, 3),
                padding="same",
                dilation=(2, 1),
                strided=True,
            ),
            variant((1, 1, 3, 4), in_channels=1, out_channels=2, kernel_size=(3, 4), padding=2),
            variant(
                (2, 4, 7, 6),
                in_channels=4,
                out_channels=6,
                kernel_size=(3, 2),
                stride=(2, 3),
                padding=(1, 2),
                dilation=(2, 3),
                groups=2,
            ),
            variant(
                (2, 4, 3, 4), in_channels=4, out_channels=2, kernel_size=1, padding=1, groups=2
            ),
        ),
    ),
    Entry(
        "ConvTranspose2d",
        "layer",
        "stride, padding, output_padding, dilation, groups, all of these together, kernels of 1, "
        "bias, samples (none, 1, many), zeros, ±1e3, not contiguous",
        (
            variant((2, 3, 4, 5), in_channels=3, out_channels=2, kernel_size=3),
            variant(
                (1, 4, 3, 4),
                in_channels=4,
                out_channels=6,
                kernel_size=(3, 2),
                stride=(2, 3),
                padding=1,
                output_padding=(1, 2),
                groups=2,
                bias=False,
                strided=True,
            ),
            variant((2, 2, 4, 3), in_channels=2, out_channels=3, kernel_size=2, dilation=(2, 3)),
            variant(
                x(2, 4, 3, kind="extreme"), in_channels=2, out_channels=2, kernel_size=2, stride=3
            ),
            variant(
                x(2, 2, 3, 4, kind="zeros"),
                in_channels=2,
                out_channels=2,
                kernel_size=3,
                padding=(2, 0),
                groups=2,
            ),
            variant(
                (2, 4, 3, 4),
                in_channels=4,
                out_channels=6,
                kernel_size=(3, 2),
                stride=(2, 3),
                padding=(1, 2),
                output_padding=(1, 2),
                dilation=(2, 3),
                groups=2,
            ),
            variant((2, 3, 3, 2), in_channels=3, out_channels=2, kernel_size=1, stride=2),
        ),
    ),
)

_POOLED = (
    "kernel, stride (None, below, above it), padding, ceil_mode (windows added and not), samples "
    "(none, 1, many)"
)

#: Few numbers, so that windows have several equal maxima; of 0 either sign.
_TIED = (-1.0, -0.0, 0.0, 1.0)

#: Windows of ceil_mode along one axis: a last one within the input, one that begins in what the
#: padding has moved there, and one that would begin beyond it and so is none.
_CEIL: tuple[tuple[int, dict[str, Any]], ...] = (
    (8, {"kernel_size": 4, "stride": 3}),
    (6, {"kernel_size": 3, "stride": 3, "padding": 1}),
    (6, {"kernel_size": 2, "stride": 3}),
    (7, {"kernel_size": 3, "stride": 4, "padding": 1}),
)


def _ceil(**more: Any) -> tuple[Variant, ...]:
    """A variant for each of the windows."""
    return tuple(
        Variant((x(2, 2, size),), {"ceil_mode": True} | options | more) for size, options in _CEIL
    )


def _ceil_of_images(**more: Any) -> tuple[Variant, ...]:
    """Each of the windows along rows, beside the next one along columns."""
    variants = []
    for number, (rows, first) in enumerate(_CEIL):
        columns, second = _CEIL[(number + 1) % len(_CEIL)]
        keys = ("kernel_size", "stride", "padding")
        both = {key: (first.get(key, 0), second.get(key, 0)) for key in keys}
        variants.append(Variant((x(2, 2, rows, columns),), {"ceil_mode": True} | both | more))
    return tuple(variants)


POOLS = (
    Entry(
        "MaxPool1d",
        "layer",
        f"{_POOLED}, tied maxima, dilation",
        (
            variant(x(2, 3, 9, kind="ties", values=_TIED), kernel_size=3, stride=2, padding=1),
            variant((3, 9), kernel_size=2, stride=3, dilation=3, ceil_mode=True, strided=True),
            variant(x(1, 2, 7, kind="zeros"), kernel_size=2, stride=3),
            variant((2, 2, 7), kernel_size=2),
            *_ceil(),
        ),
    ),
    Entry(
        "MaxPool2d",
        "layer",
        f"{_POOLED}, tied maxima, dilation",
        (
            variant(x(2, 3, 7, 6, kind="ties", values=_TIED), kernel_size=3, stride=2, padding=1),
            variant((1, 2, 8, 5), kernel_size=(2, 3), stride=(3, 1), ceil_mode=True),
            variant(x(2, 6, 7, kind="extreme"), kernel_size=2, dilation=(2, 3), strided=True),
            variant(x(2, 2, 6, 6, kind="zeros"), kernel_size=2),
            variant((2, 2, 5, 4), kernel_size=2, stride=1, padding=1),
            variant(x(1, 1, 5, 7, kind="ties", values=_TIED), kernel_size=3, padding=1, dilation=2),
            *_ceil_of_images(),
        ),
    ),
    Entry(
        "AvgPool1d",
        "layer",
        f"{_POOLED}, whether the padding counts",
        (
            variant((2, 3, 9), kernel_size=3, stride=2, padding=1),
            variant((3, 8), kernel_size=3, padding=1, count_include_pad=False, ceil_mode=True),
            variant(x(1, 2, 7, kind="zeros"), kernel_size=2, stride=3, strided=True),
            *_ceil(),
            *_ceil(count_include_pad=False)[1:2],
        ),
    ),
    Entry(
        "AvgPool2d",
        "layer",
        f"{_POOLED}, whether the padding counts, a divisor of either sign",
        (
            variant((2, 3, 7, 6), kernel_size=3, stride=2, padding=1),
            variant((1, 2, 8, 5), kernel_size=(2, 3), padding=1, count_include_pad=False),
            variant((2, 6, 7), kernel_size=3, stride=2, ceil_mode=True, strided=True),
            variant(x(2, 2, 5, 6, kind="extreme"), kernel_size=2, divisor_override=3),
            *_ceil_of_images(),
            *_ceil_of_images(count_include_pad=False)[:1],
            *_ceil_of_images(divisor_override=-2)[1:2],
        ),
    ),
    Entry(
        "AdaptiveAvgPool2d",
        "layer",
        "outputs (smaller, larger and as large as the input), samples (none, 1, many), zeros, ±1e3",
        (
            variant((2, 3, 7, 5), output_size=(3, 2)),
            variant((3, 5, 4), output_size=2, strided=True),
            variant((1, 2, 3, 4), output_size=(None, 6)),
            variant(x(2, 1, 5, 3, kind="extreme"), output_size=(2, 2)),
            variant(x(2, 2, 4, 5, kind="zeros"), output_size=1),
        ),
    ),
    Entry(
        "Upsample",
        "layer",
        "modes (nearest, linear, bilinear), by size and by factor (recomputed too), corners "
        "aligned or not, down as well as up, samples (1, many), ±1e3, not contiguous",
        (
            variant((2, 3, 4, 5), scale_factor=2),
            variant((1, 2, 5), size=7),
            variant((2, 2, 3, 4), size=(7, 3), mode="bilinear", strided=True),
            variant((1, 3, 4, 3), scale_factor=(1.7, 2.3), mode="bilinear"),
            variant((2, 1, 3, 4), size=(5, 7), mode="bilinear", align_corners=True),
            variant((1, 2, 5, 6), size=(1, 3), mode="bilinear", align_corners=True, strided=True),
            variant(x(2, 1, 3, 3, kind="extreme"), scale_factor=1.5, recompute_scale_factor=True),
            variant((2, 2, 5), size=3, mode="linear"),
            variant((2, 1, 5, 4), scale_factor=1.3),
            variant((1, 2, 3, 5), scale_factor=1.5, mode="bilinear", recompute_scale_factor=True),
            variant((1, 2, 4, 3), scale_factor=(1.2, 2.3)),  # to sizes that stay and double
        ),
    ),
)

_NORMED = "samples (1, many), small widths, gamma ≠ 1, no variance, ±1e3 and 1e-30, not contiguous"

#: A row that ε outweighs, one of nothing else, and one in which it is hardly felt.
_SMALL = (1e-9, -3e-9, 0.0, 2e-9, 0.0, 0.0, 0.0, 0.0, 0.5, -1.5, 1.0, 2.0)

NORMS = (
    Entry(
        "BatchNorm1d",
        "layer",
        f"{_NORMED}, places, evaluation, momentum (None too), no statistics, no affine",
        (
            variant((5, 3), num_features=3),
            variant((2, 4, 3), num_features=4, momentum=0.3, strided=True),
            variant((6, 3), num_features=3, momentum=None, eps=1e-2),
            variant((4, 3), num_features=3, training=False),
            variant((5, 2), num_features=2, eps=1e-2, training=False),
            variant((4, 2, 3), num_features=2, training=False, track_running_stats=False),
            variant(x(4, 3, kind="equal"), num_features=3, affine=False),
            variant(x(6, 2, kind="extreme"), num_features=2, bias=False),
            variant((1, 2, 3), num_features=2),
        ),
    ),
    Entry(
        "BatchNorm2d",
        "layer",
        f"{_NORMED}, evaluation, momentum (None too), no statistics, no affine",
        (
            variant((3, 2, 4, 5), num_features=2),
            variant((1, 3, 2, 3), num_features=3, momentum=None, strided=True),
            variant((2, 3, 3, 2), num_features=3, training=False),
            variant((2, 3, 3, 2), num_features=3, affine=False, track_running_stats=False),
            variant((2, 2, 3, 3), num_features=2, eps=1e-2, momentum=0.3),
            variant((2, 2, 3, 2), num_features=2, eps=1e-2, training=False),
            variant((2, 2, 3, 2), num_features=2, training=False, track_running_stats=False),
            variant(x(2, 3, 2, 2, kind="equal"), num_features=3),
            variant(x(2, 2, 3, 4, kind="extreme"), num_features=2, momentum=1.0),
        ),
    ),
    Entry(
        "InstanceNorm2d",
        "layer",
        f"{_NORMED}, training and evaluation, momentum (None too), with and without statistics and "
        "affine",
        (
            variant((3, 2, 4, 5), num_features=2),
            variant((2, 3, 3, 4), num_features=3, affine=True, track_running_stats=True),
            variant((3, 3, 4), num_features=3, affine=True, strided=True),
            variant(x(1, 2, 3, 4, kind="extreme"), num_features=2, affine=True, bias=False),
            variant(
                (2, 3, 3, 4), num_features=3, affine=True, track_running_stats=True, training=False
            ),
            variant((2, 2, 3, 2), num_features=2, eps=1e-2, affine=True),
            variant((2, 2, 3, 2), num_features=2, track_running_stats=True, momentum=0.3),
            variant((2, 2, 3, 2), num_features=2, track_running_stats=True, momentum=None),
            variant((2, 2, 3, 2), num_features=2, affine=True, training=False),
            variant(x(2, 3, 2, 2, kind="equal"), num_features=3),
            variant(
                (2, 2, 3, 2), num_features=2, eps=1e-2, track_running_stats=True, training=False
            ),
        ),
    ),
    Entry(
        "LayerNorm",
        "layer",
        f"{_NORMED}, axes (1, 2), with and without weight and bias",
        (
            variant((4, 5), normalized_shape=5),
            variant((2, 3, 2, 4), normalized_shape=(2, 4), bias=False, strided=True),
            variant((1, 2), normalized_shape=2, eps=1e-2),
            variant(x(3, 4, kind="equal"), normalized_shape=4, elementwise_affine=False),
            variant(x(2, 3, 7, kind="extreme"), normalized_shape=(3, 7)),
        ),
    ),
    Entry(
        "GroupNorm",
        "layer",
        f"{_NORMED}, groups (1, some, all), places",
        (
            variant((3, 6), num_groups=2, num_channels=6),
            variant((2, 4, 3, 5), num_groups=4, num_channels=4, strided=True),
            variant((1, 3, 7), num_groups=1, num_channels=3, eps=1e-2),
            variant((2, 6, 4), num_groups=3, num_channels=6, affine=False),
            variant(x(2, 4, kind="equal"), num_groups=2, num_channels=4),
            variant(x(2, 4, 5, kind="extreme"), num_groups=2, num_channels=4, bias=False),
        ),
    ),
    Entry(
        "RMSNorm",
        "layer",
        f"{_NORMED}, axes (1, 2), eps given and not and felt, with and without weight",
        (
            variant((4, 5), normalized_shape=5),
            variant((2, 3, 2, 4), normalized_shape=(2, 4), eps=1e-2, strided=True),
            variant(x(3, 4, kind="given", values=_SMALL), normalized_shape=4),
            variant(x(3, 4, kind="ties"), normalized_shape=4, elementwise_affine=False),
            variant(x(1, 9, kind="extreme"), normalized_shape=9, eps=1e-6),
        ),
    ),
)

LAYERS = (*LINEAR, *SHAPES, *CONVOLUTIONS, *POOLS, *NORMS)
