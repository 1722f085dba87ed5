"""What PyTorch refuses: options, and inputs of other shapes, dtypes and ranges.

By class: options and inputs that are right, then what is changed in the options, and which inputs
stand for the right ones. An input is the shape of random float32 numbers, or an array.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Options = dict[str, Any]


@dataclass(frozen=True)
class Grid:
    """What is right, and ways to be wrong, one at a time."""

    options: Options
    inputs: tuple[Any, ...]
    bad_options: tuple[Options, ...] = ()
    bad_inputs: tuple[tuple[Any, ...], ...] = ()
    bad_given: tuple[Options, ...] = field(default=())


def each(name: str, *values: Any) -> tuple[Options, ...]:
    """One option at several values."""
    return tuple({name: value} for value in values)


def whole(*shape: int) -> Any:
    return np.ones(shape, np.int64)


def double(*shape: int) -> Any:
    return np.ones(shape)


def flags(*shape: int) -> Any:
    return np.zeros(shape, bool)


def indices(*numbers: int) -> Any:
    return np.array(numbers)


def _convolution(name: str, axes: int) -> Grid:
    sizes = (7,) * axes
    options = {"in_channels": 2, "out_channels": 4, "kernel_size": 3}
    wrong = (
        *each("stride", 0, -1, 1.5, (1, 2, 3)),
        *each("padding", -1, 0.5, (1, 2, 3), "half"),
        *each("dilation", 0, -1, 4, 1.5, (1, 2, 3)),
        *each("groups", 0, -1, 3, (1, 1)),
        *each("in_channels", 0, -2, 1.5, (2, 2)),
        *each("kernel_size", 0, -1, 8, 2.5, "3", None, (), (3, 3, 3)),
        {"padding": "same", "stride": 2},
        {"padding_mode": "foo"},
        {"out_channels": 3, "groups": 2},
        {"out_channels": -2},
    )
    inputs = (
        ((1, 3, *sizes),),
        ((1, 2, *(2,) * axes),),
        (sizes,),
        ((1, 1, 2, *sizes),),
        ((1, 2, *sizes[:-1], 0),),
        (whole(1, 2, *sizes),),
        (double(1, 2, *sizes),),
    )
    return Grid(options, ((1, 2, *sizes),), wrong, inputs)


def _pool(name: str, axes: int) -> Grid:
    sizes = (6,) * axes
    wrong = (
        *each("kernel_size", 0, -1, 9, 2.5, "a", None, (2, 2, 2)),
        *each("stride", 0, -1, 1.5, (1, 1, 1)),
        *each("padding", -1, 2, 0.5, (1, 1, 1)),
        {"kernel_size": 16, "padding": 4},
    )
    if name.startswith("Max"):
        wrong += each("dilation", 0, -1, 9, (1, 1, 1))
    if name == "AvgPool2d":
        wrong += each("divisor_override", 0, 1.5)
    inputs: tuple[Any, ...] = (
        ((1, 1, 1, *sizes),),
        ((6,),),
        ((1, 2, *sizes[:-1], 1),),
        ((1, 2, *sizes[:-1], 0),),
        ((1, 0, *sizes),),
        (whole(1, 2, *sizes),),
    )
    if name == "MaxPool1d":  # PyTorch takes the maximum of whole numbers along one axis
        inputs = inputs[:-1]
    return Grid({"kernel_size": 2}, ((1, 2, *sizes),), wrong, inputs)


def _channel_norm(good: tuple[int, ...], *shapes: tuple[int, ...]) -> Grid:
    options = {"num_features": 3, "affine": True, "track_running_stats": True}
    wrong = (
        *each("num_features", -1, 2.5, 4),
        *each("eps", "a", None),
        *each("momentum", "a"),
    )
    inputs = (*((shape,) for shape in shapes), (whole(*good),), (double(*good),))
    return Grid(options, (good,), wrong, inputs)


def _feature_norm(*more: tuple[Any, ...]) -> Grid:
    wrong = (*each("normalized_shape", -1, 2.5, "a", 4, (), (4, 2)), *each("eps", "a"))
    inputs = (((4, 4),), ((),), (whole(4, 3),), *more)
    return Grid({"normalized_shape": 3}, ((4, 3),), wrong, inputs)


def _recurrent(name: str) -> Grid:
    def start(*shape: int) -> Any:
        return (shape, shape) if name == "LSTM" else shape

    x = (4, 2, 3)
    wrong = (
        *each("input_size", "a", -3, 3.0, 4),
        *each("hidden_size", "a", 0, -1, 2.0),
        *each("num_layers", 0, -1, 1.5),
        *each("dropout", "a", -0.1, 1.5),
    )
    states = [(1, 3, 2), (2, 2, 2), (1, 2, 3), (1, 2), (1, 1, 2)]
    inputs = (
        *(((shape),) for shape in ((4, 2, 4), (3,), (4, 4), (0, 2, 3), (0, 3))),
        *((x, start(*shape)) for shape in states),
        ((4, 3), start(1, 2, 2)),
        ((4, 3), start(2, 2)),
        (whole(*x),),
        (double(*x),),
        (x, (double(1, 2, 2),) * 2 if name == "LSTM" else double(1, 2, 2)),
        (x, (whole(1, 2, 2),) * 2 if name == "LSTM" else whole(1, 2, 2)),
        (x, ((1, 2, 2),) * (3 if name == "LSTM" else 2)),
    )
    if name == "RNN":
        wrong += each("nonlinearity", "sigmoid", None)
    if name == "LSTM":
        wrong += each("proj_size", 2, -1)
        inputs += ((x, (1, 2, 2)), (x, ((1, 2, 2), (1, 2, 3))))
    return Grid({"input_size": 3, "hidden_size": 2}, (x,), wrong, inputs)


_BLOCK = (4, 2, 6)
_CLASSES = indices(0, 1, 2, 0)


def _classes(*wrong: Options, **more: Any) -> Grid:
    """Losses that take the index of a class."""
    reductions = each("reduction", "foo", "batchmean")
    weights = each("weight", np.ones(2, np.float32), np.ones((3, 1), np.float32))
    inputs = (
        ((4, 3), indices(0, 1, 3, 2)),
        ((4, 3), indices(0, -1, 1, 2)),
        ((4, 3), indices(0, 1, 2)),
        ((4, 3), whole(4, 2)),
        ((4, 3), whole(4, 1)),
        ((3,), indices(0, 1)),
        ((3,), np.array(3)),
        ((2, 3, 4), indices(0, 1)),
        ((2, 3, 4), whole(2, 3)),
        (whole(4, 3), _CLASSES),
        ((4, 3), (4,)),
    )
    return Grid({}, ((4, 3), _CLASSES), (*reductions, *weights, *wrong), inputs)


_HALVES = np.full((3, 2), 0.5, np.float32)


def _pair(*wrong: Options, whole_target: bool = False) -> Grid:
    """Losses of a prediction and a target of the same shape."""
    reductions = each("reduction", "foo", 3)
    shapes = ((4, 2), (3, 3))
    inputs = (
        *((_HALVES, np.full(shape, 0.5, np.float32)) for shape in shapes),
        (whole(3, 2), whole(3, 2)),
    )
    if whole_target:
        inputs += ((_HALVES, whole(3, 2)),)
    return Grid({}, (_HALVES, _HALVES), (*reductions, *wrong), inputs)


_ALONG = Grid({"dim": 1}, ((3, 4),), each("dim", 2, -3, "a", 1.5, (0, 1)), ((whole(3, 4),),))
_WEIGHTED = np.ones(3, np.float32)


def _activation(*wrong: Options, takes_whole: bool = False, **options: Any) -> Grid:
    return Grid(options, ((3, 4),), wrong, ((flags(3, 4) if takes_whole else whole(3, 4),),))


GRIDS: dict[str, Grid] = {
    "Linear": Grid(
        {"in_features": 3, "out_features": 2},
        ((4, 3),),
        (*each("in_features", -1, "a", 4, 3.0), *each("out_features", -1, "a", 2.0)),
        (((4, 4),), ((4,),), ((),), (whole(4, 3),), (flags(4, 3),), (double(4, 3),)),
    ),
    "Bilinear": Grid(
        {"in1_features": 3, "in2_features": 2, "out_features": 4},
        ((4, 3), (4, 2)),
        (*each("in1_features", 0, 4), *each("in2_features", 0, 3), *each("out_features", -1)),
        (
            ((4, 3), (4, 3)),
            ((4, 3), (5, 2)),
            ((1, 3), (4, 2)),
            ((4, 3), (2, 4, 2)),
            (whole(4, 3), (4, 2)),
            ((4, 3), whole(4, 2)),
            (double(4, 3), double(4, 2)),
        ),
    ),
    "Flatten": Grid(
        {},
        ((2, 3),),
        (*each("start_dim", 2, -3, 1.0), *each("end_dim", 2, 0), {"start_dim": -1, "end_dim": 0}),
        (((3,),),),
    ),
    "Unflatten": Grid(
        {"dim": 1, "unflattened_size": (2, 4)},
        ((3, 8),),
        (
            *each("unflattened_size", (2, 5), (-1, -1), (-1, 3), 8, (), (-2, -4)),
            *each("dim", 2, 1.0),
        ),
    ),
    "Embedding": Grid(
        {"num_embeddings": 4, "embedding_dim": 3},
        (indices(0, 3),),
        (
            *each("padding_idx", 4, -5),
            *each("num_embeddings", -1, 3.0),
            *each("embedding_dim", -2),
        ),
        ((indices(0, 4),), (indices(-1, 2),), ((2,),), (flags(2),)),
    ),
    "Dropout": Grid({}, ((3,),), each("p", -0.1, 1.1, "a", None)),
    "Conv1d": _convolution("Conv1d", 1),
    "Conv2d": _convolution("Conv2d", 2),
    "ConvTranspose2d": Grid(
        {"in_channels": 2, "out_channels": 4, "kernel_size": 3},
        ((1, 2, 4, 5),),
        (
            *each("stride", 0, -1),
            *each("padding", -1, 4, 9, "same"),
            *each("dilation", 0),
            *each("groups", 0, 3),
            *each("kernel_size", 0, -1, 2.5, (3, 3, 3)),
            *each("output_padding", 1, -1),
            {"output_padding": 2, "stride": 2},
            {"output_padding": 2, "dilation": 2},
            {"output_padding": (1, 1, 1), "stride": 2},
            {"padding_mode": "reflect"},
            {"out_channels": 3, "groups": 2},
        ),
        (
            ((1, 3, 4, 5),),
            ((4, 5),),
            ((1, 1, 2, 4, 5),),
            ((1, 2, 4, 0),),
            (whole(1, 2, 4, 5),),
            (double(1, 2, 4, 5),),
        ),
    ),
    **{name: _pool(name, 1) for name in ("MaxPool1d", "AvgPool1d")},
    **{name: _pool(name, 2) for name in ("MaxPool2d", "AvgPool2d")},
    "AdaptiveAvgPool2d": Grid(
        {"output_size": 2},
        ((1, 2, 5, 5),),
        each("output_size", (2, 3, 4), -1, 2.5, "a"),
        (((5, 5),), ((1, 1, 2, 5, 5),), ((1, 2, 5, 0),), (whole(1, 2, 5, 5),)),
    ),
    "Upsample": Grid(
        {"scale_factor": 2},
        ((1, 2, 4, 5),),
        (
            {"scale_factor": None},
            {"size": 3},
            *each("scale_factor", 0, -1, 0.1, "a", (1, 2, 3)),
            *({"scale_factor": None, "size": size} for size in (0, -1, 2.5, (2, 3, 4))),
            *each("mode", "foo", "linear"),
            {"align_corners": True},
        ),
        (((4, 5),), ((1, 2, 4, 0),), (whole(1, 2, 4, 5),)),
    ),
    "BatchNorm1d": _channel_norm((4, 3), (4, 4), (3,), (2, 2, 3, 3), (1, 3), (1, 3, 1)),
    "BatchNorm2d": _channel_norm((2, 3, 2, 2), (2, 2, 2, 2), (3, 2, 2), (2, 3), (1, 3, 1, 1)),
    "InstanceNorm2d": _channel_norm((2, 3, 2, 2), (2, 2, 2, 2), (3, 2), (1, 3, 1, 1), (3, 1, 1)),
    "LayerNorm": _feature_norm((double(4, 3),)),
    "RMSNorm": _feature_norm(),
    "GroupNorm": Grid(
        {"num_groups": 2, "num_channels": 6},
        ((2, 6, 3),),
        (
            *each("num_groups", 4, 0, -2, 2.0, "a"),
            *each("num_channels", -6, 4),
            *each("eps", "a"),
        ),
        (((2, 5, 3),), ((6,),), ((2, 4),), (whole(2, 6, 3),)),
    ),
    **{name: _recurrent(name) for name in ("RNN", "LSTM", "GRU")},
    "MultiheadAttention": Grid(
        {"embed_dim": 6, "num_heads": 2},
        (_BLOCK,) * 3,
        (
            *each("num_heads", 4, 0, -2, 2.0, (2, 2)),
            *each("embed_dim", 0, -6, 6.0, 4, (6, 6)),
            *each("kdim", 5, -5, (6, 6)),
            *each("vdim", 5, -5, (6, 6)),
        ),
        (
            ((4, 2, 5),) * 3,
            ((4, 2, 6), (3, 2, 6), (2, 2, 6)),
            ((4, 2, 6), (3, 3, 6), (3, 3, 6)),
            ((4, 6), (3, 2, 6), (3, 2, 6)),
            ((6,),) * 3,
            (_BLOCK, _BLOCK, (4, 2, 5)),
            (whole(*_BLOCK),) * 3,
            (whole(*_BLOCK), _BLOCK, _BLOCK),
            (_BLOCK, whole(*_BLOCK), _BLOCK),
            (_BLOCK, _BLOCK, whole(*_BLOCK)),
            (double(*_BLOCK),) * 3,
        ),
        (
            *each("attn_mask", *(flags(*s) for s in ((4, 3), (5, 4), (2, 4, 4), (4,)))),
            *each("attn_mask", whole(4, 4)),
            *each("key_padding_mask", flags(4, 2), flags(2, 3), whole(2, 4)),
        ),
    ),
    "TransformerEncoderLayer": Grid(
        {"d_model": 6, "nhead": 2, "dim_feedforward": 5, "dropout": 0.0},
        (_BLOCK,),
        (
            *each("nhead", 4, 0, -2),
            *each("d_model", -6, 6.0, 4),
            *each("dim_feedforward", -1),
            *each("activation", "tanh"),
            *each("layer_norm_eps", "a", None),
        ),
        (((4, 2, 5),), ((6,),), (whole(*_BLOCK),), (double(*_BLOCK),)),
        (
            {"src_mask": flags(3, 3)},
            {"src_key_padding_mask": flags(4, 2)},
            {"is_causal": True},
        ),
    ),
    "ReLU": _activation(takes_whole=True),
    "ReLU6": _activation(takes_whole=True),
    "LeakyReLU": _activation(*each("negative_slope", "a", None)),
    "ELU": _activation(*each("alpha", "a", None)),
    "SELU": _activation(),
    "CELU": _activation(*each("alpha", 0, 0.0, "a", None)),
    "GELU": _activation(*each("approximate", "foo", None)),
    "SiLU": _activation(),
    "Mish": _activation(),
    "Softplus": _activation(*each("beta", "a", None), *each("threshold", "a", None)),
    "LogSigmoid": _activation(),
    "Hardsigmoid": _activation(),
    "Hardtanh": _activation(
        {"min_val": 2.0}, {"min_val": "a"}, {"max_val": -1.0}, takes_whole=True
    ),
    "Hardswish": _activation(),
    "Tanhshrink": _activation(takes_whole=True),
    "Softshrink": _activation(*each("lambd", -1.0, "a", None)),
    "Hardshrink": _activation(*each("lambd", "a", None)),
    "Threshold": _activation(
        *each("threshold", "a", None), *each("value", "a"), takes_whole=True, threshold=0.1, value=1
    ),
    "PReLU": _activation(*each("num_parameters", 3, 0, -1, 1.5), *each("init", "a")),
    "GLU": Grid(
        {}, ((3, 4),), each("dim", 2, -3, "a", None, 1.0), (((3, 5),), ((),), (whole(3, 4),))
    ),
    "Softmax": _ALONG,
    "Softmin": _ALONG,
    "LogSoftmax": _ALONG,
    "MSELoss": _pair(),
    "L1Loss": _pair(),
    "SmoothL1Loss": _pair(*each("beta", -1.0, "a", None)),
    "HuberLoss": _pair(*each("delta", 0.0, -1.0, "a", None), whole_target=True),
    "BCELoss": Grid(
        {},
        (_HALVES, _HALVES),
        (*each("reduction", "foo"), *each("weight", _WEIGHTED)),
        (
            (_HALVES + 1, _HALVES),
            (_HALVES - 1, _HALVES),
            (_HALVES * np.float32(np.nan), _HALVES),
            (_HALVES[:2], _HALVES),
            (_HALVES[:, :1], _HALVES),
            (_HALVES, _HALVES.astype(np.float64)),
            (_HALVES, whole(3, 2)),
        ),
    ),
    "BCEWithLogitsLoss": _pair(
        *each("weight", _WEIGHTED), *each("pos_weight", _WEIGHTED), whole_target=True
    ),
    "KLDivLoss": _pair(whole_target=True),
    "PoissonNLLLoss": _pair({"eps": "a", "log_input": False}),
    "HingeEmbeddingLoss": Grid(
        {}, ((3, 2), np.ones((3, 2), np.float32)), (*each("reduction", "foo"), {"margin": "a"})
    ),
    "NLLLoss": _classes(*each("ignore_index", 1.5, "a", None)),
    "CrossEntropyLoss": _classes(
        *each("ignore_index", 1.5, "a", None), *each("label_smoothing", 1.1, "a", None)
    ),
    "MultiMarginLoss": _classes(*each("p", 3, 0, 1.5), *each("margin", "a")),
    "CosineEmbeddingLoss": Grid(
        {},
        ((4, 3), (4, 3), -np.ones(4, np.float32)),
        (*each("reduction", "foo"), *each("margin", "a")),
        (
            ((4, 3), (4, 2), np.ones(4, np.float32)),
            ((4, 3), (5, 3), np.ones(4, np.float32)),
            ((4, 3), (4, 3), np.ones(3, np.float32)),
            ((4, 3), (4, 3), np.ones((4, 3), np.float32)),
            ((2, 4, 3), (2, 4, 3), np.ones((2, 4), np.float32)),
            ((4, 3), (4, 3), np.ones((), np.float32)),
        ),
    ),
    "TripletMarginLoss": Grid(
        {},
        ((4, 3),) * 3,
        (*each("reduction", "foo"), *each("margin", -1.0, 0.0, "a")),
        (((4, 3), (4, 2), (4, 3)), ((4, 3), (4, 3), (5, 3))),
    ),
    "GaussianNLLLoss": Grid(
        {},
        ((4, 3), (4, 3), np.ones((4, 3), np.float32)),
        (*each("reduction", "foo"), *each("eps", "a")),
        (
            ((4, 3), (4, 3), -np.ones((4, 3), np.float32)),
            ((4, 3), (4, 3), np.ones((4, 2), np.float32)),
            ((4, 3), (3, 3), np.ones((4, 3), np.float32)),
            ((4, 3), (4, 3), np.ones(3, np.float32)),
        ),
    ),
}
