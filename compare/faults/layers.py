"""All faults of layers, activations and losses."""

from __future__ import annotations

from compare.faults.activations import ACTIVATIONS
from compare.faults.convolution import CONVOLUTION
from compare.faults.embedding import DROPOUT, EMBEDDING
from compare.faults.linear import BILINEAR, LINEAR
from compare.faults.losses import LOSSES
from compare.faults.norms import NORMS
from compare.faults.pooling import POOLING
from compare.faults.resampling import CONNECTIONS, RESAMPLING, SHAPES
from compare.faults.statistics import STATISTICS

LAYERS = (
    *LINEAR,
    *BILINEAR,
    *EMBEDDING,
    *DROPOUT,
    *CONVOLUTION,
    *POOLING,
    *RESAMPLING,
    *SHAPES,
    *NORMS,
    *STATISTICS,
    *CONNECTIONS,
    *ACTIVATIONS,
    *LOSSES,
)
