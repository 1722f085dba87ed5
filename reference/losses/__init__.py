"""Losses: a prediction and a target in, one number out.

``forward`` gives the loss and a cache, ``backward`` its gradient with respect to the prediction,
which is where backpropagation starts. With the reduction ``none`` there is a loss for each sample
or entry, and ``backward`` is told the gradient of each. PyTorch's ``size_average`` and ``reduce``,
long deprecated, are not here.
"""

from reference.losses.absolute import HuberLoss, L1Loss, SmoothL1Loss
from reference.losses.binary import BCELoss, BCEWithLogitsLoss
from reference.losses.categorical import CrossEntropyLoss, NLLLoss
from reference.losses.divergence import KLDivLoss
from reference.losses.embeddings import CosineEmbeddingLoss, TripletMarginLoss
from reference.losses.likelihood import GaussianNLLLoss, PoissonNLLLoss
from reference.losses.loss import Loss
from reference.losses.margins import HingeEmbeddingLoss, MultiMarginLoss
from reference.losses.squared import HalfSquaredErrorLoss, MSELoss

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HalfSquaredErrorLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "Loss",
    "MSELoss",
    "MultiMarginLoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "TripletMarginLoss",
]
