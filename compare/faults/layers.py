"""All faults of layers, activations and losses."""

from __future__ import annotations

from compare.faults.activations import ACTIVATIONS
from compare.faults.convolution import CONVOLUTION
from compare.faults.embedding import DROPOUT, EMBEDDING
from compare.faults.linear import BILINEAR, LINEAR

LAYERS = (*LINEAR, *BILINEAR, *EMBEDDING, *DROPOUT, *CONVOLUTION, *ACTIVATIONS)
