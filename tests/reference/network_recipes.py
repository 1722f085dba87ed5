"""How each network is taught: plain data, the same for both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """A network, its data and its training.

    Attributes:
        network: name of its class.
        data: name of the data set.
        loss: name of the loss; all arguments as by default.
        optimizer: name of the update rule.
        options: of the update rule.
        epochs: passes over the data.
        batch_size: samples per step; the last batch of an epoch may be smaller.
        arguments: of the network.
        schedules: names and options of the schedules, one after the other, stepped by batch.
        milestones: where the second schedule begins, and so on.
        max_norm: to which all gradients together are clipped; None for no clipping.
    """

    network: str
    data: str
    loss: str
    optimizer: str
    options: Mapping[str, Any]
    epochs: int
    batch_size: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    schedules: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    milestones: tuple[int, ...] = ()
    max_norm: float | None = None


RECIPES = {
    recipe.network: recipe
    for recipe in (
        Recipe(
            network="LeNet",
            data="digit-images",
            loss="CrossEntropyLoss",
            optimizer="SGD",
            options={"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4},
            schedules=(("CosineAnnealingLR", {"T_max": 288}),),
            epochs=8,
            batch_size=50,
        ),
        Recipe(
            network="CharRNN",
            arguments={"num_embeddings": 45},
            data="characters",
            loss="CrossEntropyLoss",
            optimizer="Adam",
            options={"lr": 0.01},
            max_norm=1.0,
            epochs=20,
            batch_size=16,
        ),
        Recipe(
            network="CharLSTM",
            arguments={"num_embeddings": 45},
            data="characters",
            loss="CrossEntropyLoss",
            optimizer="Adam",
            options={"lr": 0.01},
            max_norm=1.0,
            epochs=30,
            batch_size=16,
        ),
        Recipe(
            network="GPT",
            arguments={"num_embeddings": 45},
            data="characters",
            loss="CrossEntropyLoss",
            optimizer="AdamW",
            options={"lr": 0.01, "betas": (0.9, 0.95), "weight_decay": 0.01},
            schedules=(
                ("LinearLR", {"start_factor": 0.02, "total_iters": 52}),
                ("CosineAnnealingLR", {"T_max": 468}),
            ),
            milestones=(52,),
            max_norm=1.0,
            epochs=40,
            batch_size=8,
        ),
        Recipe(
            network="Autoencoder",
            data="digit-pixels",
            loss="MSELoss",
            optimizer="Adam",
            options={"lr": 0.01},
            epochs=20,
            batch_size=50,
        ),
        Recipe(
            network="Regression",
            data="diabetes",
            loss="MSELoss",
            optimizer="SGD",
            options={"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-3},
            epochs=30,
            batch_size=50,
        ),
    )
}
