"""All faults of layers, activations and losses."""

from __future__ import annotations

from compare.faults.activations.common import ACTIVATIONS
from compare.faults.layers.conv_transpose import CONV_TRANSPOSE
from compare.faults.layers.convolution import CONVOLUTION
from compare.faults.layers.embedding import DROPOUT, EMBEDDING
from compare.faults.layers.linear import BILINEAR, LINEAR
from compare.faults.layers.norms import NORMS
from compare.faults.layers.pooling import POOLING
from compare.faults.layers.resampling import RESAMPLING
from compare.faults.layers.shapes import CONNECTIONS, SHAPES
from compare.faults.layers.statistics import STATISTICS
from compare.faults.losses.common import LOSSES

_ROWS = (*LINEAR, *BILINEAR, *EMBEDDING, *DROPOUT)
_IMAGES = (*CONVOLUTION, *CONV_TRANSPOSE, *POOLING, *RESAMPLING, *SHAPES)
LAYERS = (*_ROWS, *_IMAGES, *NORMS, *STATISTICS, *CONNECTIONS, *ACTIVATIONS, *LOSSES)
