"""`python -m s3dash`, and the `s3dash` command."""

import gc
import os
import sys

from s3dash.cli.streams import settle

GARBAGE = 200_000
"""Objects that are made between two looks for those that only hold each other. Python's own
number, 700, has it look hundreds of times while modules load and tables of files are made."""


def main() -> int:
    """Run the command line of this process; its exit code."""
    gc.set_threshold(GARBAGE)
    # Pydantic would look through all that is installed for plugins, at each start, and load them.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    settle()
    try:
        from s3dash.cli.main import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130
    finally:
        gc.freeze()  # or all that is left is looked through once more on the way out


if __name__ == "__main__":
    sys.exit(main())
