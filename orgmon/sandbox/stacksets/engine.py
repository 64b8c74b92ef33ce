"""The operations of all stack sets at work.

An operation is accepted under the lock, then goes on in a thread of its own; each instance that it works on has a
thread too, so that as many work at once as the window allows.
"""

from __future__ import annotations

import threading
import uuid

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.seed import STACKSETS_PRINCIPAL
from orgmon.sandbox.stacksets.arithmetic import Pair, Preferences, Walk
from orgmon.sandbox.stacksets.member import Member
from orgmon.sandbox.stacksets.outcome import End, Outcome
from orgmon.sandbox.stacksets.records import Instance, Operation, Result, StackSetRecord
from orgmon.sandbox.stacksets.refusals import bad_operation, in_progress, operation_id_used
from orgmon.sandbox.stacksets.register import Register
from orgmon.sandbox.stacksets.roles import Roles
from orgmon.sandbox.stacksets.stances import Stances
from orgmon.sandbox.stacksets.tasks import Foreign
from orgmon.sandbox.world import World

TOLERANCE_EXCEEDED = "Cancelled since failure tolerance has exceeded"
STOPPED_BY_USER = "Cancelled since the operation was stopped"


class StackSetEngine:
    """All stack sets, in its ``register``. Safe to use from several threads; hold ``lock`` to read or change records.

    ``pace`` is seconds of real time that an instance takes when something is done to its stack.
    ``stale_lists``: the first answer of a list call after a change is the one from before the change.
    """

    def __init__(self, world: World, stacks: Engine, stances: Stances | None = None) -> None:
        self.world = world
        self.stacks = stacks
        self.stances = stances or Stances()
        self.pace = 0.0
        self.stale_lists = False
        self.register = Register()
        self.lock = self.register.lock
        self.organizations_access = (
            "ENABLED" if STACKSETS_PRINCIPAL in world.organization.settings.service_access else "DISABLED"
        )
        self.member = Member(world, stacks, Roles(world), self.stances)
        self._changed = threading.Condition(self.lock)
        self._at_work = 0
        self._closing = threading.Event()

    # -- operations

    def check_free(self, stack_set: StackSetRecord, operation_id: str) -> None:
        """Raise Refusal when a new operation with this id cannot be accepted now."""
        if operation_id in stack_set.operations:
            raise operation_id_used(operation_id)
        if stack_set.running is not None and not stack_set.settings.managed_execution:
            raise in_progress(stack_set.arn, stack_set.running.id)

    def submit(self, stack_set: StackSetRecord, operation: Operation, *, may_wait: bool = False) -> str:
        """Start an operation, or queue it where it may wait; returns its id. Raises Refusal when not accepted."""
        with self.lock:
            if operation.id in stack_set.operations and not self.stances.refuses_used_operation_id:
                return operation.id
            if not may_wait:
                self.check_free(stack_set, operation.id)
            if stack_set.is_busy or operation.waits_for:
                stack_set.operations[operation.id] = operation
                stack_set.queue.append(operation)
                self._advance(stack_set)
            else:
                self._begin(stack_set, operation)
            return operation.id

    def stop(self, stack_set: StackSetRecord, operation: Operation) -> None:
        """Stop an operation. Raises Refusal (InvalidOperationException) when it is over or stopping already."""
        with self.lock:
            if operation.status == "QUEUED":
                stack_set.queue.remove(operation)
                self._close(operation, "STOPPED")
                self._advance_all()
            elif operation.status == "RUNNING" and operation.walk is not None:
                operation.status = "STOPPING"
                operation.walk.stop()
                self._cancel_rest(stack_set, operation, operation.walk, STOPPED_BY_USER)
                self._changed.notify_all()
            else:
                raise bad_operation(f"Operation {operation.id} is not in a state in which it can be stopped")

    def start_foreign(self, name: str, seconds: float) -> None:
        """Let somebody else's operation take the slot of the stack set with this name for that many real seconds.

        Raises LookupError when there is no such stack set.
        """
        stack_set = next((each for each in self.register.active() if name in (each.name, each.id)), None)
        if stack_set is None:
            raise LookupError(f"no stack set is called {name}")
        task = Foreign(self.member, seconds)
        operation = Operation(
            str(uuid.uuid4()), task, Preferences(), {"RegionOrder": []}, self.world.clock.now()
        )
        self.submit(stack_set, operation, may_wait=True)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait (real seconds) until no operation is under way. False when time was up."""
        with self._changed:
            return self._changed.wait_for(lambda: self._at_work == 0, timeout)

    def close(self, timeout: float = 10.0) -> bool:
        """Start nothing any more, and wait (real seconds) until what is under way has ended. False when time was up."""
        self._closing.set()
        with self._changed:
            for stack_set in self.register.active():
                for operation in list(stack_set.operations.values()):
                    if operation.status in ("QUEUED", "RUNNING"):
                        self.stop(stack_set, operation)
        return self.wait(timeout)

    # -- at work

    def _begin(self, stack_set: StackSetRecord, operation: Operation) -> None:
        """Give an operation the slot. Raises Refusal when it turns out to be impossible."""
        instances = operation.task.begin(stack_set)
        stack_set.operations[operation.id] = operation
        for instance in instances:
            if operation.task.touches(instance):
                instance.last_operation = operation.id
            operation.results[instance.pair] = Result(instance.account, instance.region, instance.unit_id)
        operation.status = "RUNNING"
        operation.walk = self._walk(operation)
        problem = operation.task.problem(stack_set)
        if problem:
            operation.reason = problem
            operation.walk.stop()
            self._cancel_rest(stack_set, operation, operation.walk, problem)
            self._close(operation, "FAILED")
        elif operation.walk.is_over and not operation.task.seconds:
            operation.task.end(stack_set)
            self._close(operation, "SUCCEEDED")
        else:
            stack_set.running = operation
            self._at_work += 1
            threading.Thread(target=self._run, args=(stack_set, operation), daemon=True).start()

    def _walk(self, operation: Operation) -> Walk:
        regions = operation.preferences.region_order or tuple(sorted({key[1] for key in operation.results}))
        targets = {
            region: sorted(account for account, where in operation.results if where == region)
            for region in regions
        }
        return Walk(
            targets,
            operation.preferences,
            ceiling=self.stances.ceiling,
            failure_ends_all=self.stances.parallel_failure_ends_all,
        )

    def _run(self, stack_set: StackSetRecord, operation: Operation) -> None:
        """The operation's own thread."""
        try:
            with self._changed:
                if operation.task.seconds:
                    self._changed.wait_for(lambda: operation.status == "STOPPING", operation.task.seconds)
                self._drive(stack_set, operation)
                self._finish(stack_set, operation)
        except Exception as error:
            self.world.hook_errors.append(error)
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    def _drive(self, stack_set: StackSetRecord, operation: Operation) -> None:
        walk = operation.walk
        while walk is not None and not walk.is_over:
            while pair := walk.start_next():
                instance = stack_set.instances[pair]
                threading.Thread(
                    target=self._work, args=(stack_set, operation, instance), daemon=True
                ).start()
            self._changed.wait()

    def _work(self, stack_set: StackSetRecord, operation: Operation, instance: Instance) -> None:
        """The thread of one instance."""
        with self.lock:
            operation.results[instance.pair].status = "RUNNING"
            if operation.task.touches(instance):
                instance.detailed = "RUNNING"
        try:
            outcome = operation.task.perform(stack_set, instance)
            if outcome.took_time and self.pace:
                self._closing.wait(self.pace)
        except Exception as error:
            self.world.hook_errors.append(error)
            outcome = Outcome(End.FAILED, f"The sandbox failed: {error!r}")
        with self._changed:
            self._settle(stack_set, operation, instance, outcome)
            self._changed.notify_all()

    def _settle(
        self, stack_set: StackSetRecord, operation: Operation, instance: Instance, outcome: Outcome
    ) -> None:
        operation.task.settle(stack_set, instance, outcome)
        result = operation.results[instance.pair]
        result.status = "FAILED" if outcome.end is End.FAILED else "SUCCEEDED"
        result.reason = outcome.reason
        if operation.walk is not None:
            operation.walk.completed(instance.pair, outcome.end is not End.FAILED)
            self._cancel_rest(stack_set, operation, operation.walk, TOLERANCE_EXCEEDED)

    def _cancel_rest(self, stack_set: StackSetRecord, operation: Operation, walk: Walk, reason: str) -> None:
        pairs: tuple[Pair, ...] = walk.take_cancelled()
        for pair in pairs:
            operation.results[pair].status = "CANCELLED"
            operation.results[pair].reason = reason
            operation.task.cancel(stack_set.instances[pair], reason)

    def _finish(self, stack_set: StackSetRecord, operation: Operation) -> None:
        """End an operation, give the slot to the next one, and let those begin that waited for it elsewhere."""
        operation.task.end(stack_set)
        has_failed = operation.walk is not None and operation.walk.has_failed
        stopped = operation.status == "STOPPING"
        self._close(operation, "STOPPED" if stopped else "FAILED" if has_failed else "SUCCEEDED")
        stack_set.running = None
        self._advance_all()

    def _advance_all(self) -> None:
        """Begin everything that may; what begins may have ended at once, which others wait for."""
        while sum(self._advance(each) for each in self.register.active()):
            pass

    def _advance(self, stack_set: StackSetRecord) -> bool:
        """Begin what is next in the queue, if the slot is free. True if anything has left the queue."""
        moved = False
        while stack_set.queue and stack_set.running is None:
            following = stack_set.queue[0]
            if not all(each.is_over for each in following.waits_for):
                break
            stack_set.queue.popleft()
            moved = True
            try:
                self._require_success(following)
                self._begin(stack_set, following)
            except Refusal as refusal:
                following.reason = refusal.message
                self._close(following, "FAILED")
        return moved

    def _require_success(self, operation: Operation) -> None:
        if any(each.status != "SUCCEEDED" for each in operation.waits_for):
            raise bad_operation("An operation of a stack set that this one depends on did not succeed")

    def _close(self, operation: Operation, status: str) -> None:
        operation.status = status
        operation.ended = self.world.clock.now()
