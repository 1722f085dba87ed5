"""A convolutional network for small images."""

from __future__ import annotations

from reference.activations import ReLU
from reference.layers.batchnorm import BatchNorm2d
from reference.layers.convolution import Conv2d
from reference.layers.dropout import Dropout
from reference.layers.linear import Linear
from reference.layers.pooling import MaxPool2d
from reference.layers.sequential import Sequential
from reference.layers.shape import Flatten


class LeNet(Sequential):
    r"""Two rounds of convolve, normalise, rectify and pool; then a fully connected network.

    For images of 8 × 8, the size that it is made for, and the default channels::

        x       (N,  1, 8, 8)
        0 – 3   (N,  8, 4, 4)    Conv2d 3 × 3, BatchNorm2d, ReLU, MaxPool2d 2
        4 – 7   (N, 16, 2, 2)    the same again
        8 – 9   (N, 64)          Flatten, Dropout
        10 – 12 (N, 32)          Linear, ReLU, Dropout
        13      (N, 10)          Linear: logits, for CrossEntropyLoss

    It is LeNet's plan with what came later: rectifiers for sigmoids, the largest of each window for
    its mean, batch norm and dropout. A convolution before a batch norm has no bias: the norm
    subtracts the mean, and any bias with it.

    Args:
        num_classes: of the images.
        channels: of the two convolutions.
        hidden: units before the last layer.
        p: the probability of 0 in both dropouts.

    Source:
        LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition,
        Proc. IEEE 86 (1998), figure 2.
    """

    def __init__(
        self,
        num_classes: int = 10,
        channels: tuple[int, int] = (8, 16),
        hidden: int = 32,
        p: float = 0.25,
    ) -> None:
        first, second = channels
        super().__init__(
            *(Conv2d(1, first, 3, padding=1, bias=False), BatchNorm2d(first)),
            *(ReLU(), MaxPool2d(2)),
            *(Conv2d(first, second, 3, padding=1, bias=False), BatchNorm2d(second)),
            *(ReLU(), MaxPool2d(2)),
            *(Flatten(), Dropout(p)),
            *(Linear(second * 2 * 2, hidden), ReLU(), Dropout(p)),
            Linear(hidden, num_classes),
        )
