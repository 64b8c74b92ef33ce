"""Where AWS's documents leave a doubt about stack sets: what the sandbox does, to be switched."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stances:
    """Answers to questions that no public document settles.

    ``ceiling`` is how many instances one stack set works on at once (user guide, "StackSets concepts": 100).
    """

    ceiling: int = 100
    # A call that is repeated with the same OperationId: refused, or answered with that id.
    refuses_used_operation_id: bool = True
    # RegionConcurrencyType PARALLEL: one Region beyond its tolerance ends the others too.
    parallel_failure_ends_all: bool = True
    # An update of an instance whose stack somebody has deleted makes a new one, or fails.
    recreates_deleted_stacks: bool = False
    # DeleteStackInstances that names a pair without an instance, self-managed: refused, or nothing is done.
    refuses_missing_on_delete: bool = False
    # An instance whose creation failed still names the stack that was rolled back and deleted.
    keeps_id_of_failed_stack: bool = True
