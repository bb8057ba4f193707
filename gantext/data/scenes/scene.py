"""What a caption of the scene grammar says, as data."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gantext.data.scenes.english import COLOURS, PLURALS, grammar
from gantext.errors import UserError

COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
SIZES = {"small": "small", "little": "small", "large": "large", "big": "large"}
SIZES |= {"tiny": "tiny", "huge": "huge"}
COLOUR_WORDS = frozenset(COLOURS.split("\n")[1].split())
NOUNS = {noun: shape for shape, plural in PLURALS.items() for noun in (shape, plural)}
PLACES = frozenset({"sky", "water", "grass", "sand", "table", "wall", "road", "snow"})
RELATIONS = {
    ("above",): "above",
    ("over",): "above",
    ("below",): "below",
    ("under",): "below",
    ("left", "of"): "left",
    ("right", "of"): "right",
    ("beside",): "beside",
    ("next", "to"): "beside",
    ("near",): "near",
    ("between",): "between",
    ("inside",): "inside",
    ("touch",): "touch",
    ("touches",): "touch",
    ("surround",): "surround",
}
SPOTS = {
    ("at", "the", "top"): "top",
    ("at", "the", "bottom"): "bottom",
    ("on", "the", "left"): "left",
    ("on", "the", "right"): "right",
    ("in", "the", "middle"): "middle",
    ("top", "left", "corner"): "top left",
    ("top", "right", "corner"): "top right",
    ("bottom", "left", "corner"): "bottom left",
    ("bottom", "right", "corner"): "bottom right",
}


@dataclass(frozen=True)
class Group:
    """`count` (1 to 6) equal shapes; `size` and `spot` are None where the caption is silent."""

    count: int
    size: str | None
    colour: str
    shape: str
    spot: str | None = None


@dataclass(frozen=True)
class Relation:
    """Group number `subject` is `kind` (a value of RELATIONS) group number `landmark`."""

    subject: int
    kind: str
    landmark: int


@dataclass(frozen=True)
class Scene:
    """One to three groups in the order of the caption, their relations, and one of PLACES.

    subject: the group that is the caption's subject. It is how the scene is told, and no part of
    what it is.
    """

    groups: tuple[Group, ...]
    relations: tuple[Relation, ...]
    place: str | None
    subject: int = field(default=0, compare=False)


def parse(tokens: Sequence[str]) -> Scene:
    """Read a caption. Raises UserError, naming the first wrong word, if it is not one."""
    wrong = grammar().error_at(tokens)
    if wrong is not None:
        start = " ".join(tokens[:wrong]) or "the beginning"
        what = f"{tokens[wrong]!r} cannot follow" if wrong < len(tokens) else "it breaks off after"
        raise UserError(f"not a caption of the scene grammar: {what} {start!r}")
    reader = _Reader()
    for position in range(len(tokens)):
        reader.read(tokens, position)
    groups, relations = tuple(reader.groups), tuple(reader.relations)
    return Scene(groups, relations, reader.place, reader.subject)


def label(scene: Scene, by: str) -> str:
    """The class of a scene: its number of things, the shape of its subject, or its relation.

    by: "count", all groups together, 1 to 12; "shape"; "relation", the first one's kind, or "none".
    """
    if by == "count":
        return str(sum(group.count for group in scene.groups))
    if by == "relation":
        return scene.relations[0].kind if scene.relations else "none"
    return scene.groups[scene.subject].shape


class _Reader:
    """Collects what a grammatical caption says, word by word."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.relations: list[Relation] = []
        self.place: str | None = None
        self.subject = 0
        self._open: Group | None = None  # the group whose noun is still to come
        self._mentioned: int | None = None  # the group mentioned last
        self._pending: str | None = None  # the relation whose object is still to come
        self._fronted: tuple[str, int] | None = None  # "above a square are ..."

    def read(self, tokens: Sequence[str], position: int) -> None:
        """Take in the word at `position`."""
        word = tokens[position]
        if word in COUNTS:
            self._open = Group(COUNTS[word], None, "", "")
        elif word in SIZES and self._open:
            self._open = replace(self._open, size=SIZES[word])
        elif word in COLOUR_WORDS:
            self._colour(word)
        elif word in NOUNS:
            self._noun(NOUNS[word])
        elif word in ("it", "them"):
            self._mention(0)
        elif word in PLACES:
            self.place = word
        else:
            self._phrase(tokens, position)

    def _colour(self, colour: str) -> None:
        if self._open:
            self._open = replace(self._open, colour=colour)
        else:  # "..., and they are red": the subject, which is always the first group
            self.groups[0] = replace(self.groups[0], colour=colour)

    def _noun(self, shape: str) -> None:
        if self._open:
            self.groups.append(replace(self._open, shape=shape))
            self._open = None
            self._mention(len(self.groups) - 1)
        else:  # "the circles": the grammar sees to it that one earlier group has this shape
            self._mention(next(i for i, g in enumerate(self.groups) if g.shape == shape))

    def _mention(self, group: int) -> None:
        if self._fronted:
            kind, landmark = self._fronted
            self.relations.append(Relation(group, kind, landmark))
            self._fronted = None
            self.subject = group
        elif self._pending and self._mentioned is None:
            self._fronted = self._pending, group
        elif self._pending and self._mentioned is not None:
            self.relations.append(Relation(self._mentioned, self._pending, group))
        self._pending = None
        self._mentioned = group

    def _phrase(self, tokens: Sequence[str], position: int) -> None:
        for length in (1, 2, 3):
            phrase = tuple(tokens[position : position + length])
            if phrase in RELATIONS:
                self._pending = RELATIONS[phrase]
            elif phrase in SPOTS:
                last = len(self.groups) - 1
                self.groups[last] = replace(self.groups[last], spot=SPOTS[phrase])
