"""Sample classes: units that are not production, and are left out of its figures."""

from typing import Literal

# golden: known to be good; failing: known to be bad; ignored: counts nowhere.
SampleClass = Literal["golden", "failing", "ignored"]

# As filters say it: production is what no class sets apart.
SampleChoice = Literal["production", "golden", "failing", "ignored"]
