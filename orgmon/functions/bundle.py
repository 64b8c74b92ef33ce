"""Packs what runs in Lambda into one zip, always the same bytes for the same content."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from orgmon.functions.closure import closure

HANDLERS = ("orgmon.functions.notifier",)
"""The modules whose ``handler`` AWS Lambda calls. They share one zip."""
# The oldest time that a zip can hold; a real time would make every build another artifact.
EPOCH = (1980, 1, 1, 0, 0, 0)


def bundle(catalogue: Mapping[str, Mapping[str, Any]], directory: Mapping[str, Mapping[str, str]]) -> bytes:
    """The zip of all functions, with the detections' texts and the accounts' names and owners."""
    contents = dict(closure(HANDLERS))
    for name, data in (("catalogue", catalogue), ("directory", directory)):
        text = json.dumps(data, sort_keys=True, ensure_ascii=False, indent=0)
        contents[f"orgmon/functions/{name}.json"] = text.encode()
    return _zip(contents)


def _zip(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, contents[name])
    return buffer.getvalue()


def key_of(body: bytes) -> str:
    """The name of an artifact in its bucket: told from its content alone."""
    return f"functions/{hashlib.sha256(body).hexdigest()}.zip"
