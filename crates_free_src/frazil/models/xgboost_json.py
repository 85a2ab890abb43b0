"""Check an XGBoost model before its native parser sees it, which trusts every number of it."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.errors import ArtifactError
from frazil.models.stored import check_that
from frazil.strictzip import DISTRUST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

NO_PARENT = 2**31 - 1
LEAF = -1
MOST_NUMBER = float(np.finfo(np.float32).max)
MOST_TEXT = 100_000  # characters of a parameter: the longest has a number a class
# What a tree says of its nodes, a value each: those of whole numbers, and those of any.
WHOLE = ("left_children", "right_children", "parents", "split_indices", "split_type", "default_left")
NUMBERS = ("split_conditions", "base_weights", "loss_changes", "sum_hessian")
SETS = ("categories", "categories_nodes", "categories_segments", "categories_sizes")


def written(raw: bytes) -> bytes:
    """Return what predictions read of a model that XGBoost has saved as JSON; the same trees give the same bytes."""
    return _dumped(_known(json.loads(raw)))


def checked(data: bytes, columns: int, outputs: int, rounds: int) -> bytes:
    """Return the model in the words that were checked, for the native parser.

    Args:
        data: What `written` returned once.
        columns: That it reads.
        outputs: Trees of a round.
        rounds: Rounds of trees.

    Raises: ArtifactError: a tree is not whole, does not lead to leaves, reads a column that is not there, or splits
        levels by a set that is not; or the header is not that of its trees.
    """
    try:
        said = _known(json.loads(data))
        _check_header(said["learner"], columns, outputs)
        model = said["learner"]["gradient_booster"]["model"]
        _check_rounds(model, outputs, rounds)
        for number, tree in enumerate(model["trees"]):
            _check_tree(tree, number, columns)
        return _dumped(said)
    except ArtifactError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError, AttributeError) as error:
        raise ArtifactError(f"the XGBoost model is not one that XGBoost has written: {error!r}. {DISTRUST}") from error


def _known(given: Mapping[str, Any]) -> dict[str, Any]:
    """Take over what is known to be needed, and nothing else."""
    learner = given["learner"]
    model = learner["gradient_booster"]["model"]
    return {
        "version": given["version"],
        "learner": {
            "attributes": {},
            "feature_names": [],
            "feature_types": learner["feature_types"],
            "gradient_booster": {
                "name": learner["gradient_booster"]["name"],
                "model": {
                    "gbtree_model_param": model["gbtree_model_param"],
                    "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
                    "iteration_indptr": model["iteration_indptr"],
                    "tree_info": model["tree_info"],
                    "trees": [
                        {name: tree[name] for name in ("id", "tree_param", *WHOLE, *NUMBERS, *SETS)}
                        for tree in model["trees"]
                    ],
                },
            },
            "learner_model_param": learner["learner_model_param"],
            "objective": learner["objective"],
        },
    }


def _dumped(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()


def _check_header(learner: Mapping[str, Any], columns: int, outputs: int) -> None:
    types = learner["feature_types"]
    check_that(len(types) == columns and set(types) <= {"q", "c"}, f"XGBoost trees are not those of {columns} columns")
    param, booster = learner["learner_model_param"], learner["gradient_booster"]["name"]
    base = json.loads(param["base_score"])
    sizes = (param["num_feature"], param["num_class"], param["num_target"])
    check_that(booster == "gbtree", "XGBoost booster is not one of trees")
    check_that(sizes == (str(columns), str(outputs if outputs > 1 else 0), "1"), "XGBoost header is of other sizes")
    check_that(len(base) == outputs and all(map(math.isfinite, base)), "XGBoost trees start from no finite numbers")
    check_that(all(map(_is_short, param.values())), "XGBoost header holds more than numbers")
    name, rest = learner["objective"]["name"], [v for k, v in learner["objective"].items() if k != "name"]
    check_that(
        _is_short(name) and all(_is_short(v) for each in rest for v in each.values()), "XGBoost objective is not one"
    )


def _check_rounds(model: Mapping[str, Any], outputs: int, rounds: int) -> None:
    """Each round is a tree an output, in their order."""
    trees = outputs * rounds
    param = model["gbtree_model_param"]
    check_that(param == {"num_parallel_tree": "1", "num_trees": str(trees)}, f"XGBoost header is not of {trees} trees")
    check_that(len(model["trees"]) == trees, f"XGBoost trees are not {trees}")
    check_that(model["tree_info"] == [*range(outputs)] * rounds, "XGBoost trees are not whole rounds")
    check_that(model["iteration_indptr"] == [*range(0, trees + 1, outputs)], "XGBoost rounds are not whole")


def _check_tree(tree: Mapping[str, Any], number: int, columns: int) -> None:
    param = tree["tree_param"]
    nodes = len(tree["left_children"])
    expected = {"num_deleted": "0", "num_feature": str(columns), "num_nodes": str(nodes), "size_leaf_vector": "1"}
    check_that(nodes > 0 and tree["id"] == number and param == expected, f"XGBoost tree {number} has another header")
    left, right, parents, split, kind, default = (_whole(tree[name], nodes, number) for name in WHOLE)
    for name in NUMBERS:
        values = np.array(tree[name], np.float64)
        fits = values.shape == (nodes,) and bool((np.abs(values) <= MOST_NUMBER).all())
        check_that(fits, f"XGBoost tree {number} has a damaged {name}")
    inner = left != LEAF
    flags = np.isin(kind, (0, 1)).all() and np.isin(default, (0, 1)).all()
    check_that(
        bool(flags and ((split >= 0) & (split < columns)).all()),
        f"XGBoost tree {number} has splits of what is not there",
    )
    _check_children(left, right, parents, number)
    _check_sets(tree, np.flatnonzero(inner & (kind == 1)), int((kind == 1).sum()), number)


def _check_children(left: NDArray[np.int64], right: NDArray[np.int64], parents: NDArray[np.int64], number: int) -> None:
    """Every node but the root is the child of exactly one, and of an earlier one: no walk can circle."""
    inner = np.flatnonzero(left != LEAF)
    children = np.concatenate([left[inner], right[inner]])
    froms = np.tile(inner, 2)
    whole = bool(((left == LEAF) == (right == LEAF)).all()) and parents[0] == NO_PARENT
    each_once = np.array_equal(np.sort(children), np.arange(1, len(left)))
    is_tree = whole and each_once and bool((children > froms).all()) and bool((parents[children] == froms).all())
    check_that(is_tree, f"XGBoost tree {number} is no tree")


def _check_sets(tree: Mapping[str, Any], splits: NDArray[np.int64], marked: int, number: int) -> None:
    """A split of levels names a stretch of the levels that go right; XGBoost makes bits of them, up to the largest."""
    levels, nodes, starts, sizes = (_whole(tree[name], len(tree[name]), number) for name in SETS)
    ends = np.cumsum(sizes)
    is_sound = marked == len(splits) and np.array_equal(nodes, splits) and len(starts) == len(sizes) == len(nodes)
    is_sound = is_sound and np.array_equal(starts, ends - sizes) and len(levels) == (ends[-1] if len(ends) else 0)
    is_sound = is_sound and bool((sizes > 0).all()) and bool(((levels >= 0) & (levels < 2**24)).all())
    check_that(is_sound, f"XGBoost tree {number} has damaged sets of levels")


def _whole(values: Sequence[Any], count: int, number: int) -> NDArray[np.int64]:
    """Return (count,) whole numbers, also where they are written as floats that are whole."""
    given = np.array(values if len(values) else [], np.float64)
    check_that(given.shape == (count,), f"XGBoost tree {number} has {given.shape} values for {count}")
    check_that(
        bool((np.abs(given) < 2**53).all() and (given == np.trunc(given)).all()),
        f"XGBoost tree {number} has fractions for positions",
    )
    return given.astype(np.int64)


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MOST_TEXT and value.isprintable()
