"""The type of a count in a `Config`: a size, or how many of something there are."""

from typing import Annotated

Count = Annotated[int, "a count: at least 1"]
