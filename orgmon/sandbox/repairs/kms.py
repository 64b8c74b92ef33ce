"""KMS: moto makes an RSA key for every symmetric key, which takes half of a stack's time and is never used."""

from __future__ import annotations

from functools import cache
from typing import Any

import moto.kms.models
from moto.kms import utils

_SYMMETRIC = "SYMMETRIC_DEFAULT"


def install() -> None:
    """Let all symmetric keys share one unused RSA key; asymmetric keys still get their own.

    It replaces the function in moto's module, since a key makes its material in its constructor.
    """
    moto.kms.models.generate_private_key = _material


def _material(key_spec: str) -> Any:
    return _shared() if key_spec == _SYMMETRIC else utils.generate_private_key(key_spec)


@cache
def _shared() -> Any:
    return utils.generate_private_key(_SYMMETRIC)
