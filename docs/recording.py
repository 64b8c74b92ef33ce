"""Records docs/demo.md: the demo as it ran, word for word. Run by `make docs`; prints the page."""

from __future__ import annotations

import subprocess
import sys

HEADING = """\
# The demo, word for word

What `make demo` prints. The embedded AWS is seeded with the organization of `accounts.yaml`; each `$` is a real
command line, run as a user runs it; each `ok` is a claim that was checked. Progress, which goes to stderr, is left
out: on a terminal it is a live table of Regions and accounts. Times, ids and random names differ from run to run; a
test compares everything else with a new run.

"""


def recorded() -> str:
    """The page. Raises CalledProcessError where a claim of the demo does not hold."""
    done = subprocess.run(
        [sys.executable, "-m", "orgmon", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return f"{HEADING}```console\n$ make demo\n{done.stdout}```\n"


if __name__ == "__main__":
    print(recorded(), end="")
