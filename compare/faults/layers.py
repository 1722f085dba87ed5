"""All faults of layers, activations and losses."""

from __future__ import annotations

from compare.faults.activations import ACTIVATIONS
from compare.faults.conv_transpose import CONV_TRANSPOSE
from compare.faults.convolution import CONVOLUTION
from compare.faults.embedding import DROPOUT, EMBEDDING
from compare.faults.linear import BILINEAR, LINEAR
from compare.faults.losses import LOSSES
from compare.faults.norms import NORMS
from compare.faults.pooling import POOLING
from compare.faults.resampling import RESAMPLING
from compare.faults.shapes import CONNECTIONS, SHAPES
from compare.faults.statistics import STATISTICS

LAYERS = (
    *LINEAR,
    *BILINEAR,
    *EMBEDDING,
    *DROPOUT,
    *CONVOLUTION,
    *CONV_TRANSPOSE,
    *POOLING,
    *RESAMPLING,
    *SHAPES,
    *NORMS,
    *STATISTICS,
    *CONNECTIONS,
    *ACTIVATIONS,
    *LOSSES,
)
