"""Files of a model under one hash, so that a damaged byte is found before a native parser sees it.

LightGBM ends the process on a damaged text, and CatBoost loads flipped bytes without a word. The hash finds damage; it
does not say who wrote the files.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from frazil.container import json_member, member
from frazil.errors import ArtifactError
from frazil.strictzip import AGAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

SEAL = "model.json"


def sealed(about: Mapping[str, Any], contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the contents and, beside them, what is said of them with the hash of it all.

    Args:
        about: JSON values: settings, sizes, small state.
        contents: Bytes by name; may be empty.
    """
    said = dict(about)
    text = json.dumps({"about": said, "sha256": _hash(said, contents)}, allow_nan=False, sort_keys=True)
    return {SEAL: text.encode(), **contents}


def unsealed(members: Mapping[str, bytes], *names: str) -> dict[str, Any]:
    """Return what was said of the named contents, once the hash of it all is right.

    Raises: ArtifactError: a member is missing or damaged.
    """
    seal = json_member(members, SEAL)
    contents = {name: member(members, name) for name in names}
    about = seal.get("about") if isinstance(seal, dict) else None
    if not isinstance(about, dict) or seal.get("sha256") != _hash(about, contents):
        raise ArtifactError(f"{SEAL} does not fit {', '.join(names) or 'itself'}: the model is damaged. {AGAIN}")
    return about


def _hash(about: Mapping[str, Any], contents: Mapping[str, bytes]) -> str:
    whole = sha256(json.dumps(about, allow_nan=False, sort_keys=True).encode())
    for name in sorted(contents):
        whole.update(f"\n{name} {len(contents[name])}\n".encode())
        whole.update(contents[name])
    return whole.hexdigest()
