"""A spreadsheet calculates nothing of what a CSV file holds."""

import csv
import io

from gantext.evaluation.spreadsheet import csv_text


def test_a_line_ends_as_in_any_text_file() -> None:
    assert csv_text([["a", 1], ["b, c", 0.5]]) == 'a,1\n"b, c",0.5\n'


def test_formulas_are_text_and_numbers_are_numbers() -> None:
    cells = ["=1+1", "+cmd", "-x", "@sum", "\tx", "\rx", "-1.5", "+2e3", "a=b", "", -0.5, 3]
    (read,) = csv.reader(io.StringIO(csv_text([cells]), newline=""))
    assert read == [
        "'=1+1",
        "'+cmd",
        "'-x",
        "'@sum",
        "'\tx",
        "' x",
        "-1.5",
        "+2e3",
        "a=b",
        "",
        "-0.5",
        "3",
    ]
