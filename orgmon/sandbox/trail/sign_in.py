"""Console sign-ins, which no API call makes: a control of the sandbox stands for the person at the browser.

Sources: CloudTrail user guide, "AWS Management Console sign-in events" (root signs in in us-east-1; a wrong user
name is hidden); recorded events.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orgmon.sandbox.trail.records import GLOBAL_REGION, Record, Written, frame
from orgmon.sandbox.trail.values import HIDDEN
from orgmon.sandbox.world import World

_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) sandbox"
ROOT = "root"


def sign_in(world: World, wish: dict[str, Any], time: datetime) -> Written:
    """The record of a sign-in. ``wish``: account; user (``root``, or an IAM user's name); mfa, success (true or
    false); region (of the sign-in endpoint, for users only); source (an address).

    Raises LookupError for an account that is not there.
    """
    account, user = str(wish["account"]), str(wish.get("user", ROOT))
    if not world.organization.exists(account):
        raise LookupError(f"the embedded AWS has no account {account}")
    region = GLOBAL_REGION if user == ROOT else str(wish.get("region", GLOBAL_REGION))
    succeeded = bool(wish.get("success", True))
    record = frame(region, account, time)
    record |= {
        "userIdentity": _identity(world, account, user, succeeded),
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "sourceIPAddress": str(wish.get("source", "198.51.100.23")),
        "userAgent": _BROWSER,
        "requestParameters": None,
        "responseElements": {"ConsoleLogin": "Success" if succeeded else "Failure"},
        "additionalEventData": {
            "LoginTo": "https://console.aws.amazon.com/console/home",
            "MobileVersion": "No",
            "MFAUsed": "Yes" if wish.get("mfa") else "No",
        },
        "eventType": "AwsConsoleSignIn",
    }
    if not succeeded:
        record["errorMessage"] = "Failed authentication"
    return Written(account, region, record)


def _identity(world: World, account: str, user: str, succeeded: bool) -> Record:
    if user == ROOT:
        arn = f"arn:aws:iam::{account}:root"
        return {"type": "Root", "principalId": account, "arn": arn, "accountId": account, "accessKeyId": ""}
    iam_user = world.stores.iam(account).users.get(user)
    if iam_user is None or not succeeded:
        name = HIDDEN if iam_user is None else user
        return {"type": "IAMUser", "accountId": account, "accessKeyId": "", "userName": name}
    return {
        "type": "IAMUser",
        "principalId": iam_user.id,
        "arn": iam_user.arn,
        "accountId": account,
        "userName": user,
    }
