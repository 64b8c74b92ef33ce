"""What policies can know of a request: the condition keys of the caller, the call and the resource.

Source: IAM user guide, "AWS global condition context keys" (each key's "Availability"): keys of tokens and of MFA only
with temporary credentials, tags of principals from the user or role and the session, tags of requests where the call
has tags; "Configuring MFA-protected API access" (AssumeRole with a code); S3's calls have no aws:RequestTag (Service
Authorization Reference). Keys are in lower case here, since IAM does not tell them apart by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from orgmon.sandbox.calls import Call, Principal
from orgmon.sandbox.identity import Identity
from orgmon.sandbox.organization import OrgView
from orgmon.sandbox.stores import Stores

_TYPES = {"root": "Account", "user": "User", "role": "AssumedRole"}
_PARAMETER_KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "sts": (("sts:ExternalId", "ExternalId"), ("sts:RoleSessionName", "RoleSessionName")),
    "s3": (("s3:x-amz-acl", "ACL"), ("s3:prefix", "Prefix"), ("s3:VersionId", "VersionId")),
    "secretsmanager": (
        ("secretsmanager:SecretId", "SecretId"),
        ("secretsmanager:VersionStage", "VersionStage"),
    ),
    "iam": (("iam:PolicyARN", "PolicyArn"), ("iam:PermissionsBoundary", "PermissionsBoundary")),
    "sns": (("sns:Endpoint", "Endpoint"), ("sns:Protocol", "Protocol")),
}
# The members that tags are in: lists of pairs or maps; and those with keys of tags that are taken away.
_TAGS = ("Tags", "tags", "TagsList", "TagList", "tagList")
_TAG_KEYS = ("TagKeys", "tagKeys", "TagKeyList")


class RequestContext:
    """Knows the keys that do not stand in the call itself."""

    def __init__(
        self, stores: Stores, organization: OrgView, identity: Identity, now: Callable[[], datetime]
    ) -> None:
        self._stores = stores
        self._organization = organization
        self._identity = identity
        self._now = now

    def of_caller(self, principal: Principal) -> dict[str, Any]:
        """The time, and who calls."""
        now = self._now()
        context: dict[str, Any] = {
            "aws:currenttime": now.isoformat(),
            "aws:epochtime": int(now.timestamp()),
            "aws:securetransport": "true",
            "aws:principalisawsservice": "true" if principal.kind == "service" else "false",
        }
        if principal.kind not in _TYPES:
            return context
        context |= {
            "aws:principalarn": principal.role_arn or principal.arn,
            "aws:principalaccount": principal.account,
            "aws:principaltype": _TYPES[principal.kind],
            "aws:userid": principal.principal_id,
        }
        if principal.kind == "user":
            context["aws:username"] = principal.name
        context |= self._organization_of(principal.account, "aws:principal")
        return context | self._session(principal) | self._tags(principal)

    def of_resource(self, account: str) -> dict[str, Any]:
        """Whose the resource is."""
        return {"aws:resourceaccount": account, **self._organization_of(account, "aws:resource")}

    def _organization_of(self, account: str, prefix: str) -> dict[str, Any]:
        org_id = self._organization.organization_of(account)
        if not org_id:
            return {}
        return {f"{prefix}orgid": org_id, f"{prefix}orgpaths": [self._organization.id_path_of(account)]}

    def _session(self, principal: Principal) -> dict[str, Any]:
        """Keys of temporary credentials; a role has no others."""
        session = self._identity.session_of(principal.access_key)
        if session is None and principal.kind != "role":
            return {}
        now = self._now()
        issued = (session.issued if session else None) or now
        keys: dict[str, Any] = {
            "aws:tokenissuetime": issued.isoformat(),
            "aws:multifactorauthpresent": "true" if session and session.with_mfa else "false",
        }
        if session and session.with_mfa:
            keys["aws:multifactorauthage"] = int((now - issued).total_seconds())
        return keys

    def _tags(self, principal: Principal) -> dict[str, Any]:
        """Tags of the user or role; those of the session win."""
        tags = dict(self._own_tags(principal))
        session = self._identity.session_of(principal.access_key)
        tags |= dict(session.tags) if session else {}
        return {f"aws:principaltag/{key}".lower(): value for key, value in tags.items()}

    def _own_tags(self, principal: Principal) -> Iterator[tuple[str, str]]:
        iam = self._stores.iam(principal.account)
        pairs: list[Mapping[str, str]] = []
        if principal.kind == "user":
            pairs = iam.tagger.list_tags_for_resource(principal.arn)["Tags"]
        elif role := self._stores.role(principal.role_arn):
            pairs = role.tags or []
        for pair in pairs:
            yield pair["Key"], pair["Value"]


def of_call(call: Call) -> dict[str, Any]:
    """The keys that stand in a call."""
    context: dict[str, Any] = {
        "aws:requestedregion": call.region,
        "aws:sourceip": call.source_address,
        "aws:useragent": call.user_agent,
        "aws:viaawsservice": "true" if call.invoked_by else "false",
    }
    if call.invoked_by:
        context["aws:calledvia"] = [call.invoked_by]
        context["kms:viaservice"] = call.invoked_by
    if call.service == "sts" and call.params.get("SerialNumber") and call.params.get("TokenCode"):
        context |= {"aws:multifactorauthpresent": "true", "aws:multifactorauthage": 0}
    for key, member in _PARAMETER_KEYS.get(call.service, ()):
        if call.params.get(member) is not None:
            context[key.lower()] = call.params[member]
    return context | ({} if call.service == "s3" else _request_tags(call.params))


def _request_tags(params: Mapping[str, Any]) -> dict[str, Any]:
    tags = dict(_pairs(params))
    keys = [*tags, *(str(key) for name in _TAG_KEYS for key in params.get(name) or ())]
    if not keys:
        return {}
    return {"aws:tagkeys": keys} | {f"aws:requesttag/{key}".lower(): value for key, value in tags.items()}


def _pairs(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Tags as pairs, in all the ways that calls have them."""
    groups = [params.get(name) for name in _TAGS]
    groups += [each.get("Tags") for each in params.get("TagSpecifications") or ()]
    for group in groups:
        if isinstance(group, Mapping):
            yield from ((str(key), str(value)) for key, value in group.items())
        for tag in group if isinstance(group, list) else ():
            if isinstance(tag, Mapping):
                yield _pair({name.lower(): value for name, value in tag.items()})


def _pair(tag: Mapping[str, Any]) -> tuple[str, str]:
    key = tag.get("key", tag.get("tagkey", ""))
    return str(key), str(tag.get("value", tag.get("tagvalue", "")))
