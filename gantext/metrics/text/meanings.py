"""What the scores of sentences mean: overlap with real text, variety, and who judges them."""

from gantext.metrics.meaning import Meaning, numbered

_SHARPER = (
    "a model above the real text is sharper than the data, not better; a lower temperature raises "
    "BLEU and Self-BLEU together"
)
_SIZE = "it depends on how many sentences there are: compare sets of one size only"

_OVERLAP = (
    Meaning(
        names=numbered("bleu", 2, 5),
        command="eval bleu",
        says="How many of the n-grams of a sample, up to N words long, some real sentence has.",
        formula="BLEU-N(h) = BP(h) exp((log p_1 + ... + log p_N) / N), p_n: clipped matches over "
        "n-grams, BP(h) = min(1, exp(1 - r / |h|)); the mean over samples h",
        better="real",
        caution=_SHARPER,
        scale="0 to 1",
        source="Papineni et al. 2002, section 2.3; of text GANs Yu et al. 2017 (SeqGAN), Zhu et "
        "al. 2018 (Texygen)",
        computed="each sample against all test sentences as its references, under the preset's "
        "sizes, smoothing and tokenizer; equal to nltk's sentence_bleu",
    ),
    Meaning(
        names=("corpus-bleu",),
        command="eval bleu",
        says="BLEU-4 of all samples as one text, in sacreBLEU's own scale.",
        formula="100 BP exp((log p_1 + ... + log p_4) / 4), matches and lengths summed over "
        "the samples before they are divided",
        better="real",
        caution=_SHARPER,
        scale="0 to 100",
        source="Post 2018 (sacreBLEU)",
        computed="sacreBLEU's tokenizer and arithmetic, all test sentences as references of each",
    ),
    Meaning(
        names=numbered("self-bleu", 2, 5),
        command="eval self-bleu",
        says="How much the samples repeat each other: BLEU-N of each against all the others.",
        formula="the mean over samples h of BLEU-N(h) with the other samples as references",
        better="real",
        caution="lower is more diverse, which is a gain only at equal BLEU; 1 is collapse, and "
        "noise has the lowest value of all",
        scale="0 to 1",
        source="Zhu et al. 2018 (Texygen)",
        computed="as BLEU, under the preset's sizes; text that was tokenised before keeps its "
        "tokens",
    ),
    Meaning(
        names=tuple(f"bleu-{n}-at-real" for n in range(2, 6)),
        command="eval frontier",
        says="BLEU-N where the model is just as diverse as real text: no temperature decides it.",
        formula="BLEU-N, interpolated between two temperatures, where Self-BLEU-N is the real "
        "text's",
        better="higher",
        scale="0 to 1",
        source="after Caccia et al. 2020 (Language GANs Falling Short)",
        computed="sampled at temperatures of 0.5 to 1.2; none where no temperature is as diverse "
        "as real text, or none as little",
    ),
)
_VARIETY = (
    Meaning(
        names=numbered("distinct", 1, 4),
        command="eval diversity",
        says="How many of the samples' n-grams are different ones.",
        formula="different n-grams / all n-grams",
        better="real",
        caution=_SIZE,
        scale="0 to 1",
        source="Li et al. 2016",
        computed="over the n-grams of all samples together",
    ),
    Meaning(
        names=numbered("entropy", 1, 4),
        command="eval diversity",
        says="How evenly the samples use their n-grams.",
        formula="-sum over n-grams g of p(g) log p(g), p(g) the share of g",
        better="real",
        caution=_SIZE,
        scale="nats, 0 or more",
        source="Zhang et al. 2018",
        computed="over the n-grams of all samples together",
    ),
    Meaning(
        names=("unique",),
        command="eval diversity",
        says="The share of samples that are different sentences.",
        formula="different sentences / sentences",
        better="real",
        caution=_SIZE,
        scale="0 to 1",
        computed="of the sentences as they are written",
    ),
    Meaning(
        names=numbered("ms-jaccard", 2, 5),
        command="eval diversity",
        says="How well the samples use the n-grams of real text, each as often: quality and "
        "coverage in one.",
        formula="(J_1 ... J_N)^(1/N), J_n = sum over g of min(f_a(g), f_b(g)) / sum over g of "
        "max(f_a(g), f_b(g)), f: how often a sentence has g",
        better="higher",
        scale="0 to 1",
        source="Alihosseini et al. 2019",
        computed="samples against all test sentences",
    ),
    Meaning(
        names=("length-mean", "length-sd"),
        command="eval diversity",
        says="How long the samples are: mean and standard deviation.",
        formula="mean, sd of |h| over samples h",
        better="real",
        scale="tokens, 0 or more",
        computed="in the tokens of the other scores of the table",
    ),
    Meaning(
        names=("length-w1",),
        command="eval diversity",
        says="How far the samples' lengths are from those of real text.",
        formula="sum over lengths l of |F_samples(l) - F_test(l)|, F: cumulative shares "
        "(Wasserstein-1)",
        better="lower",
        scale="tokens, 0 or more",
        computed="samples against all test sentences",
    ),
    Meaning(
        names=("copied",),
        command="eval diversity",
        says="The share of samples that stand in the training text word for word.",
        formula="samples that equal a training sentence / samples",
        better="lower",
        caution="short sentences of few words are met by chance: a share above 0 need not be "
        "memorising",
        scale="0 to 1",
        computed="equal tokens, upper and lower case apart",
    ),
    Meaning(
        names=("longest-copy-mean", "longest-copy-p90"),
        command="eval diversity",
        says="How long a passage a sample shares with some training sentence: mean and 90th "
        "percentile.",
        formula="mean, 90th percentile over samples of the longest shared n-gram",
        better="lower",
        scale="tokens, 0 or more",
        computed="against every training sentence",
    ),
)
_JUDGED = (
    Meaning(
        names=("lm-score",),
        command="eval lm",
        says="How likely the samples are to a language model of real text: fluency.",
        formula="-sum of log p_real(h) / tokens, over samples h",
        better="lower",
        caution="one good sentence, repeated, is enough for a low value",
        scale="nats per token, 0 or more",
        source="Semeniuk et al. 2018; d'Autume et al. 2019; Caccia et al. 2020",
        computed="an LSTM trained on the training text; words that it lacks are <unk>",
    ),
    Meaning(
        names=("reverse-lm",),
        command="eval lm",
        says="How well a language model that has only read the samples knows real text: quality "
        "and coverage.",
        formula="-sum of log p_samples(x) / tokens, over test sentences x",
        better="lower",
        caution="fewer sentences to train on make a worse model: compare values from as many",
        scale="nats per token, 0 or more",
        source="Zhao et al. 2018 (ARAE); Semeniuk et al. 2018; d'Autume et al. 2019",
        computed="an LSTM of the same size and steps as that of lm-score, trained on the samples",
    ),
    Meaning(
        names=("reverse-lm-held-out",),
        command="eval lm",
        says="reverse-lm on real text of the training text's own kind, which no model is trained "
        "on: test text may be of other topics.",
        formula="-sum of log p_samples(x) / tokens, over sentences x of the validation split",
        better="lower",
        caution="fewer sentences to train on make a worse model: compare values from as many",
        scale="nats per token, 0 or more",
        source="as reverse-lm",
        computed="by the model of reverse-lm, where data.validation holds some sentences out",
    ),
    Meaning(
        names=("frechet",),
        command="eval frechet",
        says="How far the samples' meanings, as a sentence encoder sees them, are from real "
        "text's.",
        formula="|mu_a - mu_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)) of Gaussians fitted to the "
        "embeddings",
        better="lower",
        caution="its floor is frechet-real, not 0; the encoder decides the number, and hardly sees "
        "the order of words",
        scale="the encoder's own, squared, 0 or more",
        source="Heusel et al. 2017, eq. 6; of text Semeniuk et al. 2018, d'Autume et al. 2019",
        computed="samples against test text, as many of each as of the smallest set",
    ),
    Meaning(
        names=("mauve",),
        command="eval mauve",
        says="How far samples and real text overlap: whether each is where the other is, and as "
        "often.",
        formula="the area under (exp(-c KL(Q|R)), exp(-c KL(P|R))) over R = l P + (1 - l) Q; P, Q: "
        "shares of samples and of real text by cluster, c = 5",
        better="higher",
        caution="its ceiling is mauve-real, not 1; papers take GPT-2's features, here they are a "
        "sentence encoder's: compare values of the same features and number of sentences",
        scale="0 to 1",
        source="Pillutla et al. 2021, arXiv 2102.01454",
        computed="at most 5,000 sentences of each, k-means of their embeddings, ten of each set a "
        "cluster",
    ),
)
SENTENCES = (*_OVERLAP, *_VARIETY, *_JUDGED)
