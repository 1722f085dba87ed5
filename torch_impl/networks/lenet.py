"""A convolutional network for small images."""

from __future__ import annotations

from torch import nn


class LeNet(nn.Sequential):
    """Two rounds of convolve, normalise, rectify and pool; then a fully connected network.

    Args:
        num_classes: of the images, which are 8 × 8.
        channels: of the two convolutions.
        hidden: units before the last layer.
        p: the probability of 0 in both dropouts.
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
            *(nn.Conv2d(1, first, 3, padding=1, bias=False), nn.BatchNorm2d(first)),
            *(nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(first, second, 3, padding=1, bias=False), nn.BatchNorm2d(second)),
            *(nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Dropout(p)),
            *(nn.Linear(second * 2 * 2, hidden), nn.ReLU(), nn.Dropout(p)),
            nn.Linear(hidden, num_classes),
        )
