"""What a model keeps of its training data, to tell whether new data are like them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import polars as pl

from frazil.checks.contract import Contract
from frazil.checks.door import look_at
from frazil.checks.drift import check_drift, check_missing_shares, check_support, drift_frame, measure_drift
from frazil.checks.findings import Findings
from frazil.checks.look import sampled
from frazil.checks.reference import check_schema
from frazil.container import member, parquet_bytes, parquet_member
from frazil.errors import MissingColumnError, SchemaError, SettingError
from frazil.files import atomic
from frazil.schema import cast_between, column
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from frazil.artifact.predictor import Predictor
    from frazil.checks.drift import Drift
    from frazil.sources import Source

Violation = Literal["ignore", "warn", "null", "error"]
POLICIES = ("ignore", "warn", "null", "error")
CONTRACT, KEPT, OUTCOMES, SIMPLEST = "contract.json", "watched.parquet", "outcomes.parquet", "simplest.parquet"
KEPT_ROWS = 2_000
PREDICTED = "prediction"
MOST_ROWS = 50_000  # of new data that are compared
SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """What new data are held against.

    Args:
        contract: Columns, types, ranges, levels and shares missing.
        kept: Up to 2,000 values of each column, each column shuffled by itself: no row of the training data can be put
            together of it.
        outcomes: Predictions of rows that no model had learned from, each by the models of one fold; may be none.
        simplest: The same of the simplest candidate that would do; none where that is what is deployed.
    """

    contract: Contract
    kept: pl.DataFrame
    outcomes: pl.DataFrame
    simplest: pl.DataFrame

    @classmethod
    def of(
        cls,
        df: pl.DataFrame,
        predictor: Predictor,
        spared: NDArray[np.float64],
        simplest: NDArray[np.float64],
        seed: int,
    ) -> Self:
        """Take values of training rows.

        Args:
            df: The training rows.
            predictor: Knows which columns it reads.
            spared: Its raw predictions of the spared rows, fold after fold.
            simplest: Those of the simplest candidate that would do; of no rows where that is what is deployed.
            seed: Of the sample.
        """
        inputs = df.select(column(name) for name in predictor.inputs)
        some = sampled(inputs.lazy(), inputs.height, KEPT_ROWS)
        told = (outcomes(predictor, raw) for raw in (spared, simplest))
        return cls(Contract.of(inputs), shuffled(some, seed), *told)

    def only(self, names: Collection[str]) -> Watch:
        """Return it without the columns of other names."""
        rules = tuple(rule for rule in self.contract.columns if rule.name in names)
        return replace(self, contract=Contract(rules), kept=self.kept.select(column(rule.name) for rule in rules))

    def of_simplest(self) -> Watch:
        """Return it for the simplest candidate that would do, whose predictions are spread otherwise."""
        return replace(self, outcomes=self.simplest, simplest=self.simplest.clear())

    def members(self) -> dict[str, bytes]:
        """Return the files that hold it."""
        tables = {KEPT: self.kept, OUTCOMES: self.outcomes, SIMPLEST: self.simplest}
        return {CONTRACT: self.contract.to_json().encode(), **{name: parquet_bytes(df) for name, df in tables.items()}}

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged."""
        contract = Contract.from_json(member(members, CONTRACT))
        kept, told = parquet_member(members, KEPT), parquet_member(members, OUTCOMES)
        # Files of before have none of the simplest: of that candidate's predictions nothing is said then.
        simplest = parquet_member(members, SIMPLEST) if SIMPLEST in members else told.clear()
        return cls(contract, kept, told, simplest)

    def findings(self, source: Source, predictor: Predictor, *, examples: bool) -> Findings:
        """Say what of a table is not as it was: columns, types, distributions, levels, ranges, and predictions."""
        theirs, there = dict(self.kept.schema), source.frame.collect_schema()
        told = [*check_schema({name: there[name] for name in theirs if name in there}, theirs, None)]
        if not told:
            new = self._some(source)
            told += check_drift(self._measured(new, source, predictor), None)
            looks = look_at(new), look_at(self.kept)
            told += [*check_missing_shares(*looks), *check_support(*looks)]
        return Findings(tuple(told)) if examples else Findings(tuple(told)).without_examples()

    def drift(self, source: Source, predictor: Predictor) -> pl.DataFrame:
        """Return one row a column, predictions last: how far it is from what it was.

        Raises:
            MissingColumnError: the table lacks one of them.
            InputError: it has no rows.
        """
        return drift_frame(self._measured(self._some(source), source, predictor))

    def kept_to(self, source: Source, policy: Violation) -> Source:
        """Hold a table against the contract.

        Args:
            source: The table.
            policy: "ignore" does nothing; "warn" warns of what breaks it; "error" refuses; "null" takes values out of
                range and unknown levels for missing.

        Raises:
            SchemaError: the policy is "error", and the contract is broken; names the columns and how often.
            SettingError: the policy is another.
        """
        if policy not in POLICIES:
            raise SettingError.among("on_violation", policy, POLICIES)
        if policy == "ignore":
            return source
        if policy == "null":
            return replace(source, frame=self._nulled(source))
        violations = self.contract.violations(source.frame)
        if violations.height:
            rows = violations.select("column", "rule", "evidence").rows()
            text = "; ".join(f"{name!r} {evidence}" for name, _, evidence in rows[:SHOWN])
            more = f"; and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
            message = f"{source.name} is not as the training data were: {text}{more}."
            if policy == "error":
                raise SchemaError(f"{message} See model.contract.violations(data), or take on_violation='null'.")
            warnings.warn(message, UserWarning, stacklevel=3)
        return source

    def set_aside(self, source: Source, path: Path) -> Source:
        """Write rows that break the contract to a Parquet file, and return the others; none is lost."""
        flags = [flags for rules in self._broken(source).values() for flags in rules.values()]
        broken = pl.any_horizontal(flags) if flags else pl.lit(value=False)
        with atomic(path) as temporary:
            source.frame.filter(broken).sink_parquet(temporary)
        return replace(source, frame=source.frame.filter(~broken))

    def _nulled(self, source: Source) -> pl.LazyFrame:
        """Make values out of range and unknown levels null."""
        return source.frame.with_columns(
            pl.when(~pl.any_horizontal(rules.values())).then(column(name)).alias(name)
            for name, rules in self._broken(source).items()
            if rules
        )

    def _broken(self, source: Source) -> dict[str, dict[str, pl.Expr]]:
        """Return by column and rule where values break it; what came in another type is read for it, as predict does.

        Raises: SchemaError: a column can't be read as the numbers or levels that were learned.
        """
        there, found = source.frame.collect_schema(), {}
        for rule in self.contract.columns:
            if rule.name not in there:
                continue
            have = read = there[rule.name]
            if rule.levels is not None:
                read = pl.String()
            elif (rule.low, rule.high) != (None, None) and not have.is_numeric():
                read = self.kept.schema[rule.name]
            found[rule.name] = rule.broken(read, cast_between(rule.name, have, read, source.name).values)
        return found

    def _some(self, source: Source) -> pl.DataFrame:
        there = source.frame.collect_schema().names()
        if missing := [name for name in self.kept.columns if name not in there]:
            raise MissingColumnError.among(missing, there, where=source.name)
        rows = int(source.frame.select(pl.len()).collect(engine="streaming").item())
        return sampled(source.frame.select(column(name) for name in self.kept.columns), rows, MOST_ROWS)

    def _measured(self, new: pl.DataFrame, source: Source, predictor: Predictor) -> list[Drift]:
        """Measure the columns, and the predictions where there are some of rows that were not learned from."""
        measured = measure_drift(look_at(new, where=source.name), look_at(self.kept))
        if self.outcomes.is_empty() or predictor.reads_earlier_rows:  # a sample's predictions would lack earlier rows
            return measured
        told = outcomes(predictor, predictor.raw_by_turns(new.lazy(), source.name))
        return [*measured, *measure_drift(look_at(told), look_at(self.outcomes))]


def shuffled(df: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Shuffle each column by itself."""
    generator = np.random.default_rng(child_seed(seed, "watched"))
    orders = {name: pl.Series(generator.permutation(df.height)) for name in df.columns}
    # Methods of a Series take a name such as ^a$ for a pattern.
    plain = {name: df.get_column(name).alias("") for name in df.columns}
    return pl.DataFrame([plain[name].gather(order).alias(name) for name, order in orders.items()])


def outcomes(predictor: Predictor, raw: NDArray[np.float64]) -> pl.DataFrame:
    """Return what stands for predictions: the value, the probability of the second of two labels, or the label."""
    if raw.ndim == 1:
        return pl.DataFrame({PREDICTED: raw})
    if raw.shape[1] == 2:
        return pl.DataFrame({PREDICTED: raw[:, 1]})
    labels = [predictor.task.label_names[code] for code in raw.argmax(axis=1)] if len(raw) else []
    return pl.DataFrame({PREDICTED: labels}, schema={PREDICTED: pl.String})
