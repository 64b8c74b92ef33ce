"""Why the properties of a resource change: the template, a parameter, another resource.

Sources: user guide, "Example change sets" and API reference, ResourceChangeDetail; answers to DescribeChangeSet that
were recorded in public test suites. A changed parameter is a static change beside a dynamic one of the property
itself; an attribute of a resource that changes in place may change what depends on it, or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from orgmon.sandbox.cloudformation.intrinsics import Resolver
from orgmon.sandbox.cloudformation.references import references_of, taken
from orgmon.sandbox.cloudformation.schema import schema_of
from orgmon.sandbox.cloudformation.stack import Detail, Request, ResourceRecord
from orgmon.sandbox.cloudformation.template import Definition

IN_PLACE = "in place"
REPLACED = "replaced"


@dataclass(frozen=True)
class Causes:
    """What may cause changes: ``parameters`` that have another value, and what becomes of resources, by id."""

    parameters: frozenset[str]
    fates: Mapping[str, str]
    resolver: Resolver

    def details(
        self,
        record: ResourceRecord,
        before: Definition | None,
        after: Definition,
        wanted: dict[str, Any],
        shown: dict[str, Any],
    ) -> tuple[Detail, ...]:
        """The details of every property that changes to what is ``wanted``, and of those that may change.

        ``before`` and ``after`` are the resource as the two templates write it, ``shown`` the properties with secret
        values masked.
        """
        replacing = schema_of(record.type).replaced_by(record.properties, wanted)
        creating = {path[0] for path in schema_of(record.type).create_only}
        found: list[Detail] = []
        for name in sorted(set(record.properties) | set(wanted)):
            written = before.properties.get(name) if before else None
            node = after.properties.get(name)
            if record.properties.get(name) != wanted.get(name):
                about = _about(name, name in replacing, record.shown.get(name), shown.get(name))
                found += self._changed(about, written, node)
            else:
                found += self._open(_about(name, name in creating, None, None), node)
        return tuple(found)

    def _changed(self, about: Detail, written: Any, node: Any) -> Iterator[Detail]:
        references = references_of(taken(node, self.resolver.condition))
        caused = False
        for name in sorted(references.refs & self.parameters):
            caused = True
            yield replace(about, source="ParameterReference", cause=name)
        resources = sorted(name for name in references.refs if self.fates.get(name) == REPLACED)
        for name in resources:
            yield replace(about, source="ResourceReference", cause=name)
        attributes = sorted(each for each in references.attributes if each[0] in self.fates)
        for name, attribute in attributes:
            cause = f"{name}.{attribute}"
            yield replace(about, source="ResourceAttribute", cause=cause, is_static=self._is_new(name))
        if written != node or not (caused or resources or attributes):
            yield about
        else:
            yield replace(about, is_static=False, with_values=not caused)

    def _open(self, about: Detail, node: Any) -> Iterator[Detail]:
        """A property whose value changes only if an attribute of another resource does."""
        for name, attribute in sorted(references_of(taken(node, self.resolver.condition)).attributes):
            if self.fates.get(name) == IN_PLACE:
                cause = f"{name}.{attribute}"
                dynamic = replace(about, source="ResourceAttribute", cause=cause, is_static=False)
                yield replace(dynamic, without_values=True)

    def _is_new(self, name: str) -> bool:
        return self.fates[name] == REPLACED


def changed_parameters(before: Request, after: Request) -> frozenset[str]:
    """The parameters whose value changes, or that are new."""
    names = set(after.parameters)
    return frozenset(name for name in names if before.parameters.get(name) != after.parameters[name])


def attribute_details(record: ResourceRecord, after: Definition) -> tuple[Detail, ...]:
    """The details of the attributes beside properties that change."""
    pairs = (
        ("Metadata", record.metadata, after.metadata),
        ("DeletionPolicy", record.deletion_policy or None, after.deletion_policy or None),
        ("UpdateReplacePolicy", record.update_replace_policy or None, after.update_replace_policy or None),
    )
    return tuple(
        Detail(attribute, before=was, after=will_be) for attribute, was, will_be in pairs if was != will_be
    )


def _about(name: str, replaces: bool, before: Any, after: Any) -> Detail:
    recreation = "Always" if replaces else "Never"
    if name == "Tags":
        return Detail("Tags", recreation=recreation, before=before, after=after)
    return Detail("Properties", name, recreation, before=before, after=after)
