"""A recipe from what is known of a table: each column's role and statistics decide which builders it gets, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import polars as pl

from frazil.features.calendar.parts import CyclicTime, DateParts
from frazil.features.categories.codes import EncodeCount, EncodeOrdinal
from frazil.features.categories.targets import MOST_CLASSES, EncodeTarget
from frazil.features.numbers.kept import KeepNumbers
from frazil.features.panel import Panel
from frazil.features.panels import suggest_windows
from frazil.features.recipe import Recipe
from frazil.features.series.lists import SeriesStats
from frazil.features.text.measures import TextStats
from frazil.features.text.reduced import TextSvd
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Collection

    from frazil.features.contract import Builder
    from frazil.profile import ColumnProfile, Profile
    from frazil.schema import ColumnRole, Schema
    from frazil.task import Task

FEW_LEVELS = 8  # a tree tells so few levels apart by their codes; more get counts and target means too
# Whole numbers that look like the codes of an id: their values repeat, and leave most of a wide range unused.
CODE_RANGE = 1_000
CODE_DENSITY = 0.05
CODE_REPEATS = 4  # rows a value, at the least
CROSSED_SHARE = 0.6  # of the columns that are many-levelled categories, in a table that is worth crossing
SHOWN = 3  # columns that a reason names
MOST_CROSSED = 15  # columns that crosses may become, which are several a pair where there are several classes
MOST_SERIES = 4  # list columns that are summarised, each by so many numbers as there are here:
SUMMARIES = (
    *("length", "mean", "median", "standard_deviation", "minimum", "maximum", "skewness", "kurtosis"),
    *("mean_abs_change", "mean_change", "number_peaks_n_3", "cid_ce_normalize_True", "longest_strike_above_mean"),
    *("autocorrelation_lag_1", "autocorrelation_lag_5", "linear_trend_attr_slope", "fft_aggregated_aggtype_centroid"),
)
MOST_ENCODED = 150  # columns that target means of single categories may become


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Builders that a table calls for, each with the reason; the most telling first.

    Args:
        builders: What to make.
        reasons: One a builder.
        panel: Whose rows they are, and what orders them.
    """

    builders: tuple[Builder, ...]
    reasons: tuple[str, ...]
    panel: Panel = Panel()

    @property
    def recipe(self) -> Recipe:
        """The recipe of all builders."""
        return Recipe(*self.builders, **asdict(self.panel))

    def to_frame(self) -> pl.DataFrame:
        """Return one row a builder: its name, what it is set to, and the reason."""
        return pl.DataFrame(
            {
                "builder": [type(builder).__name__ for builder in self.builders],
                "settings": [repr(builder) for builder in self.builders],
                "reason": list(self.reasons),
            },
            schema=dict.fromkeys(("builder", "settings", "reason"), pl.String),
        )

    def __repr__(self) -> str:
        """Say each builder with its reason, a line each."""
        said = zip(self.builders, self.reasons, strict=True)
        return "\n".join(["Suggestion(", *(f"    {builder!r},  # {reason}" for builder, reason in said), ")"])


def suggest_builders(
    schema: Schema,
    profile: Profile,
    task: Task,
    panel: Panel = Panel(),
    step: int | None = None,
    plain: Collection[str] = (),
) -> Suggestion:
    """Choose builders by the roles of the columns.

    - Numbers are kept, and strings that read as numbers; of dates, and strings that read as such, the parts that vary
      and their cycles.
    - Categories get codes; those of more than 8 levels their count and out-of-fold target mean too. Whole numbers that
      look like codes (each value repeats, in a wide range that is mostly unused) get these beside the number.
    - Where most columns are such categories, as in logs of ids, pairs of them are encoded as well: at most 15, those
      with the most combinations.
    - Lists of numbers are taken for series, of which 17 summaries are made; the first 4 such columns only.
    - Text is measured and reduced. Keys, groups, weights and ignored columns are left out.
    - Rows of entities in time get windows over earlier rows: of their numbers, and with a horizon of the target.

    Args:
        schema: The columns with their roles.
        profile: Their statistics.
        task: What is predicted.
        panel: Whose rows they are, and what orders them.
        step: The usual time between rows in nanoseconds; None where time is an integer or not known.
        plain: Columns of numbers that nothing else is made of than what they are.
    """
    numbers = [name for name in schema.named(Role.NUMBER, Role.TIME) if not _is_date(schema, name)]
    labels = schema.named(Role.CATEGORY)
    read = {looks: [name for name in labels if schema[name].looks_like == looks] for looks in ("number", "date")}
    dates = [name for name in schema.named(Role.TIME) if _is_date(schema, name)] + read["date"]
    categories = [name for name in labels if name not in read["date"]]
    free = [name for name in numbers if name not in plain]
    codes = [
        name for name in free if name in schema.named(Role.NUMBER) and looks_like_codes(profile[name], profile.rows)
    ]
    many = [name for name in categories if (profile[name].n_unique or 0) > FEW_LEVELS] + codes
    texts = schema.named(Role.TEXT)
    series = [known.name for known in schema.roles if _is_series(known) and profile[known.name].nulls < profile.rows]
    series = series[:MOST_SERIES]
    classes = _classes(task, MOST_ENCODED, len(many))
    asked: list[tuple[list[str], Builder, str]] = [
        (numbers + read["number"], KeepNumbers(numbers + read["number"]), "they are numbers, or read as such"),
        (categories, EncodeOrdinal(categories), "they are categories, which learners take as codes"),
        (many, EncodeCount(many), f"they have more than {FEW_LEVELS} levels, of which the rare ones differ"),
        (
            many,
            EncodeTarget(many, most_classes=classes),
            f"they have more than {FEW_LEVELS} levels, too many to split by",
        ),
        (dates, DateParts(dates), "they are dates, of which the parts repeat"),
        (dates, CyclicTime(dates), "they are dates, whose parts meet where a cycle ends"),
        (series, SeriesStats(series, SUMMARIES), "they are lists of numbers, which summaries of whole series describe"),
        (texts, TextStats(texts), "they are text, and how it is written tells something"),
        (texts, TextSvd(texts), "they are text, of which the words tell something"),
    ]
    chosen = [(builder, f"{_listed(names)}: {reason}") for names, builder, reason in asked if names]
    n_features = sum(len(names) for names in (numbers, labels, texts, dates)) - len(read["date"])
    chosen += _crosses(many, n_features, profile, task)
    chosen += suggest_windows(free, task, panel, step)
    return Suggestion(tuple(builder for builder, _ in chosen), tuple(reason for _, reason in chosen), panel)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def looks_like_codes(known: ColumnProfile, rows: int) -> bool:
    """Say whether whole numbers look like the codes of an id: sparse in a wide range, and repeated."""
    n_unique = known.n_unique or 0
    if not known.dtype.is_integer() or known.minimum is None or known.is_monotone:
        return False
    span = known.maximum - known.minimum
    repeats = n_unique * CODE_REPEATS <= rows
    return n_unique > FEW_LEVELS and repeats and span > CODE_RANGE and n_unique < CODE_DENSITY * span


def _is_series(known: ColumnRole) -> bool:
    inner = getattr(known.dtype, "inner", None)
    return known.role is Role.IGNORED and inner is not None and inner.is_numeric()


def _is_date(schema: Schema, name: str) -> bool:
    return schema[name].dtype in (pl.Date, pl.Datetime)


def _classes(task: Task, columns: int, categories: int) -> int:
    """Return how many classes' means each category gets, so that all take about so many columns."""
    return max(1, min(MOST_CLASSES, columns // max(1, categories))) if task.n_classes > 2 else MOST_CLASSES


def _crosses(many: list[str], n_features: int, profile: Profile, task: Task) -> list[tuple[Builder, str]]:
    """Cross pairs of categories where they are most of the table.

    Those with the most combinations, which no tree finds by itself: measured on amazon_employee, AUC went from 0.853 to
    0.879 with 15 of them, and stayed at 0.852 with the 15 of the fewest combinations.
    """
    if len(many) < 2 or len(many) < CROSSED_SHARE * n_features:
        return []
    levels = {name: profile[name].n_unique or 1 for name in many}
    pairs = sorted(combinations(many, 2), key=lambda pair: (-levels[pair[0]] * levels[pair[1]], pair))
    classes = min(MOST_CLASSES, task.n_classes) if task.n_classes > 2 else 1
    most = max(1, MOST_CROSSED // classes)
    reason = "most columns are categories of many levels; a pair of them says what neither does"
    return [(EncodeTarget(list(pair), cross=2), f"{_listed(list(pair))}: {reason}") for pair in pairs[:most]]
