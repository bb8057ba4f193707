"""Tokens for the text metrics, and texts that have been tokenised before."""

from collections.abc import Sequence

from gantext.data.tokenizers import tokenize

# A text in which nltk changes at most this share of the lines with detached punctuation has been
# tokenised before.
_TOKENIZED_SHARE = 0.01


def tokenized(texts: Sequence[str], tokenizer: str) -> list[list[str]]:
    """Return `[tokenize(text, tokenizer) for text in texts]`.

    Raises:
        UserError: there is no such tokenizer.
    """
    return [tokenize(text, tokenizer) for text in texts]


def own_tokens(texts: Sequence[str], tokenizer: str) -> tuple[list[list[str]], str]:
    """Tokenise texts that are compared with each other only, and name the tokenizer.

    A file that has been tokenised before keeps its tokens: nltk is not idempotent (a closing ''
    after a space turns into an opening ``), so that running it again would change a few lines.
    Such a file shows by its detached commas and full stops: nltk changes next to none of the
    lines that have them. Texygen published its Self-BLEU on those white-space tokens.

    Returns:
        The tokens, and `tokenizer`, or "whitespace" in its place where the tokens were kept.
    """
    tokens = tokenized(texts, tokenizer)
    if tokenizer != "nltk":
        return tokens, tokenizer
    words = [text.split() for text in texts]
    changed = sum(ours != theirs for ours, theirs in zip(tokens, words, strict=True))
    detached = sum("." in line or "," in line for line in words)
    kept = 0 < changed <= _TOKENIZED_SHARE * detached
    return (words, "whitespace") if kept else (tokens, tokenizer)
