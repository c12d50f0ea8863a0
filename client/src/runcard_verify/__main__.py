"""`runcard-verify`, or `python -m runcard_verify`."""

from __future__ import annotations

import sys
from importlib import import_module


def main() -> int:
    """Run the program and return its exit status, also where the one package that it needs is missing."""
    try:
        program = import_module("runcard_verify.cli")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "cryptography":
            raise
        sys.stderr.write(
            "runcard-verify: the package cryptography is missing; "
            "install it with: pip install 'runcard-client[verify]'\n"
        )
        return 2
    status: int = program.main()
    return status


if __name__ == "__main__":
    sys.exit(main())
