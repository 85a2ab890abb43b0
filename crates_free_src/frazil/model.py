"""The model that a user holds: its story, its predictions, and its file."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from frazil.artifact.measuring import Measured, scores
from frazil.artifact.narrowing import narrowed
from frazil.artifact.record import RUN, RunRecord, with_times, without_times
from frazil.artifact.saving import predictor_from, predictor_members
from frazil.artifact.scoring import check_files, raw_predictions, scored_nothing, sink_predictions
from frazil.artifact.story import Story
from frazil.artifact.watching import Watch
from frazil.artifact.wording import comparisons
from frazil.budget import available_threads
from frazil.checks.findings import Findings
from frazil.container import json_member, parquet_bytes, parquet_member, read_bundle, write_bundle
from frazil.errors import ArtifactError, SettingError, TargetError, panics_told
from frazil.files import path_of, write_bytes
from frazil.metrics import metric_named
from frazil.report.page import Section, bar_chart, interval_chart, page, table
from frazil.search.leaderboard import ENSEMBLE
from frazil.sources import check_no_table, open_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frazil.artifact.predictor import Predictor
    from frazil.artifact.watching import Violation
    from frazil.checks.contract import Contract
    from frazil.metrics import Metric
    from frazil.sources import Source
    from frazil.types import TaskKind

STORY = "story.json"
FINDINGS = "findings.json"
TABLES = ("leaderboard", "failures", "features", "history")
SHOWN_CANDIDATES = 2
SHOWN_FEATURES = 25


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Model:
    """A trained model with everything that is known of it.

    Attributes:
        predictor: What is deployed.
        watch: What new data are held against.
        metric: What the search optimised; None for a callable of the user's that a file can't keep.
        story: How the model came about.
        leaderboard: One row a candidate and one for the ensemble, best first: rank, candidate, score, std, ci_low,
            ci_high, vs_baseline, p_vs_baseline, p_vs_best, prob_better, prob_worse, fit_seconds, predict_us_per_row.
        findings: What the checks found in the training data.
        failures: Candidates that could not be fitted: candidate, error, message, seconds, traceback.
        features: Every generated column with its lineage.
        history: Every attempt in order: number, candidate, family, origin, settings as JSON, status, score, seconds.
    """

    predictor: Predictor
    watch: Watch
    metric: Metric | None
    story: Story
    leaderboard: pl.DataFrame
    findings: Findings
    failures: pl.DataFrame
    features: pl.DataFrame
    history: pl.DataFrame

    @property
    def task(self) -> TaskKind:
        """What is predicted."""
        return self.predictor.task.kind

    @property
    def target(self) -> str:
        """Name of the predicted column."""
        return self.predictor.task.target

    @property
    def run(self) -> RunRecord:
        """The record of the run: versions, data, settings, decisions, findings, failures, times."""
        return self.story.run

    @property
    def selection_score(self) -> float:
        """Cross-validated score on the rows that the search has chosen by: it leans to the good side."""
        return self.story.deployed.selection_score

    @property
    def honest_score(self) -> float | None:
        """Score on rows that no choice of the search depends on; None where the table was too small to spare any."""
        return self.story.deployed.honest.score

    @property
    def honest_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of `honest_score`, of the bootstrap over its rows (groups, where rows stay together)."""
        honest = self.story.deployed.honest
        return None if honest.low is None or honest.high is None else (honest.low, honest.high)

    def simplest_within_rope(self) -> Model:
        """Return the model of the simplest candidate that is likely no worse than the best by more than `rope`.

        Nothing is fitted: the candidate's models are kept beside those of the ensemble, in the file too.
        """
        simplest = self.story.simplest
        if simplest.candidate == self.story.deployed.candidate:
            return self
        story = replace(self.story, deployed=simplest)
        predictor = narrowed(self.predictor.alone(simplest.candidate))
        story = replace(story, columns=len(predictor.inputs))
        return replace(self, predictor=predictor, watch=self.watch.of_simplest().only(predictor.inputs), story=story)

    @panics_told("predict")
    def predict(
        self,
        data: Any,  # noqa: ANN401 -- any source
        *,
        history: Any = None,  # noqa: ANN401 -- any source
        coverage: float | None = None,
        on_violation: Violation = "ignore",
    ) -> pl.DataFrame:
        """Predict every row of a table, in order.

        Columns are matched by name, in any order; others are ignored.

        Args:
            data: Any source: a path, a glob, a frame, a DuckDB relation, a dict of columns, ...
            history: Rows from before these, for features that read earlier rows; any source. Without it they see the
                rows of `data` only.
            coverage: How often intervals, or sets of labels, should hold the true value, as 0.9; None for neither. What
                it rests on are the rows that the search never looked at, and that new rows are like them.
            on_violation: What to do with a table that breaks `model.contract`: "ignore" it, "warn", "error", or "null":
                take values out of range and unknown levels for missing.

        Returns: `prediction`, in the target's own type; for classes also one column `p|<label>` a label. With a
            coverage also `prediction_low` and `prediction_high`, or `prediction_set`, a list of labels.

        Raises:
            MissingColumnError: columns are missing; names them and the nearest that are there.
            SchemaError: a column can't be read as the type that the model learned from.
            SettingError: the coverage is no share, or more than the spared rows can say.
        """
        source = self.watch.kept_to(self._open(data), on_violation)
        return self.predictor.framed(raw_predictions(self.predictor, source, self._earlier(history)), coverage)

    def predict_proba(self, data: Any, *, history: Any = None) -> pl.DataFrame:  # noqa: ANN401 -- as in predict
        """Return only the probabilities, one column `p|<label>` a label.

        Raises: TargetError: the task is a regression.
        """
        if self.predictor.task.is_regression:
            raise TargetError(f"{self.target!r} is a number, which has no probabilities; call predict.")
        return self.predict(data, history=history).select(self.predictor.probability_columns)

    @panics_told("sink_predictions")
    def sink_predictions(
        self,
        data: Any,  # noqa: ANN401 -- as in predict
        path: str | Path,
        keep: Sequence[str] = (),
        *,
        history: Any = None,  # noqa: ANN401 -- as in predict
        coverage: float | None = None,
        on_violation: Violation = "ignore",
        quarantine: str | Path | None = None,
    ) -> int:
        """Score data of any size into a Parquet or CSV file, in bounded memory and in the order of its rows.

        The file appears under its name when it is complete; an interrupted run leaves what was there before.

        Args:
            data: Any source.
            path: Ends in .parquet or .csv.
            keep: Columns of the data to write before the predictions.
            history: As for `predict`.
            coverage: As for `predict`; sets of labels go to Parquet only.
            on_violation: As for `predict`.
            quarantine: A Parquet or CSV file for the rows that break `model.contract`, or have a value that can't be
                read as what was learned; these are then not scored: each row is in one of the two files.

        Returns: The number of rows written.

        Raises: as `predict`, and SettingError: a file to write is one of those that are read, or cannot be written so.
        """
        source, earlier = self._open(data), self._earlier(history)
        asked = [path_of(path), *([] if quarantine is None else [path_of(quarantine, "quarantine")])]
        check_files(asked, (source, earlier))
        if quarantine is not None:
            scored_nothing(self.predictor, source, path, keep, coverage)
            source = self.watch.set_aside(source, Path(quarantine))
        source = self.watch.kept_to(source, on_violation)
        return sink_predictions(self.predictor, source, path, keep, earlier, coverage)

    @property
    def contract(self) -> Contract:
        """What a table has to be like for the model to hold: columns, types, ranges, levels, shares missing."""
        return self.watch.contract

    @panics_told("check")
    def check(self, data: Any, *, examples: bool = False) -> Findings:  # noqa: ANN401 -- as in predict
        """Say what of a table is not as the training data were, without them.

        Columns and types, the distribution of each column and of the predictions, unknown levels, ranges; on 50,000
        rows that are spread evenly.

        Args:
            data: Any source.
            examples: Whether findings may show values.

        Returns: The findings; none where nothing has changed by more than chance and enough to matter.
        """
        return self.watch.findings(self._open(data), self.predictor, examples=examples)

    @panics_told("drift")
    def drift(self, data: Any) -> pl.DataFrame:  # noqa: ANN401 -- as in predict
        """Measure how far each column of a table, and the predictions, are from what they were: a row a column.

        To be kept beside those of other batches, with a column that names the batch. What can't be compared has a
        `note` in place of figures: a column that is not there or has become one of another kind (which counts as
        drifted), is of a kind that is not compared, or has too few values.

        Raises: InputError: the table has no rows.
        """
        return self.watch.drift(self._open(data), self.predictor)

    @panics_told("evaluate")
    def evaluate(
        self,
        data: Any,  # noqa: ANN401 -- as in predict
        *,
        history: Any = None,  # noqa: ANN401 -- as in predict
        coverage: float | None = None,
        seed: int = 0,
    ) -> pl.DataFrame:
        """Measure the model on data with known targets; rows without one, null or NaN, are left out.

        They are still what features of earlier rows read, as in `predict`. A label that training has not seen counts as
        missed. Where the model was fitted with `weights=` and the data have that column, rows count by it, as they did
        for the scores of training; else all count the same.

        Returns: `metric, score, ci_low, ci_high, rows, weights`, the search's own metric first; the 95 % intervals are
            of the bootstrap over rows. `weights` is the column that rows counted by; null where all counted the same,
            as they do for a metric of the user's own. With a coverage, a last row has the share of rows whose interval
            or set holds the target, with Wilson's interval.

        Raises:
            MissingColumnError: the target, or a column that the model needs, is not there.
            SchemaError: the target can't be read as what was learned.
            TargetError: no row has a target.
            InputError: a weight is negative or not finite, or all are 0.
        """
        source, earlier = self._open(data), self._earlier(history)
        measured = Measured.of(self.predictor, source, earlier, self.run.settings.get("weights"))
        return scores(measured, self.predictor, self.metric, coverage, seed)

    def importance(self) -> pl.DataFrame:
        """Return `feature, sources, importance`: every feature's share of what the models used, most used first."""
        return self.predictor.importance()

    def save(self, path: str | Path, *, key: bytes | None = None) -> None:
        """Write the model to one file, whole or not at all; no pickle, and loading it runs no code from it.

        Models of equal runs are equal but for `run.json`, which has the run's id and times.

        Args:
            path: Where it goes.
            key: Signs the file by HMAC-SHA256; at least 16 bytes, as of `secrets.token_bytes(32)`.

        Raises: SettingError: the path ends as that of a table, or the key is none.
        """
        check_no_table(path, "a model", ".frazil")
        members = {
            **predictor_members(self.predictor),
            **self.watch.members(),
            STORY: json.dumps(self.story.as_json(), indent=1, allow_nan=False).encode(),
            RUN: self.run.to_json().encode(),
            FINDINGS: self.findings.to_json().encode(),
            **{f"{name}.parquet": parquet_bytes(without_times(name, getattr(self, name))) for name in TABLES},
        }
        about = {"seed": self.story.seed, "data": self.run.data, "versions": self.run.versions}
        write_bundle(path, members, about, key=key)

    def report(self, path: str | Path) -> None:
        """Write one HTML page that tells everything about the model; it opens in any browser, offline."""
        check_no_table(path, "a report", ".html")
        write_bytes(path, page(_title(self), _sections(self)).encode())

    def __repr__(self) -> str:
        """Tell the story in ten lines."""
        return "\n".join([*_told(self), *_best_rows(self.leaderboard, self.story.alone)])

    def _repr_html_(self) -> str:
        """Tell the same in a notebook, with the whole leaderboard."""
        lines = "".join(f"<div>{html.escape(line)}</div>" for line in _told(self))
        return f"<div>{lines}{self.leaderboard._repr_html_()}</div>"

    def _open(self, data: Any) -> Source:  # noqa: ANN401 -- as in predict
        """Open a table; columns of a CSV file that were strings in training stay strings."""
        dtypes = {**self.predictor.inputs, self.target: self.predictor.task.dtype}
        return open_source(data, strings=[name for name, dtype in dtypes.items() if dtype == pl.String])

    def _earlier(self, history: Any) -> Source | None:  # noqa: ANN401 -- as in predict
        return None if history is None else self._open(history)


def load(path: str | Path, *, tables: Mapping[str, Any] | None = None, key: bytes | None = None) -> Model:
    """Read a saved model; it predicts exactly what the saved one did.

    Every member's hash is checked before a byte of it is parsed, and no code from the file is run.

    Args:
        path: The file.
        tables: The tables that its features read beside the one to predict, by the names that the recipe gave them; any
            source. They are not in the file.
        key: That the file has to be signed with; None takes it signed or not, and then looks at the hashes only.

    Raises:
        ArtifactError: the file is damaged, hostile, of a newer format, or not signed with the key.
        SourceError: the file is not there.
    """
    if tables is not None and not isinstance(tables, Mapping):
        raise SettingError(f"tables={tables!r}; it takes tables by their names, as in {{'visits': 'visits.parquet'}}.")
    bundle = read_bundle(path, key=key)
    try:
        run = RunRecord.from_json(json_member(bundle.members, RUN))
        story = Story.from_json(json_member(bundle.members, STORY), run)
        findings = Findings.from_json(bundle.members[FINDINGS])
        kept = {name: parquet_member(bundle.members, f"{name}.parquet") for name in TABLES}
        kept = {name: with_times(name, df, run.measured["tables"]) for name, df in kept.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{path} is not a model that this version of frazil can read: {error!r}.") from error
    opened = {name: open_source(table, where=name).frame for name, table in (tables or {}).items()}
    predictor = predictor_from(bundle.members, available_threads()).with_tables(opened)
    watch = Watch.read(bundle.members)
    return Model(predictor, watch, metric_named(story.metric), story, findings=findings, **kept)


def _sections(model: Model) -> list[Section]:
    board, importance = model.leaderboard, model.importance()
    most = importance.head(SHOWN_FEATURES)
    chart = interval_chart(*(board[name].to_list() for name in ("candidate", "score", "ci_low", "ci_high")))
    findings = model.findings.to_frame()
    return [
        Section("Story", [*model.story.lines(), f"verdict   {model.story.verdict(board)}"]),
        Section("Leaderboard", comparisons(board, model.story.alone), chart + table(board)),
        Section("What the models use", (), bar_chart(most["feature"].to_list(), most["importance"].to_list())),
        Section("What the checks found", () if findings.height else ("Nothing.",), table(findings)),
        Section("Features", (), table(model.features)),
        Section("What was tried", (), table(model.history)),
        Section("Failures", () if model.failures.height else ("None.",), table(model.failures)),
    ]


def _title(model: Model) -> str:
    members = model.predictor.deployed
    what = f"an ensemble of {len(members)} candidates" if len(members) > 1 else members[0].name
    return f"frazil model of {model.target!r} ({model.task}), {what}"


def _told(model: Model) -> list[str]:
    return [_title(model), *model.story.lines(), f"verdict   {model.story.verdict(model.leaderboard)}"]


def _best_rows(leaderboard: pl.DataFrame, alone: str | None) -> list[str]:
    """Show the best candidates; where the ensemble is the best and of one candidate, that is not held against it."""
    same = alone if leaderboard["candidate"][0] == ENSEMBLE else None
    return [
        f"{row['rank']:>4}.     {row['candidate']:<16} {row['score']:.5g}"
        + (
            ""
            if row["p_vs_best"] is None or row["candidate"] == same
            else f"   p against the best {row['p_vs_best']:.2g}"
        )
        for row in leaderboard.head(SHOWN_CANDIDATES).iter_rows(named=True)
    ]
