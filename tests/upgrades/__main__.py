"""Keep what this version deploys: ``python -m tests.upgrades`` at each release, before its tag."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from orgmon import __version__
from orgmon.workspace import Workspace
from tests.upgrades.release import FOLDER, write
from tests.whole.embedded import EVERYTHING, embedded
from tests.whole.links import HOME, MANAGEMENT


def main() -> None:
    """Write the folder of this version. Raises FileExistsError: a release is kept once and never changed."""
    with (
        TemporaryDirectory() as folder,
        embedded(Path(folder), (HOME,), detections=EVERYTHING) as world,
    ):
        workspace = Workspace(world.path, lambda _: world.sandbox.world.session(MANAGEMENT))
        write(FOLDER / __version__, world.written, workspace.desired)


if __name__ == "__main__":
    main()
