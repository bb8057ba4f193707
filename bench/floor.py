"""The matrix products of a step alone, at their own shapes, in memory that is there already.

Nothing else is computed: no softmax, no activation, no optimiser. A step may be below its floor,
as its output layer works on chunks that stay in a cache. Shapes: B rows, T steps, V words.
"""

from collections.abc import Callable

import torch

Product = tuple[int, int, int, int]  # (m, k) times (k, n), and how often


def linear(rows: int, inputs: int, outputs: int, times: int = 1, passes: int = 3) -> list[Product]:
    """A layer's products: its forward pass, and of 3 passes the gradients of inputs and weights."""
    shapes = [(rows, inputs, outputs), (rows, outputs, inputs), (outputs, rows, inputs)]
    return [(*shape, times) for shape in shapes[:passes]]


def lstm(tokens: torch.Tensor, inputs: int, hidden: int) -> list[Product]:
    """All steps of a layer; the gradient of its recurrent weights is one product."""
    gates, count = 4 * hidden, tokens.numel()
    return [
        *linear(count, inputs, gates),
        *linear(len(tokens), hidden, gates, tokens.shape[1], passes=2),
        (gates, count, hidden, 1),
    ]


def language_model(config, tokens: torch.Tensor, words: int, extra: int = 0) -> list[Product]:
    """An LSTM that reads words (and `extra` numbers), and its output layer."""
    width, hidden, count = config.embedding, config.hidden, tokens.numel()
    tied = linear(count, hidden, width) if config.tie_weights else []
    read = width if config.tie_weights else hidden
    return [*lstm(tokens, width + extra, hidden), *tied, *linear(count, read, words)]


def leak_generator(model, tokens: torch.Tensor, words: int) -> list[Product]:
    """Worker, manager, and the features of all prefixes, which get no gradient."""
    config, discriminator = model.config.generator, model.discriminator
    features, count = discriminator.size, tokens.numel()
    outer, different = config.goal_size * config.hidden, len(tokens.unique())
    taps = sum(weight.shape[0] * weight.shape[2] for weight in filters(discriminator))
    tied = linear(count, outer, config.embedding) if config.tie_weights else []
    read = config.embedding if config.tie_weights else outer
    return [
        *lstm(tokens, config.embedding, config.hidden),
        *tied,
        *linear(count, read + config.goal_size, words),
        *lstm(tokens, features, config.manager_hidden),
        *linear(count, config.manager_hidden, features),
        *linear(count, features, config.goal_size, passes=2),
        *linear(different, model.config.discriminator.embedding, taps, passes=1),
        *linear(count, features, features, times=2, passes=1),
    ]


def filters(discriminator) -> list[torch.Tensor]:
    """The weights of its convolutions, (F_w, E, w) each."""
    return [convolution.weight for convolution in discriminator.convolutions]


def vae(config, tokens: torch.Tensor, words: int) -> list[Product]:
    """Encoder and decoder."""
    size, rows = config.latent_size, len(tokens)
    return [
        *lstm(tokens, config.encoder.embedding, config.encoder.hidden),
        *linear(rows, config.encoder.hidden, 2 * size),
        *linear(rows, size, config.decoder.hidden),
        *language_model(config.decoder, tokens, words, size),
    ]


def teacher_forced(model, tokens: torch.Tensor) -> list[Product]:
    """Those of one step by maximum likelihood on tokens (B, T) in which no sentence ends."""
    words = model.task.vocab_size
    if model.config.name == "vae":
        return vae(model.config, tokens, words)
    if model.config.name == "leakgan":
        return leak_generator(model, tokens, words)
    return language_model(model.config.generator, tokens, words)


def sampling(model, rows: int) -> list[Product]:
    """Those of drawing `rows` sentences of full length, word by word."""
    config, times = model.config.generator, model.task.max_length
    words, hidden = model.task.vocab_size, config.hidden
    read = config.embedding if config.tie_weights else hidden
    layers = [(config.embedding, 4 * hidden), (hidden, 4 * hidden)]
    if model.config.name == "leakgan":
        features, outer = model.discriminator.size, config.goal_size * hidden
        manager = config.manager_hidden
        read = config.embedding if config.tie_weights else outer
        layers += [(features, 4 * manager), (manager, 4 * manager), (manager, features)]
        layers += [(features, config.goal_size), (config.goal_size, words)]
        layers += [(features, features)] * 2  # the highway
        layers += [(outer, config.embedding)] if config.tie_weights else []
    elif config.tie_weights:
        layers.append((hidden, config.embedding))
    return [(rows, *layer, times) for layer in [*layers, (read, words)]]


def discriminating(model, real: torch.Tensor) -> list[Product]:
    """Those of an update of the discriminator: taps of the batch's different words, highway."""
    discriminator, rows = model.discriminator, 2 * len(real)
    taps = sum(weight.shape[0] * weight.shape[2] for weight in filters(discriminator))
    different = min(model.task.vocab_size, 2 * real.numel())
    size = discriminator.size
    embedding = model.config.discriminator.embedding
    return [*linear(different, embedding, taps, passes=1), *linear(rows, size, size, times=2)]


def alone(shapes: list[Product], device: torch.device) -> Callable[[], None]:
    """Compute these products, in memory that is there."""

    def filled(rows: int, columns: int) -> torch.Tensor:
        return torch.randn(rows, columns, device=device)

    made = [(filled(m, k), filled(k, n), filled(m, n), times) for m, k, n, times in shapes]

    def compute() -> None:
        for left, right, result, times in made:
            for _ in range(times):
                torch.mm(left, right, out=result)

    return compute
