"""One organization on the embedded AWS, served, with everything rolled out: what all clients look at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from orgmon.config.load import load
from orgmon.config.model import Config
from orgmon.rehearsal.environment import isolate
from orgmon.rehearsal.serving import Served, orgmon, served
from tests import sample
from tests.whole.processes import small_config

ACCESS_ROLE = "OrganizationAccountAccessRole"


@dataclass(frozen=True)
class Rollout:
    """A served sandbox with a whole rollout, its config, and a folder for what the clients write."""

    served: Served
    config: Config
    folder: Path

    @property
    def management(self) -> str:
        """The management account."""
        return self.config.organization.management_account

    @property
    def region(self) -> str:
        """The home Region, which is the only governed one."""
        return self.config.organization.home_region

    @property
    def members(self) -> tuple[str, ...]:
        """The member accounts."""
        return tuple(entry.id for entry in self.config.accounts if entry.id != self.management)

    def member(self, name: str) -> str:
        """The account with that name."""
        return next(entry.id for entry in self.config.accounts if entry.name == name)

    def client(self, service: str, account: str) -> Any:
        """The sandbox's own client, by which its state is read without a socket."""
        return self.served.sandbox.world.client(service, account, self.region)

    def environment(self, **more: str) -> dict[str, str]:
        """What a program needs to find the sandbox, and nothing of the user's."""
        own = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TMPDIR": str(self.folder)}
        return {**own, **self.served.address.environment(), **more}

    def own_folder(self, name: str) -> Path:
        """An empty folder for one client."""
        path = self.folder / name
        path.mkdir()
        return path


def role_arn(account: str) -> str:
    """The role by which the management account reaches a member."""
    return f"arn:aws:iam::{account}:role/{ACCESS_ROLE}"


@contextmanager
def rolled_out(folder: Path) -> Iterator[Rollout]:
    """Three workload accounts, one Region, and all of the shipped config's detections."""
    isolate()
    path = small_config(folder)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    shipped = yaml.safe_load(sample.PATH.read_text(encoding="utf-8"))["detections"]
    content["detections"] = {**shipped, "cis": True}
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    with served(path) as own:
        code, out = orgmon(("deploy", "--yes", "--config", str(path)), own.address, quiet=True)
        assert code == 0, out
        own.address.control("confirm", {})
        yield Rollout(own, load(path), folder)
