"""One run of a command on AWS: a project, the sessions, and what is read, each made when it is first asked for.

Commands get everything from here, so that none of them knows how a session is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from orgmon.aws.alerts import AlertTopics
from orgmon.aws.artifacts import Artifacts
from orgmon.aws.observe import Ours, read_state, retained_stacks
from orgmon.aws.organizations import read_organization
from orgmon.aws.session import Sessions
from orgmon.aws.stack_sets import StackSets
from orgmon.aws.stacks import Stacks
from orgmon.config.stray import Stray
from orgmon.delivery import RouteCheck, checked
from orgmon.desired.state import desired_state
from orgmon.desired.strays import check_accounts, check_regions, strays
from orgmon.desired.waves import rollout
from orgmon.errors import OrgmonError
from orgmon.execute.calls import Calls
from orgmon.execute.operations import Operations
from orgmon.execute.progress import Progress, Unfailing
from orgmon.execute.runner import Runner
from orgmon.organization import Organization
from orgmon.plan.model import Plan
from orgmon.plan.planner import Options, plan
from orgmon.project import Project
from orgmon.rollout import Rollout
from orgmon.stacks import names
from orgmon.stacks.table import STACKS
from orgmon.stackset import State

MakeSession = Callable[[str | None], Any]


class Workspace(Project):
    """A project and the organization that it is about."""

    def __init__(
        self,
        path: Path,
        make_session: MakeSession | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(path)
        self._make_session = make_session
        self._log = log

    def hidden(self, plan: Plan) -> tuple[str, ...]:
        """The phrases of all decoys, also of those that a plan removes: they are not printed."""
        section = self.config.decoys
        if section is None:
            return ()
        changes = [change for change in plan.templates if change.stack == section.stack_set]
        resources = [
            body.content.get("Resources") for change in changes for body in (change.before, change.after)
        ]
        removed = {phrase for part in resources if isinstance(part, dict) for phrase in part}
        return tuple(sorted(removed | {item.phrase for item in section.items}))

    @cached_property
    def sessions(self) -> Sessions:
        """The AWS sessions that the config names."""
        if self._make_session is None:
            return Sessions(self.config.organization, log=self._log)
        return Sessions(self.config.organization, self._make_session, log=self._log)

    @cached_property
    def organization(self) -> Organization:
        """The live organization. Raises AwsError, and OrgmonError where it is not the config's."""
        live = read_organization(
            self.sessions.management("organizations"), with_tags=self.config.selects_by_tags
        )
        if live.id != self.config.organization.id:
            raise OrgmonError(
                f"these credentials are of organization {live.id}, {self.path} is about "
                f"{self.config.organization.id}",
                "use a profile of the right organization, or name another file with --config",
            )
        return live

    @cached_property
    def rollout(self) -> Rollout:
        """Stages and waves."""
        return rollout(self.config, self.organization)

    @cached_property
    def strays(self) -> tuple[Stray, ...]:
        """What accounts.yaml names and AWS does not have. Raises OrgmonError for what could be one of several."""
        return strays(self.config, self.organization)

    def check_selection(self, accounts: frozenset[str] | None, regions: frozenset[str] | None) -> None:
        """Raises UsageError for accounts and Regions to select that there are none of."""
        check_regions(regions or frozenset(), self.config)
        check_accounts(accounts or frozenset(), self.config, self.organization)

    @cached_property
    def desired(self) -> State:
        """The State that should be. Raises TemplateError."""
        return desired_state(self.config, self.organization, self.detections)

    @cached_property
    def _stack_sets(self) -> StackSets:
        return StackSets(self.sessions)

    @cached_property
    def _stacks(self) -> Stacks:
        return Stacks(self.sessions)

    def observe(self) -> State:
        """The State that is, read anew at each call. Raises AwsError."""
        who = self.config.organization
        neutral = (self.config.decoys.stack_set,) if self.config.decoys else ()
        plain = tuple(item.name for item in STACKS if item.placement.is_plain)
        ours = Ours(who.management_account, who.home_region, plain, neutral)
        return read_state(self.sessions, self._stack_sets, self._stacks, ours)

    def plan(
        self,
        observed: State,
        *,
        destroy: bool = False,
        prune: bool = False,
        accounts: frozenset[str] | None = None,
        regions: frozenset[str] | None = None,
    ) -> Plan:
        """What has to be done from an observed State; with ``destroy`` to remove everything.

        Nothing is pruned while a selector names what AWS does not have: whom it meant is not known.
        """
        options = Options(
            prune=destroy or (prune and not any(stray.selects for stray in self.strays)),
            accounts=accounts,
            regions=regions,
            retained=() if destroy else self._retained(observed),
            keeps=frozenset(item.name for item in STACKS if item.is_retained),
        )
        desired = State() if destroy else self.desired
        return plan(desired, observed, self.organization, self.rollout, options)

    def _retained(self, observed: State) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The stacks that an earlier destroy kept, where the stack set has no instance for them yet."""
        kept = []
        for name in (item.name for item in STACKS if item.is_retained):
            wanted, there = self.desired.stack_set(name), observed.stack_set(name)
            instance = wanted.instances[0] if wanted else None
            if instance is not None and not (there and instance.pair in there.by_pair):
                kept.append((name, retained_stacks(self.sessions, *instance.pair, name)))
        return tuple((name, stacks) for name, stacks in kept if stacks)

    def runner(self, progress: Progress, patience: float) -> Runner:
        """What performs steps; ``patience`` is for how many seconds AWS may refuse to start an operation."""
        who = self.config.organization
        bucket = names.artifact_bucket(who.management_account, who.home_region)
        calls = Calls(self._stack_sets, self._stacks, Artifacts(self.sessions, bucket))
        told = Unfailing(progress)
        operations = Operations(self._stack_sets, told, patience)
        return Runner(calls, operations, self._stacks, told)

    @cached_property
    def _topics(self) -> AlertTopics:
        return AlertTopics(self.sessions, self.config.organization)

    def routes(self) -> tuple[RouteCheck, ...]:
        """Who should be told of alerts, and whether he is subscribed; read anew at each call. Raises AwsError."""
        return checked(self.config.alerts.routes, self._topics.read())

    def subscribe(self, route: RouteCheck) -> None:
        """Subscribe a route (again). Raises AwsError."""
        self._topics.subscribe(route.topic, route.protocol, route.endpoint)
