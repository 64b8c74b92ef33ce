"""The capabilities that a template asks its caller to acknowledge."""

from __future__ import annotations

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.template import Template

NAMES_OF_IAM_TYPES = {
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::RolePolicy": "",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserPolicy": "",
    "AWS::IAM::GroupPolicy": "",
    "AWS::IAM::UserToGroupAddition": "",
}
"""IAM types that need a capability, with the property that names them (empty: it has no name of its own)."""


def needed_by(template: Template) -> tuple[str, ...]:
    """The capability a template needs: none, CAPABILITY_IAM, or CAPABILITY_NAMED_IAM for resources with a name."""
    iam_resources = [each for each in template.resources.values() if each.type in NAMES_OF_IAM_TYPES]
    if not iam_resources:
        return ()
    named = any(NAMES_OF_IAM_TYPES[each.type] in each.properties for each in iam_resources)
    return ("CAPABILITY_NAMED_IAM",) if named else ("CAPABILITY_IAM",)


def iam_types_in(template: Template) -> tuple[str, ...]:
    """The types for which a capability is needed, sorted."""
    return tuple(kind for kind in template.resource_types if kind in NAMES_OF_IAM_TYPES)


def require(template: Template, given: tuple[str, ...]) -> None:
    """Raise Refusal (InsufficientCapabilitiesException) unless ``given`` covers the template."""
    needed = needed_by(template)
    enough = (
        {"CAPABILITY_NAMED_IAM"}
        if "CAPABILITY_NAMED_IAM" in needed
        else {"CAPABILITY_NAMED_IAM", "CAPABILITY_IAM"}
    )
    if needed and not enough & set(given):
        raise Refusal("InsufficientCapabilitiesException", f"Requires capabilities : [{needed[0]}]")
