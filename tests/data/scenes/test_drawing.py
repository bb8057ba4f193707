"""What is in the pictures, measured from their pixels."""

import numpy as np
import pytest

from gantext.data.scenes.drawing import PAINT, PAPER, render
from gantext.data.scenes.english import SHAPES, grammar
from gantext.data.scenes.layout import layout
from gantext.data.scenes.scene import Group, Relation, Scene, parse
from gantext.data.scenes.shapes import outline, touching
from gantext.errors import UserError


def scene(text):
    return parse(text.split())


def coloured(picture, colour):
    """Rows (y, x) of the pixels that are more than half covered with a paint, on white."""
    paint = np.array(PAINT[colour], dtype=float)
    return np.argwhere(np.abs(picture - paint).sum(axis=2) < np.abs(250 - paint).sum() / 2)


def pieces(pixels):
    """Count the connected pieces of a set of pixels, neighbours over a corner included."""
    left, found = {tuple(p) for p in pixels.tolist()}, 0
    while left:
        found += 1
        agenda = [left.pop()]
        while agenda:
            y, x = agenda.pop()
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            agenda.extend(near)
    return found


def draw(text, seed, jitter=1.0):
    return render(scene(text), np.random.default_rng(seed), jitter)


def test_parse_two_groups():
    assert scene("two little red circles are above a big blue square on the grass .") == Scene(
        (Group(2, "small", "red", "circle"), Group(1, "large", "blue", "square")),
        (Relation(0, "above", 1),),
        "grass",
    )


@pytest.mark.parametrize(
    ("text", "relations"),
    [
        ("above a blue square are two red circles .", [(1, "above", 0)]),
        ("to the left of a blue square is a red circle .", [(1, "left", 0)]),
        ("there is a red bar , and a pink heart is next to it .", [(1, "beside", 0)]),
        ("there are two red bars , and a pink heart is under the bars .", [(1, "below", 0)]),
        (
            "a red bar is over a blue ring , and a pink heart is right of the ring .",
            [(0, "above", 1), (2, "right", 1)],
        ),
        ("a red star is inside a blue ring .", [(0, "inside", 1)]),
        ("four red stars surround a blue ring .", [(0, "surround", 1)]),
        ("a red star touches a blue ring .", [(0, "touch", 1)]),
        ("a red star is between two blue rings .", [(0, "between", 1)]),
        ("a red star that is near a blue ring floats in the sky .", [(0, "near", 1)]),
        ("a red star and a blue ring .", []),
    ],
)
def test_parse_relations(text, relations):
    assert scene(text).relations == tuple(Relation(*relation) for relation in relations)


def test_parse_colours_and_spots_said_later():
    late = scene("two circles are left of a pink bar , and they are black .")
    assert [group.colour for group in late.groups] == ["black", "pink"]
    corners = scene(
        "a red bar is in the top left corner , while a red star is in the bottom right corner ."
    )
    assert [group.spot for group in corners.groups] == ["top left", "bottom right"]
    assert corners.relations == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("two red circle .", "'circle' cannot follow 'two red'"),
        ("two red circles", "breaks off after 'two red circles'"),
        ("dog .", "'dog' cannot follow 'the beginning'"),
    ],
)
def test_parse_names_the_wrong_word(text, message):
    with pytest.raises(UserError, match=message):
        scene(text)


def test_every_sampled_caption_is_parsed_and_drawn_whole():
    """All groups are whole descriptions, and every shape lies inside the picture."""
    rng = np.random.default_rng(0)
    for _ in range(1500):
        tokens = grammar().sample(rng)
        parsed = parse(tokens)
        for group in parsed.groups:
            assert group.shape in SHAPES
            assert group.colour in PAINT
            assert group.colour in tokens
        marks = layout(parsed, rng, 1.0)
        drawn = [sum(mark.group == i for mark in marks) for i in range(len(parsed.groups))]
        assert drawn == [group.count for group in parsed.groups]
        assert all(m.size / 2 <= c <= 32 - m.size / 2 for m in marks for c in (m.x, m.y))


def test_marks_of_different_groups_lie_on_the_right_side():
    """All of "A left of B": every shape of A ends before any shape of B begins; and so on."""
    rng = np.random.default_rng(1)
    axes = {"left": (0, -1), "right": (0, 1), "above": (1, -1), "below": (1, 1)}
    seen = 0
    while seen < 400:
        parsed = parse(grammar().sample(rng))
        marks = layout(parsed, rng, 1.0)
        for relation in parsed.relations:
            if relation.kind in axes:
                axis, sign = axes[relation.kind]
                ends = [
                    [((m.x, m.y)[axis] * sign, m.size / 2) for m in marks if m.group == group]
                    for group in (relation.subject, relation.landmark)
                ]
                assert min(c - r for c, r in ends[0]) > max(c + r for c, r in ends[1])
                seen += 1


@pytest.mark.parametrize("seed", range(3))
def test_rendering_is_deterministic_under_a_seed(seed):
    text = "two red circles are beside a blue star in the snow ."
    picture = draw(text, seed)
    assert picture.shape == (32, 32, 3)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, draw(text, seed))
    assert (picture != draw(text, seed + 100)).any()


def test_no_jitter_ignores_the_seed_where_the_caption_leaves_nothing_open():
    text = "two red circles are above a blue star ."
    np.testing.assert_array_equal(draw(text, 0, jitter=0.0), draw(text, 1, jitter=0.0))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("colour", PAINT)
def test_the_colour_of_a_shape_is_the_named_one(colour, shape):
    """The mean over the pixels well inside the outline is the paint within 3 of 255."""
    single = Scene((Group(1, "large", colour, shape),), (), "wall")
    mark = layout(single, np.random.default_rng(3), 1.0)[0]
    picture = render(single, np.random.default_rng(3)).astype(float)
    inside = np.abs(picture - PAINT[colour]).sum(axis=2) < 30
    y, x = np.argwhere(inside).T
    assert np.hypot(x + 0.5 - mark.x, y + 0.5 - mark.y).max() <= mark.size / 2 * 1.45
    assert inside.sum() > 0.15 * mark.size**2
    np.testing.assert_allclose(picture[inside].mean(axis=0), PAINT[colour], atol=3)


@pytest.mark.parametrize("count", range(1, 7))
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_can_be_counted(count, shape):
    """Each shape of a group is one connected piece of its colour."""
    for seed in range(4):
        group = Scene((Group(count, None, "blue", shape),), (), None)
        picture = render(group, np.random.default_rng(seed))
        assert pieces(coloured(picture, "blue")) == count


@pytest.mark.parametrize("count", range(2, 7))
@pytest.mark.parametrize("size", ["small", None, "large"])
@pytest.mark.parametrize("spot", [None, "top", "left", "top left"])
def test_neighbours_keep_a_pixel_apart(count, size, spot):
    """A gap of a whole pixel stays visible, also between squares and bars."""
    crowd = Scene((Group(count, size, "black", "square", spot),), (), None)
    for seed in range(5):
        marks = layout(crowd, np.random.default_rng(seed), 1.0)
        for i, a in enumerate(marks):
            for b in marks[:i]:
                assert max(abs(a.x - b.x), abs(a.y - b.y)) >= (a.size + b.size) / 2 + 1


def test_paints_differ_from_each_other_and_from_every_ground():
    """At least 90 of 3 x 255 apart, summed over the channels."""
    grounds = [colour for pair in PAPER.values() for colour in pair]
    paints = [np.array(paint) for paint in PAINT.values()]
    for i, paint in enumerate(paints):
        others = [*paints[:i], *map(np.array, grounds)]
        assert min(np.abs(paint - other).sum() for other in others) >= 90


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("relation", "axis", "sign"),
    [
        ("above", 0, -1),
        ("over", 0, -1),
        ("below", 0, 1),
        ("under", 0, 1),
        ("left of", 1, -1),
        ("to the left of", 1, -1),
        ("to the right of", 1, 1),
    ],
)
def test_centroids_are_where_the_relation_says(relation, axis, sign, seed):
    picture = draw(f"three red stars are {relation} two blue rings .", seed)
    red, blue = (coloured(picture, colour).mean(axis=0) for colour in ("red", "blue"))
    assert sign * (red - blue)[axis] > 5


@pytest.mark.parametrize(
    ("spot", "row", "column"),
    [
        ("at the top", (0, 13), (4, 28)),
        ("at the bottom", (19, 32), (4, 28)),
        ("on the left", (4, 28), (0, 13)),
        ("on the right", (4, 28), (19, 32)),
        ("in the middle", (10, 22), (10, 22)),
        ("in the top right corner", (0, 15), (17, 32)),
        ("in the bottom left corner", (17, 32), (0, 15)),
    ],
)
def test_centroids_are_at_their_spot(spot, row, column):
    for seed in range(5):
        y, x = coloured(draw(f"two red stars are {spot} .", seed), "red").mean(axis=0)
        assert row[0] < y < row[1]
        assert column[0] < x < column[1]


def test_between_surround_and_inside():
    for seed in range(5):
        x = coloured(draw("a red star is between two blue rings .", seed), "red")[:, 1]
        blue = coloured(draw("a red star is between two blue rings .", seed), "blue")[:, 1]
        assert blue.min() < x.min() <= x.max() < blue.max()
        assert not set(blue) & set(range(x.min(), x.max() + 1))
        for text in ("six blue stars surround a red ring .", "a red star is inside a blue ring ."):
            picture = draw(text, seed)
            inner, outer = coloured(picture, "red"), coloured(picture, "blue")
            assert (outer.min(axis=0) < inner.min(axis=0)).all()
            assert (outer.max(axis=0) > inner.max(axis=0)).all()


@pytest.mark.parametrize("left", SHAPES)
@pytest.mark.parametrize("right", SHAPES)
def test_touching_shapes_make_one_piece(left, right):
    """Neighbours of different paint: together one piece of ink on white paper."""
    touch = Scene(
        (Group(1, None, "blue", left), Group(1, None, "black", right)),
        (Relation(0, "touch", 1),),
        None,
    )
    for seed in range(2):
        ink = np.argwhere(render(touch, np.random.default_rng(seed)).min(axis=2) < 200)
        assert pieces(ink) == 1


def test_distance_of_touching_shapes_by_hand():
    """Circles of diameter 4 and 6 touch at 2 + 3; half a square of 10 is 0.88 x 5."""
    assert touching("circle", 4, "circle", 6) == pytest.approx(5, abs=0.01)
    assert touching("square", 10, "circle", 6) == pytest.approx(4.4 + 3, abs=0.01)


@pytest.mark.parametrize("shape", SHAPES)
def test_outlines_fill_the_unit_square(shape):
    """Within 1.1 of the centre on each axis, and at least 1.4 long on the longer one."""
    corners = outline(shape)
    assert np.abs(corners).max() <= 1.1
    assert np.ptp(corners, axis=0).max() >= 1.4


def test_places_have_grounds_of_their_own():
    places = ["sky", "water", "grass", "sand", "table", "wall", "road", "snow"]
    means = [
        render(Scene((Group(1, "tiny", "red", "bar"),), (), p), np.random.default_rng(0), 0.0)
        .reshape(-1, 3)
        .mean(axis=0)
        for p in [None, *places]
    ]
    gaps = [np.abs(a - b).sum() for i, a in enumerate(means) for b in means[:i]]
    assert min(gaps) > 20
