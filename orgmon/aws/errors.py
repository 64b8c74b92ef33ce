"""The SDK's errors become ours, with the place and what to do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from boto3.exceptions import Boto3Error
from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from orgmon.aws.answers import UnreadableAnswer
from orgmon.errors import AwsError, NotFoundError, OrgmonError
from orgmon.failure import POLICY, is_denial, is_throttling

NOT_AWS = "NotAnAnswerOfAws"
"""The code of an AwsError where something came back that AWS does not say."""

GOES_ON = "run the same command again, it goes on where it was"
DENIED = f"allow this to the caller that the message names ({POLICY}), or use credentials that may do it"
SIGN_IN = "sign in again; the same command goes on where it was"
INVALID = "these credentials are not valid: check the profile or the environment"
CONFIGURATION = "correct the AWS configuration: profile, environment or accounts.yaml"
REMEDIES = {
    **dict.fromkeys(
        ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"), DENIED
    ),
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "RequestExpired"), SIGN_IN),
    **dict.fromkeys(
        ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure"), INVALID
    ),
    **dict.fromkeys(("SignatureDoesNotMatch", "InvalidSignatureException"), INVALID),
    **dict.fromkeys(
        ("InternalFailure", "InternalError", "ServiceUnavailable", "500", "502", "503", "504"),
        f"AWS has trouble of its own: {GOES_ON}",
    ),
    "RequestTimeTooSkewed": "set the clock of this machine",
    "LimitExceededException": "a quota of AWS is reached: remove what is not needed, or have it raised",
    "AWSOrganizationsNotInUseException": "use credentials of the organization's management account",
    NOT_AWS: f"look for a proxy or a sign-in page between here and AWS; then {GOES_ON}",
}
NOT_FOUND = (
    "StackSetNotFoundException",
    "StackInstanceNotFoundException",
    "OperationNotFoundException",
    "ChangeSetNotFound",
    "NoSuchBucket",
    "NoSuchKey",
    "404",
    "NotFound",
    "ResourceNotFoundException",
)
# Errors of botocore before any call is made: nobody is signed in, or not for long enough.
NOBODY = (
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.CredentialRetrievalError,
    sdk.NoAuthTokenError,
    sdk.TokenRetrievalError,
    sdk.SSOError,
    getattr(sdk, "LoginError", sdk.SSOError),  # not in the oldest botocore that orgmon works with
    sdk.MetadataRetrievalError,
    sdk.RefreshWithMFAUnsupportedError,
)
# Those of the way to AWS; the others are about how botocore is set up or used.
NETWORK = (
    sdk.HTTPClientError,
    sdk.ConnectionError,
    sdk.IncompleteReadError,
    sdk.ChecksumError,
    sdk.FlexibleChecksumError,
)


@contextlib.contextmanager
def translated(operation: str, *, account: str = "", region: str = "", of: str = "") -> Iterator[None]:
    """Turn the SDK's errors into ours, with the place and what to do.

    ``operation`` is the API call, empty to have botocore's name for it; ``of`` names what it is about. Raises
    AwsError, NotFoundError among them, and OrgmonError where there are no credentials for any call.
    """

    def failed(code: str, message: str, remedy: str, kind: type[AwsError] = AwsError) -> AwsError:
        return kind(operation, code, message, account=account, region=region, remedy=remedy, of=of)

    try:
        yield
    except sdk.ClientError as error:
        operation = _operation(operation, error)
        code, message = _told(error)
        kind = NotFoundError if code in NOT_FOUND else AwsError
        raise failed(code, message, _remedy(operation, code, message), kind) from error
    except (UnreadableAnswer, ResponseParserError) as error:
        raise failed(NOT_AWS, str(error), REMEDIES[NOT_AWS]) from error
    except NOBODY as error:
        raise _nobody(error) from error
    except sdk.ProfileNotFound as error:
        raise OrgmonError(str(error), "correct organization.sessions or the AWS configuration") from error
    except NETWORK as error:
        remedy = "check the network; the same command goes on where it was"
        raise failed(type(error).__name__, str(error), remedy) from error
    except (sdk.BotoCoreError, sdk.UndefinedModelAttributeError, Boto3Error) as error:
        raise failed(type(error).__name__, str(error), CONFIGURATION) from error


def _operation(operation: str, error: sdk.ClientError) -> str:
    """The role is assumed in the middle of whatever else is called: then it is that call that failed."""
    if error.operation_name == "AssumeRole":
        return "sts:AssumeRole"
    return operation or str(error.operation_name)


def _told(error: sdk.ClientError) -> tuple[str, str]:
    """Code and message; answers of strangers lack both."""
    told = error.response.get("Error", {})
    return told.get("Code") or NOT_AWS, told.get("Message") or str(error)


def _remedy(operation: str, code: str, message: str) -> str:
    if is_throttling(code, message):
        return f"AWS is busy: {GOES_ON}"
    if operation == "sts:AssumeRole" and REMEDIES.get(code) == DENIED:
        return "organization.access_role names a role that has to be in the account and trust the caller"
    if code == "ValidationError" and is_denial(message):
        # What CloudFormation does with the caller's rights, such as reading a template.
        return DENIED
    return REMEDIES.get(code, "")


def _nobody(error: Exception) -> OrgmonError:
    if isinstance(error, sdk.NoCredentialsError):
        return OrgmonError(
            "no AWS credentials were found",
            "sign in (aws sso login), set AWS_PROFILE, or name a profile under organization.sessions",
        )
    return OrgmonError(f"AWS credentials cannot be had: {error}", SIGN_IN)
