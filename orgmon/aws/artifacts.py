"""The artifact bucket: function code and templates that are too large to send, named by their content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orgmon.aws.errors import translated
from orgmon.aws.session import Sessions
from orgmon.errors import NotFoundError
from orgmon.stacks import names
from orgmon.stackset import Artifact, TemplateBody

# CloudFormation quota: a template that is part of the request.
LARGEST_INLINE = 51_200


class Artifacts:
    """What is in the artifact bucket of the management account."""

    def __init__(self, sessions: Sessions, bucket: str) -> None:
        self._sessions = sessions
        self._bucket = bucket

    def _client(self) -> Any:
        return self._sessions.management("s3")

    def read(self) -> frozenset[Artifact]:
        """The artifacts that are there; none where there is no bucket."""
        try:
            with translated("s3:ListObjectsV2"):
                pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
                keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        except NotFoundError:
            return frozenset()
        return frozenset(Artifact(self._bucket, key) for key in keys)

    def put(self, artifact: Artifact) -> str:
        """Store an artifact; returns the id of the version that was written."""
        with translated("s3:PutObject"):
            answer = self._client().put_object(Bucket=artifact.bucket, Key=artifact.key, Body=artifact.body)
        return str(answer.get("VersionId", ""))

    def template_argument(self, template: TemplateBody) -> dict[str, str]:
        """How a template is given to CloudFormation: in the request, or by URL where it is too large.

        The URL pins the version, because CloudFormation reads it again when it rolls back.
        """
        if template.size <= LARGEST_INLINE:
            return {"TemplateBody": template.text}
        folder = names.SHARED_TEMPLATES if template.is_shared else names.TEMPLATES
        key = f"{folder}/{template.digest}.json"
        version = self.put(Artifact(self._bucket, key, template.text.encode()))
        host = f"{self._bucket}.s3.{self._sessions.home_region}.amazonaws.com"
        return {"TemplateURL": f"https://{host}/{key}{f'?versionId={version}' if version else ''}"}

    def empty(self, bucket: str, region: str) -> None:
        """Delete all versions of everything in a bucket; one that is not there is empty."""
        client = self._sessions.management("s3", region)
        try:
            for batch in _versions(client, bucket):
                with translated("s3:DeleteObjects"):
                    client.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
        except NotFoundError:
            return


def _versions(client: Any, bucket: str) -> Iterator[list[dict[str, str]]]:
    """Everything in a bucket, a page at a time, as DeleteObjects wants it."""
    with translated("s3:ListObjectVersions"):
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if versions:
                yield [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in versions]
