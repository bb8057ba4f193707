"""Of which models the likelihood can be measured at a temperature, seen without building them."""

from gantext.evaluation.measure import able
from gantext.evaluation.subjects import Model


def why_not(model: Model, temperature: float) -> str:
    """Why the likelihood of a model cannot be measured at a temperature; "" where it can.

    An estimate cannot: a VAE's is by its posterior, which is that of temperature 1, so that its
    bound would be the looser the farther the temperature is from that.
    """
    name = model.brief["model"]
    if temperature == 0:
        return "at temperature 0 one sentence has all the probability"
    if able(model, "estimate"):
        return f"that of model={name} is an estimate, made for temperature 1 alone"
    return "" if able(model, "write") else f"model={name} does not write word by word"
