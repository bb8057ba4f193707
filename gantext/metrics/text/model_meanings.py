"""What the scores of a model of text mean: likelihood, truth, latent vectors, blanks."""

from gantext.metrics.meaning import Meaning

_HELD_OUT = (
    "the test sentences under the model's weights; with --temperature under what it writes at that"
)
_ON_THE_WAY = "{} of a run's metrics is that of fewer sentences, on the way (log.curve)"

_TRUTH = (
    Meaning(
        names=("nll-test", "nll-test-sentence"),
        command="eval likelihood",
        says="How surprised the model is by held-out text, per token or per sentence.",
        formula="-sum of log p(x) / tokens (or sentences), over test sentences x",
        better="lower",
        caution="a GAN trades it for sharper samples; only models of one vocabulary and tokenizer "
        "compare",
        scale="nats, 0 or more",
        source="the usual held-out likelihood; beside GANs Caccia et al. 2020",
        computed=f"{_HELD_OUT}; <eos> counts where sentences have one; of a VAE an "
        f"importance-weighted upper bound; {_ON_THE_WAY.format('nll_test')}",
    ),
    Meaning(
        names=("perplexity",),
        command="eval likelihood",
        says="Among how many equally likely words the model chooses, as it were, at each step.",
        formula="exp(nll-test)",
        better="lower",
        scale="1 or more",
        source="Jelinek et al. 1977",
        computed=_HELD_OUT,
    ),
    Meaning(
        names=("forward-kl",),
        command="eval likelihood",
        says="What the model does not know of the true distribution, where that is known.",
        formula="KL(true || model) = nll-test-sentence - entropy of the truth",
        better="lower",
        caution="with few test sentences it may come out below 0",
        scale="nats per sentence, 0 or more",
        computed="the entropy is exact (data=scenes)",
    ),
    Meaning(
        names=("grammatical",),
        command="eval likelihood",
        says="The share of samples that the true distribution can write at all.",
        formula="samples h with p_true(h) > 0 / samples",
        better="higher",
        caution="one correct sentence, repeated, has 1: read it beside unique and Self-BLEU",
        scale="0 to 1",
        computed="by the grammar of the data (data=scenes) or its oracle (data=oracle); "
        f"{_ON_THE_WAY.format('grammatical')}",
    ),
    Meaning(
        names=("nll-oracle",),
        command="eval likelihood",
        says="How likely the samples are to the true distribution, of those that it can write.",
        formula="-sum of log p_true(h) / tokens, over samples h with p_true(h) > 0",
        better="real",
        caution="lower than the real text's is less diverse than the truth, not better",
        scale="nats per token, 0 or more",
        source="Yu et al. 2017 (SeqGAN)",
        computed="by the known distribution of the data, words counted without <eos>; impossible "
        f"samples are left out; {_ON_THE_WAY.format('nll_oracle')}",
    ),
)
_LATENT = (
    Meaning(
        names=("elbo",),
        command="eval latent",
        says="The lower bound of the log-likelihood that a VAE is trained by.",
        formula="-(reconstruction + kl)",
        better="higher",
        scale="nats per sentence, 0 or less",
        source="Kingma and Welling 2014",
        computed="the mean over test sentences, k draws of each posterior",
    ),
    Meaning(
        names=("reconstruction",),
        command="eval latent",
        says="What a sentence costs when its latent vector is known.",
        formula="-E_q(z|x) log p(x|z)",
        better=None,
        caution="to be read beside kl: either is cheap at the other's price",
        scale="nats per sentence, 0 or more",
        source="Kingma and Welling 2014",
        computed="the mean over test sentences, k draws of each posterior",
    ),
    Meaning(
        names=("kl",),
        command="eval latent",
        says="What the latent vectors say: 0 is a VAE that has collapsed to a language model.",
        formula="KL(q(z|x) || p(z))",
        better=None,
        caution="to be read beside reconstruction: either is cheap at the other's price",
        scale="nats per sentence, 0 or more",
        source="Kingma and Welling 2014; of collapse Bowman et al. 2016",
        computed="in closed form, the mean over test sentences",
    ),
    Meaning(
        names=("iw-nll",),
        command="eval latent",
        says="A VAE's negative log-likelihood of test sentences, nearer to the truth than the "
        "ELBO.",
        formula="-log (1/k) sum over draws z of p(x, z) / q(z|x)",
        better="lower",
        caution="an upper bound on average, tighter the larger k: compare at one k",
        scale="nats per sentence, 0 or more",
        source="Burda et al. 2016, eq. 8",
        computed="the mean over test sentences, k draws of each posterior",
    ),
    Meaning(
        names=("mutual-information",),
        command="eval latent",
        says="How much the latent vectors tell sentences apart.",
        formula="E log q(z|x) - log q(z), q(z) the mixture of the posteriors",
        better=None,
        caution="at most the logarithm of the number of sentences (`cap` of its signature)",
        scale="nats per sentence, 0 or more",
        source="Hoffman and Johnson 2016",
        computed="one draw of each test sentence's posterior",
    ),
    Meaning(
        names=("active-units",),
        command="eval latent",
        says="How many dimensions of the latent vector are in use.",
        formula="dimensions whose posterior means have a variance above 0.01",
        better=None,
        scale="0 to model.latent_size",
        source="Burda et al. 2016",
        computed="over the test sentences",
    ),
    Meaning(
        names=("grammatical-midpoints", "grammatical-ends"),
        command="eval interpolation",
        says="The share of grammatical sentences halfway between two latent vectors, and at the "
        "ends of the way.",
        formula="grammatical sentences decoded from (mu_a + mu_b) / 2, or from mu / sentences",
        better="higher",
        scale="0 to 1",
        source="after Bowman et al. 2016, section 4.4",
        computed="random pairs of test sentences, decoded greedily (data=scenes)",
    ),
)
_BLANKS = (
    Meaning(
        names=("imputed-exact", "imputed-grammatical"),
        command="eval imputation",
        says="The share of blanks of test sentences that the model fills with the very words, or "
        "so that the sentence is grammatical.",
        formula="completions that equal the original (that the grammar can write) / completions",
        better="higher",
        scale="0 to 1",
        source="the task: Bowman et al. 2016, section 4.1",
        computed="a span of 20 to 30% of the words is blanked and filled by beam search, the "
        "number of words known",
    ),
    Meaning(
        names=("adversarial-error",),
        command="eval imputation",
        says="How well a classifier tells filled sentences from real ones.",
        formula="accuracy - 1/2",
        better="lower",
        scale="0 (no difference seen) to 1/2; a little below 0 by chance",
        source="Bowman et al. 2016, section 4.1",
        computed="logistic regression on 1- to 3-grams, fitted to one half, tested on the other",
    ),
)
_CLASSES = (
    Meaning(
        names=("class-accuracy",),
        command="eval class-accuracy",
        says="The share of sentences, written of given classes, that a classifier of real "
        "sentences finds in their class.",
        formula="sentences whose likeliest class is the one they were written of / sentences",
        better="higher",
        caution="one good sentence of each class, repeated, has 1; the classifier errs too: its "
        "own share on real test sentences is `judge_accuracy` in the signature",
        scale="0 to 1",
        source="as Wang and Wan 2018 (SentiGAN) and Liu et al. 2020 (CatGAN) have it",
        computed="a text CNN, trained on the real training sentences; classes as often as these "
        "have them",
    ),
)
MODELS = (*_TRUTH, *_LATENT, *_BLANKS, *_CLASSES)
