"""One run of a command: the config, the sessions, and what is read from AWS, each made when it is first asked for.

Commands get everything from here, so that none of them knows how a session is opened or where rules are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from orgmon.aws.alerts import Subscription, subscriptions
from orgmon.aws.artifacts import Artifacts
from orgmon.aws.observe import Ours, read_state, retained_stacks
from orgmon.aws.organizations import read_organization
from orgmon.aws.session import Sessions
from orgmon.aws.stack_sets import StackSets
from orgmon.aws.stacks import Stacks
from orgmon.config.load import load
from orgmon.config.model import Config
from orgmon.config.monitoring import DetectionOverride
from orgmon.config.section import Selector
from orgmon.desired import STACKS, Rollout, desired_state, rollout
from orgmon.detections import catalogue
from orgmon.detections.model import Detection, Scope, Severity
from orgmon.errors import OrgmonError
from orgmon.execute.outcome import Progress
from orgmon.execute.runner import Runner
from orgmon.organization import Organization
from orgmon.plan.model import Plan
from orgmon.plan.planner import Options, plan
from orgmon.stacks import logs, names
from orgmon.stacks.definition import Placement
from orgmon.stackset import State

MakeSession = Callable[[str | None], Any]


class Workspace:
    """A config file and the organization that it is about."""

    def __init__(
        self,
        path: Path,
        make_session: MakeSession | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self._path = path
        self._make_session = make_session
        self._log = log

    @cached_property
    def config(self) -> Config:
        """accounts.yaml. Raises ConfigError."""
        return load(self._path)

    def hidden(self, plan: Plan) -> tuple[str, ...]:
        """The phrases of all decoys, also of those that a plan removes: they are not printed."""
        section = self.config.decoys
        if section is None:
            return ()
        changes = [change for change in plan.templates if change.stack == section.stack_set]
        resources = [
            body.content.get("Resources") for change in changes for body in (change.before, change.after)
        ]
        found = {phrase for one in resources if isinstance(one, dict) for phrase in one}
        return tuple(sorted(found | {item.phrase for item in section.items}))

    @cached_property
    def detections(self) -> tuple[Detection, ...]:
        """The detections that are on, decoys filled in. Raises DetectionError."""
        return detections_of(self.config, self._path)

    @property
    def placeholders(self) -> dict[str, tuple[str, ...]]:
        """What placeholders of rules stand for; decoys' names are among it."""
        return placeholders_of(self.config)

    def check(self) -> None:
        """Read all that the user wrote, so that mistakes in it are told before AWS is asked.

        Raises ConfigError and DetectionError.
        """
        _ = self.detections

    @cached_property
    def sessions(self) -> Sessions:
        """The AWS sessions that the config names."""
        if self._make_session is None:
            return Sessions(self.config.organization, log=self._log)
        return Sessions(self.config.organization, self._make_session, log=self._log)

    @cached_property
    def organization(self) -> Organization:
        """The live organization. Raises AwsError, and OrgmonError where it is not the config's."""
        found = read_organization(self.sessions.management("organizations"), with_tags=self._uses_tags)
        if found.id != self.config.organization.id:
            raise OrgmonError(
                f"these credentials are of organization {found.id}, {self._path} is about "
                f"{self.config.organization.id}",
                "use a profile of the right organization, or name another file with --config",
            )
        return found

    @property
    def _uses_tags(self) -> bool:
        selectors: list[Selector] = [self.config.scope, self.config.scope.exclude, *self.config.rollout.waves]
        if self.config.decoys:
            selectors.append(self.config.decoys.placement)
        return any(selector.tags for selector in selectors)

    @cached_property
    def rollout(self) -> Rollout:
        """Stages and waves."""
        return rollout(self.config, self.organization)

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
        plain = tuple(item.name for item in STACKS if item.placement is Placement.MANAGEMENT)
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
        """What has to be done from an observed State; with ``destroy`` to remove everything."""
        options = Options(
            prune=prune or destroy,
            accounts=accounts,
            regions=regions,
            retained=() if destroy else self._retained(observed),
            keeps=frozenset({logs.STACK.name}),
        )
        desired = State() if destroy else self.desired
        return plan(desired, observed, self.organization, self.rollout, options)

    def _retained(self, observed: State) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The log stack that an earlier destroy kept, if the stack set has no instance for it yet."""
        name = logs.STACK.name
        wanted, found_set = self.desired.stack_set(name), observed.stack_set(name)
        if wanted is None:
            return ()
        instance = wanted.instances[0]
        if found_set is not None and instance.pair in found_set.by_pair:
            return ()
        found = retained_stacks(self.sessions, instance.account, instance.region, name)
        return ((name, found),) if found else ()

    def runner(self, progress: Progress) -> Runner:
        """What performs steps."""
        who = self.config.organization
        bucket = names.artifact_bucket(who.management_account, who.home_region)
        return Runner(self._stack_sets, self._stacks, Artifacts(self.sessions, bucket), progress)

    def subscriptions(self) -> tuple[Subscription, ...]:
        """Who is subscribed to the alerts."""
        return subscriptions(self.sessions, self.config.organization)


def rules_of(config: Config, path: Path) -> tuple[Detection, ...]:
    """The detections that a config switches on, changed as it says; placeholders are still open."""
    folder = path.parent / config.detections.folder if config.detections.folder else None
    changes = {name: _change(wanted) for name, wanted in config.detections.overrides.items()}
    return catalogue.load(folder, off=config.detections.disabled, changes=changes)


def _change(wanted: DetectionOverride) -> catalogue.Change:
    return catalogue.Change(
        severity=Severity(wanted.level) if wanted.level else None,
        scope=Scope(wanted.scope) if wanted.scope else None,
        count=wanted.count,
        seconds=wanted.minutes * 60 if wanted.minutes else None,
    )


def placeholders_of(config: Config) -> dict[str, tuple[str, ...]]:
    """What a config fills placeholders of rules with: the names of its decoys, and its deployers."""
    phrases = tuple(f"{item.phrase}-" for item in config.decoys.items) if config.decoys else ()
    deployers = config.detections.deployers
    if config.organization.permission_model == "SELF_MANAGED":
        # What acts in members is then a role that the user has made, under AWS's own name for it.
        deployers = (*deployers, "*:assumed-role/AWSCloudFormationStackSetExecutionRole/*")
    return {"decoys": phrases, "deployers": deployers}


def detections_of(config: Config, path: Path) -> tuple[Detection, ...]:
    """The detections that a config switches on, with placeholders filled in."""
    return catalogue.resolved(rules_of(config, path), placeholders_of(config))
