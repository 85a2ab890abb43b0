"""Signatures: who has no key can neither change a signed file nor make one."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

from frazil.errors import ArtifactError, SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNATURE = "signature"
CONTEXT = b"frazil manifest 1\n"  # so that no MAC made with the same key for another purpose fits here
LEAST_KEY_BYTES = 16


def check_key(key: object) -> None:
    """Refuse what is no key; None stands for none.

    Raises: SettingError: it is not bytes, or fewer than 16 of them.
    """
    if key is None:
        return
    if not isinstance(key, bytes):
        raise SettingError(f"key is of type {type(key).__name__}; it takes bytes, as of secrets.token_bytes(32).")
    if len(key) < LEAST_KEY_BYTES:
        raise SettingError(
            f"key has {len(key)} bytes; it takes {LEAST_KEY_BYTES} or more, as of secrets.token_bytes(32)."
        )


def signed(manifest: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """Return a manifest with its signature: HMAC-SHA256 of all the rest of it, keys sorted.

    The manifest holds the hash of every member, so that the signature is of the whole file.

    Args:
        manifest: JSON values.
        key: At least 16 bytes.

    Raises: ValueError or TypeError: the manifest is not JSON.

    Source: Krawczyk, Bellare and Canetti (1997), RFC 2104.

    >>> manifest = signed({"members": {}}, b"sixteen bytes or more")
    >>> check_signature(manifest, b"sixteen bytes or more", "m.frazil")
    """
    return {**manifest, SIGNATURE: {"algorithm": "hmac-sha256", "mac": _mac(manifest, key)}}


def check_signature(manifest: Mapping[str, Any], key: bytes, where: str) -> None:
    """Refuse a manifest that was not signed with this key.

    Args:
        manifest: As read from the file.
        key: That it should be signed with.
        where: The file.

    Raises: ArtifactError: there is no signature, or it is not by this key of this content.
    """
    if SIGNATURE not in manifest:
        raise ArtifactError(f"{where} is not signed. Save it with key=..., or load it without a key if you trust it.")
    given = manifest[SIGNATURE]
    mac = given.get("mac") if isinstance(given, dict) else None
    if not isinstance(mac, str) or not hmac.compare_digest(mac.encode(errors="replace"), _mac(manifest, key).encode()):
        raise ArtifactError(f"{where} is signed, but not with this key, or was changed since. Do not use it.")


def _mac(manifest: Mapping[str, Any], key: bytes) -> str:
    rest = {name: value for name, value in manifest.items() if name != SIGNATURE}
    text = json.dumps(rest, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hmac.digest(key, CONTEXT + text.encode(), "sha256").hex()
