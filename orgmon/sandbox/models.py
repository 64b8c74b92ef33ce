"""AWS's service models, as botocore ships them: which service a request is for, and the shapes of its operations."""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.hooks import HierarchicalEmitter
from moto.core.utils import get_service_model

# Where the name in the signature is not botocore's name of the service.
_BY_SIGNING_NAME: dict[str, tuple[str, ...]] = {
    "monitoring": ("cloudwatch",),
    "tagging": ("resourcegroupstaggingapi",),
    "access-analyzer": ("accessanalyzer",),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "states": ("stepfunctions",),
    "elasticloadbalancing": ("elbv2",),
    "email": ("ses",),
    "s3": ("s3", "s3control"),
    "sso": ("sso-admin",),
}
# Names in signatures that further services use which are not here, as sesv2 signs as ses.
SHARED_NAMES = frozenset(
    [
        "apigateway",
        "appconfig",
        "bedrock",
        "bedrock-agentcore",
        "chime",
        "cloudhsm",
        "cloudsearch",
        "connect",
        "es",
        "events",
        "forecast",
        "greengrass",
        "iam",
        "kinesisanalytics",
        "kinesisvideo",
        "lambda",
        "mediastore",
        "payment-cryptography",
        "personalize",
        "rds",
        "resiliencehub",
        "sagemaker",
        "servicecatalog",
        "ses",
        "signer",
        "sso",
    ]
)
# The prefix of IAM actions, where it is not botocore's name of the service.
_IAM_PREFIX = {
    "resourcegroupstaggingapi": "tag",
    "accessanalyzer": "access-analyzer",
    "stepfunctions": "states",
    "elbv2": "elasticloadbalancing",
    "dynamodbstreams": "dynamodb",
    "s3control": "s3",
    "sso-admin": "sso",
}
# Services with one endpoint for the whole partition: their calls happen in us-east-1, whatever the client signs.
GLOBAL_SERVICES = frozenset({"iam", "organizations", "account", "cloudfront", "route53"})

_handlers = HierarchicalEmitter()
_first_session = botocore.session.Session(event_hooks=_handlers)
# Not moto's: botocore's S3 clients rewrite the paths in the model that they are made from.
_models_of_clients = _first_session.get_component("data_loader")


def new_session() -> Any:
    """A botocore session that shares what makes a new one expensive: the models, and how handlers are called."""
    session = botocore.session.Session(event_hooks=copy(_handlers), include_builtin_handlers=False)
    session.register_component("data_loader", _models_of_clients)
    return session


@cache
def service_model(service: str) -> Any | None:
    """The model of a service by botocore's name (moto has added to it), or None if there is no such service."""
    try:
        return get_service_model(service)
    except UnknownServiceError:
        return None


@cache
def services_signed_as(signing_name: str) -> tuple[str, ...]:
    """The services whose requests carry this name in their signature, the likeliest first."""
    return _BY_SIGNING_NAME.get(signing_name) or ((signing_name,) if service_model(signing_name) else ())


@cache
def operation_model(service: str, operation: str) -> Any | None:
    """The botocore model of an operation, or None if the service has no such operation."""
    model = service_model(service)
    if model is None or operation not in model.operation_names:
        return None
    return model.operation_model(operation)


def iam_prefix(service: str) -> str:
    """What stands before the colon in the IAM actions of a service."""
    return _IAM_PREFIX.get(service, service)


def is_query_compatible(service: str) -> bool:
    """True if the service once spoke the query protocol and still hands out its error codes."""
    model = service_model(service)
    return model is not None and "awsQueryCompatible" in model.metadata
