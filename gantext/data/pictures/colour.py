"""In which colours pictures are read."""

import enum


class Colour(enum.Enum):
    """auto: grey if every picture is grey, else RGB."""

    auto = "auto"
    grey = "grey"
    rgb = "rgb"
