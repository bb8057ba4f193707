"""What families of models share, layer on layer: `text_model` (a generator of text, fitted by
likelihood), `judged` (a discriminator beside it), `rewarded` (its judgement is a reward)."""
