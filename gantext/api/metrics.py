"""The reports of a training as rows, or as a table of pandas, which need not be installed."""

import importlib
from typing import Any

from gantext.errors import UserError

Rows = list[dict[str, Any]]


def rows_or_frame(rows: Rows, frame: bool | None) -> Any:
    """A DataFrame of the rows, or the rows: None is for a DataFrame where pandas is installed.

    Raises:
        UserError: a DataFrame is wanted and pandas is not there.
    """
    if frame is False:
        return rows
    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        if frame:
            raise UserError("a DataFrame needs pandas: pip install pandas") from error
        return rows
    return pandas.DataFrame(rows)
