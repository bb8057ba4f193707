"""The grammar engine on grammars small enough to work out by hand."""

import functools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gantext.data.scenes.grammar import Grammar
from gantext.data.scenes.rules import read_table

DOGS = """
SENTENCE = 3 GROUP[n] BE[n] here . | 1 nothing BE[sg] here .   # n also on the left of nothing
GROUP[sg] = 1 a dog
GROUP[pl] = 2 two dogs
          | 1 three dogs
BE[sg] = 1 is
BE[pl] = 1 are
"""
NUMBER = {"n": {"sg": 3.0, "pl": 1.0}}
# "(" S ")" with probability 1/4, "x" with 3/4: depth k has probability 3/4 (1/4)^k.
NESTED = "S = 1 ( S ) | 3 x"
# x^k has Catalan(k - 1) derivations, each with probability (1/3)^(k-1) (2/3)^k.
AMBIGUOUS = "S = 1 PAIR | 2 x\nPAIR = 1 X S | 0.5 y y\nX = 1 x | 1 x"


@functools.cache
def dogs() -> Grammar:
    return Grammar.from_table(DOGS, "SENTENCE", NUMBER)


def words(text: str) -> list[str]:
    return text.split()


def slow_prob(grammar: Grammar, symbols: tuple[str, ...], tokens: tuple[str, ...]) -> Fraction:
    """Plain recursion over all derivations of `tokens` from a row of symbols."""
    if not symbols:
        return Fraction(not tokens)
    if len(symbols) > len(tokens):  # no symbol is empty
        return Fraction(0)
    first, rest = symbols[0], symbols[1:]
    if first not in grammar.rules:
        return slow_prob(grammar, rest, tokens[1:]) if tokens[0] == first else Fraction(0)
    ways = grammar.rules[first]
    return sum((p * slow_prob(grammar, e + rest, tokens) for p, e in ways), Fraction(0))


def test_probabilities_worked_out_by_hand():
    """3/4 for GROUP times 3/4 for sg; 3/4 x 1/4 x 2/3 for two dogs, x 1/3 for three."""
    sentences = [
        "a dog is here .",
        "two dogs are here .",
        "three dogs are here .",
        "nothing is here .",
    ]
    expected = np.log([9 / 16, 1 / 8, 1 / 16, 1 / 4])
    found = dogs().log_prob([words(s) for s in sentences])
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize(
    "text",
    [
        *["two dogs is here .", "a dog are here .", "a dogs is here .", "dog a is here ."],
        *["a dog is here", "a dog is here . .", "a cat is here .", "", "SENTENCE", "GROUP[sg]"],
    ],
)
def test_what_cannot_be_derived_has_no_probability(text):
    assert dogs().log_prob([words(text)])[0] == -math.inf
    assert dogs().derivations_of(words(text)) == 0


def test_error_at_points_to_the_first_wrong_token():
    assert dogs().error_at(words("a dog is here .")) is None
    assert dogs().error_at(words("two dogs is here .")) == 2
    assert dogs().error_at(words("two dogs are")) == 3
    assert dogs().error_at(words("two dogs are here . .")) == 5


def test_enumeration_sums_to_one_and_gives_the_entropy():
    listed = dict(dogs().enumerate())
    assert len(listed) == dogs().derivations() == dogs().sentences() == 4
    assert sum(listed.values()) == pytest.approx(1, abs=1e-12)
    entropy = -sum(p * math.log(p) for p in listed.values())
    assert dogs().entropy() == pytest.approx(entropy, abs=1e-12)
    length = sum(p * len(tokens) for tokens, p in listed.items())
    assert dogs().mean_length() == pytest.approx(length, abs=1e-12)
    assert dogs().derivations() == 4
    assert dogs().lengths() == (4, 5)


def test_entropy_of_a_recursive_grammar_is_a_geometric_sum():
    """H = H(1/4) + H/4, so H = 4/3 H(1/4); the length is 1 + 2 x 1/3."""
    grammar = Grammar.from_table(NESTED, "S")
    own = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert grammar.entropy() == pytest.approx(own * 4 / 3, abs=1e-13)
    assert grammar.mean_length() == pytest.approx(1 + 2 / 3, abs=1e-13)
    deep = ["("] * 300 + ["x"] + [")"] * 300
    expected = math.log(0.75) + 300 * math.log(0.25)
    np.testing.assert_allclose(grammar.log_prob([deep, deep[:-1]]), [expected, -math.inf])
    for count in (grammar.derivations, grammar.sentences, grammar.lengths):
        with pytest.raises(ValueError, match="infinitely many"):
            count()


@given(st.text("xy", min_size=1, max_size=6))
def test_ambiguous_sentences_sum_over_all_derivations(text):
    grammar = Grammar.from_table(AMBIGUOUS, "S")
    probability = slow_prob(grammar, ("S",), tuple(text))
    found = grammar.log_prob([list(text)])[0]
    expected = math.log(probability) if probability else -math.inf
    assert found == pytest.approx(expected, abs=1e-12)


def test_ambiguity_is_counted():
    """xx is X S with X -> x in two ways; xxx has four derivations."""
    grammar = Grammar.from_table(AMBIGUOUS, "S")
    assert [grammar.derivations_of("x" * k) for k in (1, 2, 3)] == [1, 2, 4]
    flat = Grammar.from_table("S = 1 A | 1 B | 1 c\nA = 1 a | 1 c\nB = 1 a", "S")
    assert (flat.derivations(), flat.sentences()) == (4, 2)
    assert dict(flat.enumerate())[("a",)] == pytest.approx(1 / 2)  # 1/3 x 1/2 + 1/3


def test_samples_follow_the_probabilities():
    """Pearson's statistic with 3 degrees of freedom stays under its 99.99% point, 21.1."""
    rng = np.random.default_rng(0)
    seen = Counter(tuple(dogs().sample(rng)) for _ in range(4000))
    expected = {tokens: 4000 * p for tokens, p in dogs().enumerate()}
    assert seen.keys() == expected.keys()
    assert sum((seen[s] - e) ** 2 / e for s, e in expected.items()) < 21.1


def test_variables_over_the_same_values_differ_within_a_rule():
    """s is fixed by the left side; t takes the two other values in proportion 2 : 1."""
    values = {"a": 5.0, "b": 2.0, "c": 1.0}
    rules = read_table("X[s] = 1 Y[s] Y[t]\nY[s] = 1 y", {"s": values, "t": values})
    assert rules["X[a]"] == [
        (Fraction(2, 3), ("Y[a]", "Y[b]")),
        (Fraction(1, 3), ("Y[a]", "Y[c]")),
    ]


def test_at_restricts_to_one_symbol():
    groups = dogs().at("GROUP[pl]")
    assert dict(groups.enumerate()) == pytest.approx(
        {("two", "dogs"): 2 / 3, ("three", "dogs"): 1 / 3}
    )
    assert groups.words == ("dogs", "three", "two")


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("S = 1 A x\nA = 1 S y | 1 z", "left-recursive"),
        ("S = 1 A", "no rule for A"),
        ("S = 1 | 1 x", "empty alternative"),
        ("S = 0 x", "positive weights"),
        ("S = x y", "not a weight"),
        ("1 x\nS = 1 y", "without a symbol"),
    ],
)
def test_tables_that_are_no_grammar(table, complaint):
    with pytest.raises(ValueError, match=complaint):
        Grammar.from_table(table, "S")


def test_a_grammar_without_finite_mean_has_no_entropy():
    """S has 2 x 2/3 = 4/3 children S on average: the derivations explode."""
    with pytest.raises(ValueError, match="no finite mean length"):
        Grammar.from_table("S = 2 x S S | 1 y", "S").entropy()
