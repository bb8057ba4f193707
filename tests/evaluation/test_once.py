"""A thing is made once, and again for another key."""

from gantext.evaluation.once import Once


def test_a_thing_is_made_once() -> None:
    once, made = Once(), list[str]()

    def make() -> None:
        """Gives None, which is kept as well."""
        made.append("made")

    assert once(("a", 1), make) is None and once(("a", 1), make) is None
    assert made == ["made"]
    once(("a", 2), make)
    Once()(("a", 1), make)
    assert len(made) == 3
