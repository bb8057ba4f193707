"""The words of a sentence as the Penn Treebank has them: `nltk`, for all that a user says.

The rules are those of `nltk.tokenize.NLTKWordTokenizer` (NLTK 3.10, Apache License 2.0, by Liling
Tan and Tom Aarsen, after Robert MacIntyre), in their order. They are here as importing nltk takes
longer than all that most commands do.

Each rule looks at one piece between spaces alone, but for a few that see where a line begins and
ends. So a piece is cut once and its words are kept; lines are cut by the rules, whole, only where a
piece at an edge asks for it.
"""

import functools
import re

# Words of ASCII letters and digits, hyphens inside only, with a comma or, at the end of a line, a
# full stop: all rules together do nothing but split these off. 97 in 100 COCO captions are of such.
WORD = r"[A-Za-z0-9]++(?:-[A-Za-z0-9]++)*+"
PLAIN = {False: re.compile(rf"{WORD},?+|[.,]"), True: re.compile(rf"{WORD}[.,]?+|[.,]")}
CONTRACTION = re.compile("cannot|gimme|gonna|gotta|lemme|wanna", re.IGNORECASE)
# A full stop before nothing but these ends a sentence, also where spaces stand between them.
CLOSING = re.compile(r"""[\])}>"'\xbb\u201d\u2019]*""")

Rule = tuple[re.Pattern[str], str]
_OPENING_QUOTES = (
    (r"([\xab\u201c\u2018\u201e]|[`]+)", r" \1 "),
    (r"^\"", "``"),
    (r"(``)", r" \1 "),
    (r"([ \(\[{<])(\"|\'{2})", r"\1 `` "),
    (r"(?i)(?<!\w)(\')(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)", r"\1 "),
)
_PUNCTUATION = (
    (r"""([^\.])(\.)([\]\)}>"'\xbb\u201d\u2019 ]*+)\s*$""", r"\1 \2 \3 "),
    (r"([:,])([^\d])", r" \1 \2"),
    (r"([:,])$", r" \1 "),
    (r"\.{2,}", r" \g<0> "),
    (r"[;@#$%&]", r" \g<0> "),
    ("[\u2012-\u2015]", r" \g<0> "),  # dashes
    (r"""([^\.])(\.)([\]\)}>"']*)\s*$""", r"\1 \2\3 "),
    (r"[?!]", r" \g<0> "),
    (r"([^'])' ", r"\1 ' "),
    (r"[*]", r" \g<0> "),
    (r"[\]\[\(\)\{\}\<\>]", r" \g<0> "),
    (r"--", " -- "),
)
_CLOSING_QUOTES = (
    (r"([\xbb\u201d\u2019])", r" \1 "),
    (r"''", " '' "),
    (r'"', " '' "),
    (r"\s+", " "),
    (r"([^' ])('[sS]|'[mM]|'[dD]|') ", r"\1 \2 "),
    (r"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", r"\1 \2 "),
)
_CONTRACTIONS = (
    r"(?i)\b(can)(not)\b",
    r"(?i)\b(d)('ye)\b",
    r"(?i)\b(gim)(me)\b",
    r"(?i)\b(gon)(na)\b",
    r"(?i)\b(got)(ta)\b",
    r"(?i)\b(lem)(me)\b",
    r"(?i)\b(more)('n)\b",
    r"(?i)\b(wan)(na)(?=\s)",
    r"(?i) ('t)(is)\b",
    r"(?i) ('t)(was)\b",
)
_BEFORE: list[Rule] = [(re.compile(a), b) for a, b in (*_OPENING_QUOTES, *_PUNCTUATION)]
_AFTER: list[Rule] = [
    *((re.compile(a), b) for a, b in _CLOSING_QUOTES),
    *((re.compile(a), r" \1 \2 ") for a in _CONTRACTIONS),
]


def words_of_line(line: str) -> list[str]:
    """The words of a line by all rules, one after the other."""
    for pattern, change in _BEFORE:
        line = pattern.sub(change, line)
    line = f" {line} "
    for pattern, change in _AFTER:
        line = pattern.sub(change, line)
    return line.split()


def words(line: str) -> list[str]:
    """The words of a line, by its pieces where these are enough."""
    *inner, last = line.split(" ")
    found: list[str] = []
    for place, piece in enumerate((*inner, last)):
        ends = place == len(inner)
        cut = words_of_piece(piece, ends)
        if cut is None or (place == 0 and not opens_alike(piece, ends)):
            return words_of_line(line)
        found += cut
    return found


@functools.lru_cache(1 << 17)
def words_of_piece(piece: str, last: bool) -> tuple[str, ...] | None:
    """The words of a piece between spaces, within a line or at its end; None: its line decides."""
    if is_plain(piece, last):
        return tuple(piece.replace(",", " ,").replace(".", " .").split())
    if not piece and not last:
        return ()
    if piece.split() != [piece] or (last and CLOSING.fullmatch(piece)):
        return None  # it holds spaces of other kinds, or a full stop may stand before it
    return tuple(words_of_line(f"a {piece}" if last else f"a {piece} a")[1 : None if last else -1])


def is_plain(piece: str, last: bool) -> bool:
    """Whether the piece is a word, perhaps with a comma; of the last one with a full stop too."""
    return PLAIN[last].fullmatch(piece) is not None and CONTRACTION.search(piece) is None


def opens_alike(piece: str, last: bool) -> bool:
    """Whether the piece has the same words where it opens a line, or is all of it."""
    return is_plain(piece, last) if last else not piece.startswith(('"', "'"))
