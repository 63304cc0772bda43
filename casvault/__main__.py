"""The command `casvault`, also as `python -m casvault`."""

import gc
import sys

# Nothing that imports make is garbage, and looking for some takes a tenth of the time until a command begins to work.
# It is switched on again when a vault is opened.
gc.disable()

from casvault.cli.app import main as run  # noqa: E402


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
