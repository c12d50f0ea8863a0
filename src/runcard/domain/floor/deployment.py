"""The words that describe a deployment, which brings the code of a procedure to stations."""

from typing import Literal

Environment = Literal["production", "preview", "development"]
# What started the deployment.
Trigger = Literal["auto", "manual", "cli"]
Status = Literal["pending", "building", "ready", "failed"]
# sync: stations follow a source tree; standalone: they get a program that runs by itself.
Mode = Literal["sync", "standalone"]
# The host of the source repository.
Provider = Literal["github", "gitlab", "bitbucket"]
