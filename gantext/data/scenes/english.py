"""The grammar of the scene captions, with known probabilities.

Unambiguous: each sentence has exactly one derivation, so that the probability of any sentence and
the entropy of the corpus are known exactly. What has to be learnt: the agreement of verbs and
pronouns with a noun some words back, "a" and "an", which verb fits which place, which colours are
usual for which shape, the noun that a second clause repeats, and the corner opposite to the first.
The notation is explained in `gantext.data.grammar`.
"""

import functools

from gantext.data.scenes.grammar import Grammar

# n: number of the noun that verbs and pronouns agree with. s, t: shapes, different in one rule.
NUMBERS = {"sg": 55.0, "pl": 45.0}
SHAPES = {
    "circle": 20.0,
    "square": 17.0,
    "star": 14.0,
    "triangle": 12.0,
    "heart": 9.0,
    "ring": 8.0,
    "diamond": 7.0,
    "moon": 6.0,
    "cross": 4.0,
    "bar": 3.0,
}
PLURALS = {shape: shape + ("es" if shape.endswith("s") else "s") for shape in SHAPES}
HOLLOW = {"square": 4.0, "circle": 3.0, "ring": 2.0, "diamond": 1.0}  # what others can be inside

# Weight of each colour (columns) for each shape (rows).
COLOURS = """
            red  orange  yellow  green  blue  purple  pink  brown  black  gray
circle       20      10       8     12    18       6     6      4      8     6
square       12       6       6     12    20       8     2     10     10    10
star          6       8      36      4     8       6     4      2      6     4
triangle     10      16       8     20    10       8     4      6      6     4
heart        40       2       2      2     2       8    24      2      4     2
ring          6       6      18      4    12       6     6      8     10    16
diamond       8       4       4      6    18      18    12      2      6     6
moon          2       8      32      2     6       4     2      2      6    18
cross        20       4       2      8     8       6     2      4     24     8
bar           6       6       4      8     8       4     2     18     14    12
"""

TABLE = """
SENTENCE    = 1 SENTENCE[n]

# One group of shapes.
SENTENCE[n] = 14 SOLO[n] ALONE[n]
            | 18 there BE[n] SOLO[n] IN_PLACE
            |  4 PLACE there BE[n] SOLO[n] .
            |  4 there BE[n] GROUP[n] SPOT .
            |  6 GROUP[n] BE[n] SPOT .
            |  4 there BE[n] BARE[n,s] THAT[n,s]
ALONE[n]    =  3 . | 3 PLACE . | 5 ACT[n] .
IN_PLACE    =  1 . | 1 PLACE .

# Two groups and what is between them.
SENTENCE[n] = 26 GROUP[n] PREDICATE[n]
            |  8 there BE[n] GROUP[n] RELATION GROUP .
            |  4 RELATION GROUP BE[n] GROUP[n] .
            |  4 BARE[n,s] BE[n] RELATION GROUP THAT[n,s]
            |  3 TOUCHING[n] TOUCH[n] GROUP[sg] .
            |  4 GROUP[n] BE[n] OPPOSITE
PREDICATE[n] = 5 RELATION GROUP .
            |  8 RELATION GROUP ACT[n] .
            |  6 that BE[n] RELATION GROUP ACT[n] .
            | 10 BE[n] RELATION GROUP IN_PLACE
            |  2 BE[n] between PAIR .
SENTENCE[sg] = 4 INNER BE[sg] inside OUTER .
SENTENCE[pl] = 3 CROWD surround GROUP[sg] .
            |  8 MIXED ALONE[pl]

# A second clause that goes back to the first.
SENTENCE[n] = 10 there BE[n] GROUP[n] AND OTHER RELATION THEM[n] .
            |  5 there BE[n] GROUP[n] PLACE AND OTHER RELATION THEM[n] .
            |  8 there BE[n] GROUP[n,s] AND RIVAL[s] RELATION the NOUN[n,s] .
            | 10 CHAIN[n,s]
CHAIN[n,s]  =  1 GROUP[n,s] BE[n] RELATION LANDMARK[s]
LANDMARK[s] =  1 LINK[n,t]
LINK[n,s]   =  1 GROUP[n,s] AND RIVAL[s] BRIEFLY the NOUN[n,s] .
OPPOSITE    =  3 at the top AND OTHER at the bottom .
            |  2 at the bottom AND OTHER at the top .
            |  3 on the left AND OTHER on the right .
            |  2 on the right AND OTHER on the left .
            |  1 in the top left corner AND OTHER in the bottom right corner .
            |  1 in the top right corner AND OTHER in the bottom left corner .
AND         =  7 , and | 3 , while
OTHER       =  1 OTHER[s]
OTHER[s]    =  1 GROUP[n,s] BE[n]
RIVAL[s]    =  1 OTHER[t]
THAT[sg,s]  =  1 , and it is COLOUR[s] .
THAT[pl,s]  =  1 , and they are COLOUR[s] .
BE[sg]      =  1 is
BE[pl]      =  1 are
THEM[sg]    =  1 it
THEM[pl]    =  1 them

# Groups: SOLO ones may be many or of an extreme size, BARE ones have no colour yet.
GROUP       =  1 GROUP[n]
GROUP[n]    =  1 GROUP[n,s]
GROUP[sg,s] = 11 AN[s] NOUN[sg,s] | 6 a SIZE COLOUR[s] NOUN[sg,s]
            |  2 one COLOUR[s] NOUN[sg,s] | 1 one SIZE COLOUR[s] NOUN[sg,s]
GROUP[pl,s] =  6 COUNT COLOUR[s] NOUN[pl,s] | 4 COUNT SIZE COLOUR[s] NOUN[pl,s]
SOLO[n]     =  1 SOLO[n,s]
SOLO[sg,s]  =  9 GROUP[sg,s] | 1 a EXTREME COLOUR[s] NOUN[sg,s]
SOLO[pl,s]  =  8 GROUP[pl,s] | 1 MANY COLOUR[s] NOUN[pl,s] | 1 MANY SIZE COLOUR[s] NOUN[pl,s]
BARE[sg,s]  =  3 a NOUN[sg,s] | 2 a SIZE NOUN[sg,s]
BARE[pl,s]  =  3 COUNT NOUN[pl,s] | 2 COUNT SIZE NOUN[pl,s]
MIXED       =  1 MIXED[s]
MIXED[s]    =  1 GROUP[n,s] and LIKE[t]
LIKE[s]     =  1 GROUP[n,s]
PAIR        =  1 PAIR[s]
PAIR[s]     =  2 two COLOUR[s] NOUN[pl,s] | 1 two SIZE COLOUR[s] NOUN[pl,s]
CROWD       =  1 CROWD[s]
CROWD[s]    =  1 RING_OF COLOUR[s] NOUN[pl,s]
TOUCHING[sg] = 1 GROUP[sg]
TOUCHING[pl] = 1 PAIR
INNER       =  1 INNER[s]
INNER[s]    =  2 AN[s] NOUN[sg,s] | 1 a SMALL COLOUR[s] NOUN[sg,s]
OUTER       =  1 OUTER[h]
OUTER[h]    =  2 AN[h] NOUN[sg,h] | 1 a LARGE COLOUR[h] NOUN[sg,h]

COUNT       =  6 two | 4 three | 2 four
MANY        =  3 five | 2 six
RING_OF     =  1 three | 3 four | 2 five | 2 six
SIZE        =  3 SMALL | 2 LARGE
SMALL       =  4 small | 1 little
LARGE       =  3 large | 2 big
EXTREME     =  1 tiny | 1 huge

# Relations and places. BRIEFLY keeps the longest sentence within 25 tokens.
RELATION    =  9 BRIEFLY | 1 to the left of | 1 to the right of
BRIEFLY     =  5 above | 2 over | 4 below | 2 under | 4 left of | 4 right of
            |  2 beside | 3 next to | 2 near
TOUCH[sg]   =  1 touches
TOUCH[pl]   =  1 touch
SPOT        =  3 at the top | 3 at the bottom | 3 on the left | 3 on the right
            |  4 in the middle | 4 in the TOP LEFT corner
TOP         =  3 top | 2 bottom
LEFT        =  1 left | 1 right
PLACE       =  5 in the sky | 3 in the water | 3 on the grass | 3 on the sand
            |  2 on the table | 2 on the wall | 2 on the road | 2 in the snow
ACT[n]      =  5 AIR[n] in the sky | 3 WATER[n] in the water | 2 HANG[n] on the wall
            |  8 LIE[n] GROUND
GROUND      =  3 on the grass | 3 on the sand | 2 on the table | 2 on the road | 2 in the snow
AIR[sg]     =  5 floats | 4 flies | 1 hangs
AIR[pl]     =  5 float | 4 fly | 1 hang
WATER[sg]   =  3 swims | 2 floats
WATER[pl]   =  3 swim | 2 float
HANG[sg]    =  1 hangs
HANG[pl]    =  1 hang
LIE[sg]     =  4 lies | 3 stands | 3 sits | 2 rests
LIE[pl]     =  4 lie | 3 stand | 3 sit | 2 rest
"""


@functools.cache
def grammar() -> Grammar:
    """Return the grammar of the captions, made once."""
    features = {"n": NUMBERS, "s": SHAPES, "t": SHAPES, "h": HOLLOW}
    return Grammar.from_table(TABLE + _nouns(), "SENTENCE", features)


def colours() -> dict[str, dict[str, int]]:
    """Return the weight of each colour for each shape, as in `COLOURS`."""
    header, *rows = (line.split() for line in COLOURS.strip().splitlines())
    return {row[0]: dict(zip(header, map(int, row[1:]), strict=True)) for row in rows}


def _nouns() -> str:
    """Rules of the nouns and their colours; "orange" alone takes "an"."""
    lines = []
    for shape, weights in colours().items():
        orange = weights["orange"]
        others = [f"{weight} {colour}" for colour, weight in weights.items() if colour != "orange"]
        lines += [
            f"NOUN[sg,{shape}] = 1 {shape}",
            f"NOUN[pl,{shape}] = 1 {PLURALS[shape]}",
            f"COLOUR[{shape}] = {orange} orange | {' | '.join(others)}",
            f"CONSONANT[{shape}] = {' | '.join(others)}",
            f"AN[{shape}] = {orange} an orange | {sum(weights.values()) - orange} a "
            f"CONSONANT[{shape}]",
        ]
    return "\n".join(lines)
