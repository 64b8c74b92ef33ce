"""The fields of a CloudTrail record, or of a finding: which type each has, and whether an array is on the way.

Without types the compiled forms would differ on arrays, objects and booleans. Source: CloudTrail user guide,
"CloudTrail record contents" and "userIdentity element".
"""

from __future__ import annotations

import difflib
import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """What a field can hold, besides null and nothing."""

    STRING = "a string"
    NUMBER = "a number"
    BOOL = "true or false"
    OPEN = "a string, or true or false"
    OBJECT = "an object"


class Array(enum.Enum):
    """Whether an array is involved; then a test means "any element"."""

    NO = "no array"
    VALUES = "an array of values"
    OBJECTS = "a member of objects in an array"


@dataclass(frozen=True)
class FieldType:
    """The type of a field."""

    kind: Kind
    array: Array = Array.NO


_IDENTITY = [
    "type",
    "principalId",
    "arn",
    "accountId",
    "accessKeyId",
    "userName",
    "invokedBy",
    "identityProvider",
    "credentialId",
    "sessionContext.sessionIssuer.type",
    "sessionContext.sessionIssuer.principalId",
    "sessionContext.sessionIssuer.arn",
    "sessionContext.sessionIssuer.accountId",
    "sessionContext.sessionIssuer.userName",
    "sessionContext.attributes.creationDate",
    "sessionContext.attributes.mfaAuthenticated",
    "sessionContext.sourceIdentity",
    "sessionContext.ec2RoleDelivery",
    "sessionContext.webIdFederationData.federatedProvider",
    "inScopeOf.sourceArn",
    "inScopeOf.sourceAccount",
    "inScopeOf.issuerType",
    "inScopeOf.credentialsIssuedTo",
    "onBehalfOf.userId",
    "onBehalfOf.identityStoreArn",
]

_STRINGS = [
    "eventVersion",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestID",
    "eventID",
    "eventType",
    "eventCategory",
    "apiVersion",
    "recipientAccountId",
    "sharedEventID",
    "vpcEndpointId",
    "vpcEndpointAccountId",
    "sessionCredentialFromConsole",
    "addendum.reason",
    "addendum.updatedFields",
    "tlsDetails.tlsVersion",
    "tlsDetails.cipherSuite",
    "tlsDetails.clientProvidedHostHeader",
    "additionalEventData.MFAUsed",
    "additionalEventData.LoginTo",
    "additionalEventData.MobileVersion",
    "responseElements.ConsoleLogin",
]

KNOWN: dict[str, FieldType] = {
    **{f"userIdentity.{name}": FieldType(Kind.STRING) for name in _IDENTITY},
    **{name: FieldType(Kind.STRING) for name in _STRINGS},
    **{name: FieldType(Kind.BOOL) for name in ("readOnly", "managementEvent")},
    **{f"resources.{name}": FieldType(Kind.STRING, Array.OBJECTS) for name in ("ARN", "accountId", "type")},
    "requestParameters.secretIdList": FieldType(Kind.STRING, Array.VALUES),
    "requestParameters.alarmNames": FieldType(Kind.STRING, Array.VALUES),
    "requestParameters.muteTargets.alarmNames": FieldType(Kind.STRING, Array.VALUES),
}
"""The fields that every service writes alike, and arrays of values that detections need."""

FINDINGS: dict[str, FieldType] = {
    "severity": FieldType(Kind.NUMBER),
    **{
        name: FieldType(Kind.STRING) for name in ("id", "type", "title", "description", "accountId", "region")
    },
    "service.archived": FieldType(Kind.BOOL),
    "resource.resourceType": FieldType(Kind.STRING),
    **{
        f"findings.{name}": FieldType(Kind.STRING, Array.OBJECTS)
        for name in (
            "Severity.Label",
            "Workflow.Status",
            "RecordState",
            "ProductName",
            "AwsAccountId",
            "Title",
            "severity",
            "status",
            "class_name",
            "cloud.account.uid",
            "cloud.region",
            "finding_info.title",
            "finding_info.uid",
            "metadata.product.name",
        )
    },
    **{
        f"findings.{name}": FieldType(Kind.NUMBER, Array.OBJECTS)
        for name in ("severity_id", "status_id", "class_uid")
    },
}
"""The fields of GuardDuty's findings and of those that Security Hub imports: in ASFF, and in OCSF by its V2."""

OPEN_BELOW = ("requestParameters.", "responseElements.", "additionalEventData.", "serviceEventDetails.")
"""What is below these differs by service: taken for a string or a boolean, never an array."""

OBJECTS = frozenset(
    {name.removesuffix(".") for name in OPEN_BELOW}
    | {".".join(path.split(".")[:length]) for path in KNOWN for length in range(1, path.count(".") + 1)}
)


def field_type(path: str) -> FieldType | None:
    """The type of a field, or None for a field that no CloudTrail record or finding has."""
    if path in KNOWN or path in FINDINGS:
        return KNOWN.get(path) or FINDINGS[path]
    if path in OBJECTS:
        return FieldType(Kind.OBJECT)
    if path.startswith(OPEN_BELOW) and all(path.split(".")):
        return FieldType(Kind.OPEN)
    return None


def taken_type(path: str) -> FieldType:
    """The type that a field is taken for: one that nobody knows is open."""
    return field_type(path) or FieldType(Kind.OPEN)


def nearest(path: str) -> str:
    """The known field that is spelled most alike, or an empty string."""
    matches = difflib.get_close_matches(path, KNOWN, n=1)
    return matches[0] if matches else ""
