"""The cases of docs/networks.md: what courses and papers build, on data that packages ship."""

from __future__ import annotations

from compare.cases.case import Case, Phase

#: Characters of the Zen of Python.
ALPHABET = {"num_embeddings": 45}

#: Weights of layer norms, which decay would only pull away from 1.
NORMS = ("norm.weight", *(f"blocks.{i}.norm{k}.weight" for i in (0, 1) for k in (1, 2)))

#: Adam divides each gradient by its own size. With its usual 1e-8 even one that is rounding alone
#: becomes a whole step, and a factor on all gradients goes unnoticed; with this neither is so.
EPS = 1e-4

NETWORK_CASES = (
    Case(
        name="lenet",
        summary="the same digits as images, by convolutions, batch norm and dropout",
        network="LeNet",
        loss="CrossEntropyLoss",
        lr=0.1,
        optimizer="SGD",
        options={"momentum": 0.9, "nesterov": True, "weight_decay": 1e-4},
        phases=(Phase("CosineAnnealingLR", 1.0, "T_max"),),
        data="digit-images",
        goal="class indices",
        epochs=8,
        batch_size=50,
    ),
    Case(
        name="char-rnn",
        summary="the next character of the Zen of Python, by an RNN of 64",
        network="CharRNN",
        arguments=ALPHABET,
        loss="CrossEntropyLoss",
        lr=0.02,
        optimizer="Adam",
        options={"eps": EPS},
        max_norm=0.4,
        data="characters",
        goal="next character",
        epochs=15,
        batch_size=16,
    ),
    Case(
        name="char-lstm",
        summary="the same by an LSTM of 64",
        network="CharLSTM",
        arguments=ALPHABET,
        loss="CrossEntropyLoss",
        lr=0.02,
        optimizer="Adam",
        options={"eps": EPS},
        max_norm=0.25,
        data="characters",
        goal="next character",
        epochs=15,
        batch_size=16,
    ),
    Case(
        name="gpt",
        summary="the same by a transformer of two layers, AdamW, warm-up, cosine, clipping",
        network="GPT",
        arguments=ALPHABET,
        loss="CrossEntropyLoss",
        lr=0.01,
        optimizer="AdamW",
        options={"betas": (0.9, 0.95), "weight_decay": 0.01, "eps": EPS},
        groups=({"params": NORMS, "weight_decay": 0.0}, {}),
        phases=(
            Phase("LinearLR", 0.1, "total_iters", {"start_factor": 0.02}),
            Phase("CosineAnnealingLR", 0.9, "T_max"),
        ),
        max_norm=1.0,
        data="characters",
        goal="next character",
        epochs=30,
        batch_size=8,
    ),
    Case(
        name="autoencoder",
        summary="the digits' 64 grey values through 8 numbers and back, by 64-32-8-32-64",
        network="Autoencoder",
        loss="MSELoss",
        lr=0.01,
        optimizer="Adam",
        options={"eps": 1e-6},
        data="digit-pixels",
        goal="reconstruction",
        epochs=20,
        batch_size=50,
    ),
    Case(
        name="diabetes",
        summary="how the disease of 442 patients goes on, by 10-16-1 with batch norm",
        network="Regression",
        loss="MSELoss",
        lr=0.05,
        optimizer="SGD",
        options={"momentum": 0.9, "weight_decay": 1e-3},
        clip_value=0.5,
        data="diabetes",
        goal="variance explained",
        epochs=30,
        batch_size=50,
    ),
)
