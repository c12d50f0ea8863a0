"""Questions in a notebook: `with Notebook("data") as nb: nb.first_pass_yield(group_by="day").to_arrow()`."""

from runcard.notebook.questions import Notebook

__all__ = ["Notebook"]
