"""What is said of a deployment: code of a procedure on its way to stations."""

from typing import Literal

Environment = Literal["production", "preview", "development"]
# What brought it about.
Trigger = Literal["auto", "manual", "cli"]
Status = Literal["pending", "building", "ready", "failed"]
# Whether stations are kept the same as a source tree, or given something that runs by itself.
Mode = Literal["sync", "standalone"]
# Where a repository lives.
Provider = Literal["github", "gitlab", "bitbucket"]
