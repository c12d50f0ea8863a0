"""Sample classes: kinds of units that are not production and do not count in its figures."""

from typing import Literal

# golden: known to be good; failing: known to be bad; ignored: counted nowhere.
SampleClass = Literal["golden", "failing", "ignored"]

# As filters say it: production is what no class sets apart.
SampleChoice = Literal["production", "golden", "failing", "ignored"]
