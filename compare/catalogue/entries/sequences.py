"""Layers for sequences: recurrent ones and attention."""

from __future__ import annotations

from typing import Any

from compare.catalogue.entries.entry import Draw, Entry, Variant, variant, x

_RECURRENT = (
    "steps (1, many), layers (1, 2), both directions, batch first, first states given or not, "
    "no bias, one sample alone; upstream gradients at all steps and at the last states"
)


def _recurrent(name: str, states: int, **more: Any) -> Entry:
    """The same variants for every kind of cell."""

    def start(*shape: int) -> Any:
        given = tuple(Draw(shape) for _ in range(states))
        return given if states > 1 else given[0]

    variants = (
        variant((5, 3, 4), input_size=4, hidden_size=3, **more),
        variant(
            (6, 2, 3), start(4, 2, 5), input_size=3, hidden_size=5, num_layers=2, bidirectional=True
        ),
        variant((1, 2, 3), start(1, 2, 4), input_size=3, hidden_size=4, bias=False, **more),
        variant((3, 4, 2), input_size=2, hidden_size=3, batch_first=True, strided=True, **more),
        variant((4, 3), start(2, 2), input_size=3, hidden_size=2, bidirectional=True),
        variant(x(4, 2, 3, kind="extreme"), input_size=3, hidden_size=2, **more),
    )
    return Entry(name, "layer", _RECURRENT, variants)


RECURRENT = (
    Entry(
        "RNN",
        "layer",
        f"tanh and ReLU, {_RECURRENT}",
        (
            *_recurrent("RNN", 1).variants,
            variant((5, 3, 4), input_size=4, hidden_size=3, num_layers=2, nonlinearity="relu"),
        ),
    ),
    _recurrent("LSTM", 2),
    _recurrent("GRU", 1),
)


def _attend(*inputs: Draw, options: dict[str, Any], strided: bool = False, **given: Any) -> Variant:
    return Variant(inputs, options, given, strided=strided)


_SELF = (x(4, 3, 4), x(4, 3, 4), x(4, 3, 4))
_TWO_HEADS = {"embed_dim": 4, "num_heads": 2}
_ENCODER = {"d_model": 4, "nhead": 2, "dim_feedforward": 5, "dropout": 0.0}

ATTENTION = (
    Entry(
        "ScaledDotProductAttention",
        "layer",
        "samples (none, 1, many), queries and keys of one length and of two, width of the value, "
        "scale, is_causal, masks (true, added, of −∞, all hidden), not contiguous",
        (
            _attend(x(3, 4), x(5, 4), x(5, 2), options={}),
            _attend(x(2, 4, 3), x(2, 4, 3), x(2, 4, 3), options={"scale": 0.3}, strided=True),
            _attend(x(1, 2, 4, 3), x(1, 2, 4, 3), x(1, 2, 4, 3), options={"is_causal": True}),
            _attend(x(3, 4), x(5, 4), x(5, 4), options={}, attn_mask=x(3, 5)),
            _attend(x(4, 3), x(4, 3), x(4, 3), options={}, attn_mask=x(4, 4, kind="causal added")),
            _attend(x(2, 4, 3), x(2, 5, 3), x(2, 5, 3), options={}, attn_mask=x(4, 5, kind="seen")),
        ),
    ),
    Entry(
        "MultiheadAttention",
        "layer",
        "queries and keys of one length and of two, heads (1, several), masks (causal, padding, "
        "added, of −∞, two together, all hidden, of what is far larger), is_causal, widths of key "
        "and value, batch first, no bias, one sample alone, ±1e3, not contiguous; upstream "
        "gradients at output and weights",
        (
            _attend(x(5, 2, 6), x(5, 2, 6), x(5, 2, 6), options={"embed_dim": 6, "num_heads": 3}),
            _attend(
                x(2, 4, 6),
                x(2, 3, 6),
                x(2, 3, 6),
                options={"embed_dim": 6, "num_heads": 2, "batch_first": True, "bias": False},
                key_padding_mask=x(2, 3, kind="padding"),
                average_attn_weights=False,
            ),
            _attend(
                x(4, 1, 4),
                x(4, 1, 5),
                x(4, 1, 3),
                options={"embed_dim": 4, "num_heads": 1, "kdim": 5, "vdim": 3},
                attn_mask=x(4, 4, kind="causal"),
            ),
            _attend(
                x(3, 2, 4),
                x(5, 2, 4),
                x(5, 2, 4),
                options={"embed_dim": 4, "num_heads": 2},
                attn_mask=x(3, 5),
            ),
            _attend(
                x(3, 4),
                x(2, 4),
                x(2, 4),
                options={"embed_dim": 4, "num_heads": 2},
            ),
            _attend(
                x(1, 2, 4),
                x(1, 2, 4),
                x(1, 2, 4),
                options={"embed_dim": 4, "num_heads": 2},
                need_weights=False,
            ),
            _attend(
                x(3, 2, 4),
                x(2, 2, 4),
                x(2, 2, 4),
                options={"embed_dim": 4, "num_heads": 2},
                strided=True,
                attn_mask=x(4, 3, 2),
            ),
            _attend(
                x(9, 1, 4, kind="extreme"),
                x(3, 1, 4, kind="zeros"),
                x(3, 1, 4),
                options={"embed_dim": 4, "num_heads": 1},
            ),
            _attend(
                *_SELF,
                options=_TWO_HEADS,
                attn_mask=x(4, 4, kind="causal"),
                key_padding_mask=x(3, 4, kind="padding"),
            ),
            _attend(
                *_SELF, options=_TWO_HEADS, attn_mask=x(4, 4), key_padding_mask=x(3, 4, scale=2.0)
            ),
            _attend(*_SELF, options=_TWO_HEADS, attn_mask=x(4, 4, kind="causal added")),
            _attend(
                *_SELF,
                options=_TWO_HEADS,
                attn_mask=x(4, 4, kind="causal"),
                is_causal=True,
                need_weights=False,
            ),
            _attend(
                *_SELF,
                options=_TWO_HEADS,
                attn_mask=x(4, 4, kind="causal"),
                is_causal=True,
                key_padding_mask=x(3, 4, kind="padding"),
            ),
            _attend(
                *_SELF,
                options=_TWO_HEADS,
                attn_mask=x(4, 4, kind="blind"),
                need_weights=False,
            ),
            _attend(
                x(5, 2, 4),
                x(5, 2, 4, kind="far"),
                x(5, 2, 4),
                options=_TWO_HEADS,
                key_padding_mask=x(2, 5, kind="last"),
            ),
        ),
    ),
    Entry(
        "TransformerEncoderLayer",
        "layer",
        "norm first and last, eps of the norms, ReLU and GELU, steps (1, many), one sample alone, "
        "masks (causal, padding, two together), is_causal, batch first, no bias, not contiguous",
        (
            variant((4, 2, 6), d_model=6, nhead=2, dim_feedforward=5, dropout=0.0, strided=True),
            variant((3, 4), d_model=4, nhead=2, dim_feedforward=6, dropout=0.0),
            variant((1, 2, 4), d_model=4, nhead=4, dim_feedforward=3, dropout=0.0, norm_first=True),
            Variant(
                (x(2, 3, 4),),
                {
                    "d_model": 4,
                    "nhead": 2,
                    "dim_feedforward": 7,
                    "dropout": 0.0,
                    "activation": "gelu",
                    "batch_first": True,
                    "norm_first": True,
                },
                {"src_key_padding_mask": x(2, 3, kind="padding")},
            ),
            Variant(
                (x(4, 1, 4),),
                {
                    "d_model": 4,
                    "nhead": 1,
                    "dim_feedforward": 3,
                    "dropout": 0.0,
                    "norm_first": True,
                    "bias": False,
                },
                {"src_mask": x(4, 4, kind="causal")},
            ),
            variant(
                (5, 3, 4),
                d_model=4,
                nhead=1,
                dim_feedforward=16,
                dropout=0.0,
                activation="gelu",
                norm_first=True,
            ),
            Variant(
                (x(4, 3, 4),),
                _ENCODER | {"layer_norm_eps": 1e-2},
                {
                    "src_mask": x(4, 4, kind="causal"),
                    "src_key_padding_mask": x(3, 4, kind="padding"),
                    "is_causal": True,
                },
            ),
        ),
    ),
)

SEQUENCES = (*RECURRENT, *ATTENTION)
