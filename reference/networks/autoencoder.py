"""A network that describes its input in few numbers."""

from __future__ import annotations

from typing import Any

from reference.activations import ReLU, Sigmoid
from reference.layers.linear import Linear
from reference.layers.sequential import Sequential
from reference.module import Array, Module, Params, prefixed, scoped


class Autoencoder(Module):
    r"""An encoder to a narrow code and a decoder back: ``y = decoder(encoder(x))``.

    ::

        x (N, 64) → ReLU (N, 32) → code (N, 8) → ReLU (N, 32) → sigmoid (N, 64)

    Taught to give back what it was given, it has to keep in the code what the inputs have in
    common. The gradient reaches the encoder only through the code: ``dx = encoder'ᵀ decoder'ᵀ dy``.

    Args:
        features: of the input, each between 0 and 1.
        hidden: units between input and code, and again between code and output.
        code: numbers in the code.

    Source:
        Hinton and Salakhutdinov, Reducing the dimensionality of data with neural networks,
        Science 313 (2006).
    """

    def __init__(self, features: int = 64, hidden: int = 32, code: int = 8) -> None:
        self.encoder = Sequential(Linear(features, hidden), ReLU(), Linear(hidden, code))
        self.decoder = Sequential(Linear(code, hidden), ReLU(), Linear(hidden, features), Sigmoid())

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        code, encoder = self.encoder.forward(scoped(params, "encoder"), x)
        y, decoder = self.decoder.forward(scoped(params, "decoder"), code)
        return y, (encoder, decoder)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        encoder, decoder = cache
        dcode, decoder_grads = self.decoder.backward(scoped(params, "decoder"), decoder, dy)
        dx, encoder_grads = self.encoder.backward(scoped(params, "encoder"), encoder, dcode)
        return dx, prefixed("encoder", encoder_grads) | prefixed("decoder", decoder_grads)
