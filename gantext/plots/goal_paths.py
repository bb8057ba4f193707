"""Paths of leaked features and goals in the plane, and the arrows and labels that they need.

Shapes: T tokens of a sentence, <eos> counted.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ARROW = 0.09  # of the longer side of what the paths take
CROWD = 0.025  # of the same: words that are nearer to each other need not all be named
MARGIN = 0.05  # of the longer side of what is drawn, around it


@dataclass(frozen=True)
class GoalPath:
    """A sentence with its leaked features and goals in two dimensions.

    Attributes:
        text: the sentence.
        words: T words, <eos> the last (unless the sentence was cut at the longest length).
        features: (T + 1, 2), f_0..f_T in the plane of all sentences' features.
        goals: (T, 2), g_0..g_{T-1} in the same plane; length 1 if the goal lies in it, else less.
        own: (T, 2), the goals in the plane of their own principal directions.
        cosines: (T,), cos(f_{s+c} - f_s, g_s) in the space of all features.
    """

    text: str
    words: tuple[str, ...]
    features: Array
    goals: Array
    own: Array
    cosines: Array

    @property
    def mean_cosine(self) -> float:
        """How far the features went where the goals point, -1..1."""
        return float(self.cosines.mean())

    @property
    def inside(self) -> Array:
        """(T,), the length of each goal in the plane of the features, 0..1."""
        return np.asarray(np.linalg.norm(self.goals, axis=1).clip(0, 1))

    def heads(self, length: float) -> Array:
        """(T, 2), where arrows of a length end, from the points at which their goals are set.

        NaN for a goal at a right angle to the plane.
        """
        inside = np.linalg.norm(self.goals, axis=1, keepdims=True)
        nowhere = np.full_like(self.goals, math.nan)
        unit = np.divide(self.goals, inside, out=nowhere, where=inside > 0)
        return np.asarray(self.features[:-1] + length * unit)

    def clear(self, room: float) -> list[bool]:
        """(T,), whether the point of a word keeps a distance from the clear ones before it."""
        kept, found = self.features[:1], []
        for point in self.features[1:]:
            found.append(bool((np.linalg.norm(kept - point, axis=1) > room).all()))
            kept = np.concatenate([kept, point[None]]) if found[-1] else kept
        return found


@dataclass(frozen=True)
class GoalPlot:
    """Sentences that share their planes, and the shares of the whole that these show.

    Attributes:
        paths: the sentences.
        feature_shares: of the features' variance, by axis.
        goal_shares: of the goals' squared length, by axis.
    """

    paths: tuple[GoalPath, ...]
    feature_shares: tuple[float, float]
    goal_shares: tuple[float, float]

    @property
    def size(self) -> float:
        """The longer side of what the paths take."""
        everything = np.concatenate([path.features for path in self.paths])
        return float(np.ptp(everything, axis=0).max())

    @property
    def arrow(self) -> float:
        """The length of all arrows."""
        return ARROW * self.size

    @property
    def crowd(self) -> float:
        """A distance at which labels are in each other's way."""
        return CROWD * self.size

    def corners(self) -> Array:
        """(2, 2), the corners of what all paths and arrows take, with a margin."""
        heads = [path.heads(self.arrow) for path in self.paths]
        everything = np.concatenate([*(path.features for path in self.paths), *heads])
        low, high = np.nanmin(everything, axis=0), np.nanmax(everything, axis=0)
        room = MARGIN * float((high - low).max())
        return np.array([low - room, high + room])
