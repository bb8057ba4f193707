"""Of which models the likelihood can be measured at a temperature, seen without building them."""

from gantext.evaluation.measure import able
from gantext.evaluation.subjects import Model


def why_not(model: Model, temperature: float) -> str:
    """Why the likelihood of a model cannot be measured at a temperature; "" where it can.

    An estimate cannot: a VAE's is by its posterior, which is that of temperature 1, so that its
    bound would be the looser the farther the temperature is from that. Nor can that of classes:
    words are drawn at the temperature within a class.
    """
    name = model.brief["model"]
    if temperature == 0:
        return "one sentence has all the probability there"
    if able(model, "of_class") and temperature != 1:
        return f"model={name} draws a class first, at no temperature, and then words at it"
    if able(model, "estimate"):
        return f"that of model={name} is an estimate, made for temperature 1 alone"
    return "" if able(model, "write") else f"model={name} does not write word by word"
