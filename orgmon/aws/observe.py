"""Everything of ours that is in AWS -> State, read in parallel."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from orgmon.aws.artifacts import Artifacts
from orgmon.aws.errors import translated
from orgmon.aws.session import Sessions
from orgmon.aws.stack_sets import StackSets
from orgmon.aws.stacks import Stacks
from orgmon.errors import AwsError
from orgmon.stacks import names
from orgmon.stackset import PermissionModel, StackSet, State

WORKERS = 8


@dataclass(frozen=True)
class Ours:
    """What is looked for: plain stacks by name, stack sets by our prefix and the neutral names of decoys."""

    account: str
    region: str
    stacks: tuple[str, ...]
    neutral: tuple[str, ...] = ()

    def owns(self, name: str) -> bool:
        """Is a stack set of this name ours? Decoys are known by their name alone."""
        return name.startswith(f"{names.PREFIX}-") or name in self.neutral


def read_state(sessions: Sessions, stack_sets: StackSets, stacks: Stacks, ours: Ours) -> State:
    """The State as it is now. Raises AwsError."""
    artifacts = Artifacts(sessions, names.artifact_bucket(ours.account, ours.region))
    with ThreadPoolExecutor(WORKERS) as pool:
        looked_at = pool.map(lambda item: stack_sets.read(*item), _ours(stack_sets, ours))
        plain = pool.map(lambda name: stacks.read(name, ours.account, ours.region), ours.stacks)
        stored = pool.submit(artifacts.read)
        ours_alone = [stack_set for stack_set in looked_at if stack_set and _is_ours(stack_set, ours)]
        ours_alone.sort(key=lambda stack_set: stack_set.name)
        return State(tuple(stack for stack in plain if stack), tuple(ours_alone), stored.result())


def _ours(stack_sets: StackSets, ours: Ours) -> Iterable[tuple[str, PermissionModel]]:
    """Names and models of the stack sets that look like ours."""
    named = []
    for model in PermissionModel:
        named += [(name, model) for name in stack_sets.names(model) if ours.owns(name)]
    return named


def _is_ours(stack_set: StackSet, ours: Ours) -> bool:
    """Our prefix alone is not enough: what carries it without our tag belongs to somebody else."""
    return stack_set.name in ours.neutral or any(key == names.TAG_KEY for key, _ in stack_set.tags)


def retained_stacks(sessions: Sessions, account: str, region: str, stack_set: str) -> tuple[str, ...]:
    """Ids of stacks in an account that an earlier stack set of that name left behind.

    Returns none where the account cannot be reached: then nothing can be adopted, and creation says so.
    """
    prefix = f"StackSet-{stack_set}-"
    usable = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
    try:
        client = sessions.member(account, "cloudformation", region)
        with translated("cloudformation:ListStacks", account=account, region=region):
            pages = client.get_paginator("list_stacks").paginate(StackStatusFilter=usable)
            return tuple(
                item["StackId"]
                for page in pages
                for item in page["StackSummaries"]
                if item["StackName"].startswith(prefix)
            )
    except AwsError:
        return ()
