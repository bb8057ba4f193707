"""What a user may choose where a model is used: decoding, colours, projections."""

import enum


class How(enum.Enum):
    """How a sentence is written from a latent vector."""

    greedy = "greedy"
    beam = "beam"
    sample = "sample"


class Colouring(enum.Enum):
    """The property that a picture of latent vectors shows."""

    length = "length"
    shape = "shape"
    colour = "colour"


class Projection(enum.Enum):
    """How latent vectors come into a plane."""

    pca = "pca"
    tsne = "tsne"
