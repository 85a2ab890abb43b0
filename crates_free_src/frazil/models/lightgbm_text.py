"""Check a LightGBM model text before its native parser sees it, which trusts every number and can end the process."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from frazil.errors import ArtifactError
from frazil.strictzip import DISTRUST

if TYPE_CHECKING:
    from numpy.typing import NDArray

END = "end of trees\n"
TREE = re.compile(r"Tree=(\d+)\n")
CATEGORICAL = 1  # the lowest bit of a node's decision type
WORD_BITS = 32  # of the sets of levels


def trees_of(text: str) -> str:
    """Return the header and the trees; what follows are the settings of the training, which predictions never read."""
    return text[: text.index(END) + len(END)]


def check_text(text: str, columns: int) -> None:
    """Raise ArtifactError unless every tree is whole, leads to leaves only, and reads no column that is not there."""
    start = text.find("\nTree=") + 1
    if not start or not text.endswith(END) or not text.startswith("tree\n"):
        raise ArtifactError(f"the LightGBM model has no trees or no end. {DISTRUST}")
    header = _fields(text[:start])
    sizes = _whole_numbers(header, "tree_sizes")
    if header.get("max_feature_idx") != str(columns - 1) or len(header.get("feature_names", "").split()) != columns:
        raise ArtifactError(f"the LightGBM model is not one of {columns} columns. {DISTRUST}")
    if len(header.get("feature_infos", "").split()) != columns or not _fits(header, len(sizes)):
        raise ArtifactError(f"the LightGBM model has a header that does not fit its {len(sizes)} trees. {DISTRUST}")
    if start + sizes.sum() + len(END) != len(text) or (sizes <= 0).any():
        raise ArtifactError(f"the LightGBM model has trees of other sizes than it says. {DISTRUST}")
    for number, (size, end) in enumerate(zip(sizes, start + np.cumsum(sizes), strict=True)):
        _check_tree(text[end - size : end], number, columns)


def _fits(header: dict[str, str], trees: int) -> bool:
    """Say whether the trees are whole rounds, and the classes those of the objective."""
    a_round, classes = header.get("num_tree_per_iteration", ""), header.get("num_class", "")
    whole = a_round.isdecimal() and int(a_round) > 0 and trees % int(a_round) == 0
    return whole and a_round == classes and header.get("label_index") == "0"


def _check_tree(text: str, number: int, columns: int) -> None:
    opening = TREE.match(text)
    fields = _fields(text)
    leaves = fields.get("num_leaves", "")
    if opening is None or int(opening[1]) != number or not leaves.isdecimal() or int(leaves) < 1:
        raise ArtifactError(f"tree {number} of the LightGBM model has no number or no leaves. {DISTRUST}")
    if fields.get("is_linear", "0") != "0":
        raise ArtifactError(f"tree {number} of the LightGBM model has linear leaves. {DISTRUST}")
    inner = int(leaves) - 1
    _check_values(fields, "leaf_value", inner + 1, number)
    _check_values(fields, "threshold", inner, number, infinite=True)  # what splits known values from missing ones
    features, kinds, left, right = (
        _of_length(_whole_numbers(fields, key), inner, number)
        for key in ("split_feature", "decision_type", "left_child", "right_child")
    )
    if ((features < 0) | (features >= columns)).any():
        raise ArtifactError(f"tree {number} of the LightGBM model reads columns that are not there. {DISTRUST}")
    _check_children(np.concatenate([left, right]), inner, number)
    _check_levels(fields, np.flatnonzero(kinds & CATEGORICAL), number)


def _check_children(children: NDArray[np.int64], inner: int, number: int) -> None:
    """A node but the root, and a leaf, is the child of exactly one node, and of an earlier one: no walk can circle."""
    parents = np.tile(np.arange(inner), 2)
    expected = np.concatenate([np.arange(-inner - 1, 0), np.arange(1, inner)]) if inner else np.empty(0, np.int64)
    inward = children >= 0
    if not np.array_equal(np.sort(children), expected) or (children[inward] <= parents[inward]).any():
        raise ArtifactError(f"tree {number} of the LightGBM model is no tree. {DISTRUST}")


def _check_levels(fields: dict[str, str], nodes: NDArray[np.int64], number: int) -> None:
    """Sets of levels are bits of 32-bit words; a split of categories names its set in the place of a threshold."""
    if fields.get("num_cat") != str(len(nodes)):
        raise ArtifactError(f"tree {number} of the LightGBM model counts its splits of categories wrong. {DISTRUST}")
    if not len(nodes):
        return
    bounds = _of_length(_whole_numbers(fields, "cat_boundaries"), len(nodes) + 1, number)
    words = _whole_numbers(fields, "cat_threshold")
    sets = np.array(fields["threshold"].split(), np.float64)[nodes]
    is_sound = bounds[0] == 0 and bounds[-1] == len(words) and (np.diff(bounds) > 0).all()
    if not is_sound or (words < 0).any() or (words >= 2**WORD_BITS).any():
        raise ArtifactError(f"tree {number} of the LightGBM model has damaged sets of levels. {DISTRUST}")
    if not np.isin(sets, np.arange(len(nodes))).all():
        raise ArtifactError(f"tree {number} of the LightGBM model names sets of levels that are not there. {DISTRUST}")


def _check_values(fields: dict[str, str], key: str, count: int, number: int, *, infinite: bool = False) -> None:
    try:
        values = np.array(fields.get(key, "").split(), np.float64)
    except ValueError as error:
        raise ArtifactError(f"tree {number} of the LightGBM model has a {key} that is no number. {DISTRUST}") from error
    if len(values) != count or np.isnan(values).any() or (np.isinf(values).any() and not infinite):
        raise ArtifactError(f"tree {number} of the LightGBM model has a damaged {key}. {DISTRUST}")


def _of_length(values: NDArray[np.int64], count: int, number: int) -> NDArray[np.int64]:
    if len(values) != count:
        raise ArtifactError(f"tree {number} of the LightGBM model has {len(values)} values for {count}. {DISTRUST}")
    return values


def _whole_numbers(fields: dict[str, str], key: str) -> NDArray[np.int64]:
    try:
        return np.array(fields.get(key, "").split(), np.int64)
    except (ValueError, OverflowError) as error:
        raise ArtifactError(f"the LightGBM model has a {key} that is no list of numbers. {DISTRUST}") from error


def _fields(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.split("\n") if "=" in line)
