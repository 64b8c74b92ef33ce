"""Lambda: functions, permissions, event source mappings."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from orgmon.sandbox.providers.properties import chosen, differs, is_true, numbers, tag_changes, tag_map
from orgmon.sandbox.providers.provider import HandlerError, Place, Properties, Provider, provides

_CONFIGURATION = ("DeadLetterConfig", "Description", "Environment", "Handler", "KmsKeyArn", "Role", "Runtime")
_NUMBERS = ("MemorySize", "Timeout")
_FORMER_DEFAULTS = {"MemorySize": 128, "Timeout": 3}


@provides("AWS::Lambda::Function")
class Function(Provider):
    """A function with its code, from S3 or written into the template."""

    name_property = "FunctionName"
    name_limit = 64
    supports = frozenset(
        {
            "Architectures",
            "Code",
            "FunctionName",
            "PackageType",
            "ReservedConcurrentExecutions",
            "Tags",
            *_CONFIGURATION,
            *_NUMBERS,
        }
    )

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateFunction, then its concurrency."""
        name = self.name(place, wanted)
        members = _configuration(wanted)
        client = place.client("lambda")
        if wanted.get("Tags"):
            members["Tags"] = tag_map(wanted["Tags"])
        members |= chosen(wanted, "Architectures", "PackageType")
        client.create_function(FunctionName=name, Code=_code(place, wanted), **members)
        place.claim(name)
        self._set_concurrency(client, name, {}, wanted)
        return name

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """Code, configuration, concurrency and tags, each where it differs."""
        client = place.client("lambda")
        if differs(old, wanted, "Code", "Architectures", "Handler"):
            client.update_function_code(FunctionName=physical_id, **_code(place, wanted))
        if differs(old, wanted, *_CONFIGURATION, *_NUMBERS):
            members = {**_FORMER_DEFAULTS, **_emptied(old, wanted), **_configuration(wanted)}
            client.update_function_configuration(FunctionName=physical_id, **members)
        self._set_concurrency(client, physical_id, old, wanted)
        changed, removed = tag_changes(old.get("Tags"), wanted.get("Tags"))
        arn = place.arn("lambda", f"function:{physical_id}")
        if removed:
            client.untag_resource(Resource=arn, TagKeys=removed)
        if changed:
            client.tag_resource(Resource=arn, Tags=changed)

    def _set_concurrency(self, client: Any, name: str, old: Properties, wanted: Properties) -> None:
        if not differs(old, wanted, "ReservedConcurrentExecutions"):
            return
        if "ReservedConcurrentExecutions" in wanted:
            reserved = int(wanted["ReservedConcurrentExecutions"])
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
        else:
            client.delete_function_concurrency(FunctionName=name)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteFunction."""
        place.client("lambda").delete_function(FunctionName=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Configuration and tags; the code is write-only."""
        function = place.client("lambda").get_function(FunctionName=physical_id)
        about = function["Configuration"]
        settings = chosen(about, "FunctionName", "Architectures", *_CONFIGURATION, *_NUMBERS)
        return {
            **settings,
            "Tags": [{"Key": key, "Value": value} for key, value in function.get("Tags", {}).items()],
        }

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """The ARN."""
        return {"Arn": place.arn("lambda", f"function:{physical_id}")}


def _configuration(wanted: Properties) -> dict[str, Any]:
    members = {**chosen(wanted, *_CONFIGURATION), **numbers(wanted, _NUMBERS)}
    if "Environment" in members:
        variables = members["Environment"].get("Variables", {})
        members["Environment"] = {"Variables": {name: str(value) for name, value in variables.items()}}
    return members


def _emptied(old: Properties, wanted: Properties) -> dict[str, Any]:
    """What takes away the settings that the template dropped."""
    empty: dict[str, Any] = {"Description": "", "Environment": {"Variables": {}}, "KmsKeyArn": ""}
    return {name: value for name, value in empty.items() if name in old and name not in wanted}


def _code(place: Place, wanted: Properties) -> dict[str, Any]:
    """The code in the words of CreateFunction. Inline code becomes a zip with ``index.py`` or ``index.js``."""
    code = wanted["Code"]
    if "ZipFile" in code:
        suffix = "js" if str(wanted.get("Runtime", "")).startswith("nodejs") else "py"
        return {"ZipFile": _zipped(f"index.{suffix}", str(code["ZipFile"]))}
    if "S3Bucket" not in code or "S3Key" not in code:
        raise HandlerError("InvalidRequest", "Code of a function needs ZipFile, or S3Bucket and S3Key")
    where = {"Bucket": code["S3Bucket"], "Key": code["S3Key"]}
    version = {"VersionId": code["S3ObjectVersion"]} if "S3ObjectVersion" in code else {}
    place.client("s3").head_object(**where, **version)
    return chosen(code, "S3Bucket", "S3Key", "S3ObjectVersion")


def _zipped(name: str, text: str) -> bytes:
    """A zip with one file, the same bytes for the same text."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, text)
    return buffer.getvalue()


_MAPPING_NUMBERS = ("BatchSize", "MaximumBatchingWindowInSeconds", "MaximumRetryAttempts")
_MAPPING = ("DestinationConfig", "FilterCriteria", "FunctionResponseTypes", "ScalingConfig")


@provides("AWS::Lambda::EventSourceMapping")
class EventSourceMapping(Provider):
    """A queue or stream that a function reads; its physical id is the mapping's UUID."""

    supports = frozenset(
        {"Enabled", "EventSourceArn", "FunctionName", "StartingPosition", *_MAPPING, *_MAPPING_NUMBERS}
    )

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateEventSourceMapping."""
        members = chosen(wanted, "EventSourceArn", "StartingPosition")
        made = place.client("lambda").create_event_source_mapping(**members, **_mapping_members(wanted))
        return place.claim(str(made["UUID"]))

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """UpdateEventSourceMapping."""
        place.client("lambda").update_event_source_mapping(UUID=physical_id, **_mapping_members(wanted))

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteEventSourceMapping."""
        place.client("lambda").delete_event_source_mapping(UUID=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Source, function, batch and state."""
        mapping = place.client("lambda").get_event_source_mapping(UUID=physical_id)
        settings = chosen(mapping, "EventSourceArn", *_MAPPING, *_MAPPING_NUMBERS)
        enabled = mapping.get("State") in ("Enabled", "Enabling", "Creating")
        return {**settings, "FunctionName": mapping["FunctionArn"], "Enabled": enabled}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """Id and ARN."""
        arn = place.arn("lambda", f"event-source-mapping:{physical_id}")
        return {"Id": physical_id, "EventSourceMappingArn": arn}


def _mapping_members(wanted: Properties) -> dict[str, Any]:
    members = {**chosen(wanted, "FunctionName", *_MAPPING), **numbers(wanted, _MAPPING_NUMBERS)}
    members["Enabled"] = is_true(wanted.get("Enabled", True))
    return members
