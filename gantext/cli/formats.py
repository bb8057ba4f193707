"""A table as text for elsewhere: Markdown, LaTeX."""

import enum
from collections.abc import Sequence

from gantext.cli.layout import Table


class Format(enum.StrEnum):
    """What a command prints its table as."""

    table = "table"
    md = "md"
    latex = "latex"
    csv = "csv"
    json = "json"


# What Markdown would take for more than a letter. An underscore within a word is one to it.
_MARKDOWN = str.maketrans({letter: f"\\{letter}" for letter in "\\|*`[]<>"})
_LATEX = str.maketrans(
    {
        **{letter: f"\\{letter}" for letter in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "±": r"$\pm$",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
        "≈": r"$\approx$",
        "·": r"$\cdot$",
        "…": r"\dots{}",
    }
)


def markdown(table: Table) -> str:
    """A table as GitHub's Markdown has it, its title before it, and what is under it."""
    rules = ["---" if i in table.texts else "---:" for i in range(len(table.columns))]
    heads, *rows = [[_in_markdown(cell) for cell in row] for row in (table.columns, *table.rows)]
    lines = [f"| {' | '.join(row)} |" for row in (heads, rules, *rows)]
    below = [f"- {_in_markdown(line)}" for line in (*table.cautions, *table.below)]
    return "\n".join(
        [f"**{_in_markdown(table.title)}**", "", *lines, *([""] if below else []), *below]
    )


def latex(table: Table) -> str:
    """A table for the package booktabs; its title and what is under it are comments."""
    places = "".join("l" if i in table.texts else "r" for i in range(len(table.columns)))
    heads, *rows = [_in_latex(row) for row in (table.columns, *table.rows)]
    head = [heads, r"\midrule"] if any(table.columns) else []
    return "\n".join(
        [
            f"% {_in_a_line(table.title)}",
            rf"\begin{{tabular}}{{{places}}}",
            r"\toprule",
            *head,
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            *(f"% {_in_a_line(line)}" for line in (*table.cautions, *table.below)),
        ]
    )


def _in_markdown(text: str) -> str:
    return _in_a_line(text).translate(_MARKDOWN)


def _in_latex(row: Sequence[str]) -> str:
    return " & ".join(_in_a_line(cell).translate(_LATEX) for cell in row) + r" \\"


def _in_a_line(text: str) -> str:
    return " ".join(text.split())
