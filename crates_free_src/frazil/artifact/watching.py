"""What a model keeps of its training data, to tell whether new data are like them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import polars as pl

from frazil.artifact.scoring import sink_rows
from frazil.checks.codes import found
from frazil.checks.contract import Contract
from frazil.checks.door import look_at
from frazil.checks.drift import (
    Uncompared,
    check_drift,
    check_missing_shares,
    check_support,
    drift_frame,
    measure_drift,
    uncompared,
)
from frazil.checks.findings import Findings
from frazil.checks.look import sampled, type_name
from frazil.checks.reference import check_schema
from frazil.container import member, parquet_bytes, parquet_member
from frazil.errors import InputError, SchemaError, SettingError
from frazil.schema import cast_between, column, lost_values, recast
from frazil.seeding import child_seed
from frazil.sources import reading

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from frazil.artifact.predictor import Predictor
    from frazil.checks.drift import Drift
    from frazil.checks.findings import Finding
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
        new = self._some(source)
        if not self.kept.width:  # a model that reads no column
            return Findings(())
        reference = look_at(self.kept)
        told = [*check_schema(dict(new.schema), dict(self.kept.schema), None), *self._unreadable(new)]
        measured, _ = self._predictions(new, source.name, predictor)
        if new.width:
            look = look_at(new, where=source.name)
            measured = [*measure_drift(look, reference), *measured]
            told += [*check_missing_shares(look, reference), *check_support(look, reference)]
        told += check_drift(measured, None)
        return Findings(tuple(told)) if examples else Findings(tuple(told)).without_examples()

    def drift(self, source: Source, predictor: Predictor) -> pl.DataFrame:
        """Return one row a column, predictions last: how far it is from what it was, or why that can't be said.

        Raises: InputError: the table has no rows.
        """
        new = self._some(source)
        if not self.kept.width:  # a model that reads no column
            return drift_frame([])
        reference, look = look_at(self.kept), look_at(new, where=source.name) if new.width else None
        measured = [] if look is None else measure_drift(look, reference)
        told: dict[str, Drift | Uncompared] = {one.column: one for one in measured}
        told |= {one.column: one for one in uncompared(look, reference, measured)}
        predictions, unpredicted = self._predictions(new, source.name, predictor)
        return drift_frame([*(told[name] for name in self.kept.columns), *predictions, *unpredicted])

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
            warnings.warn(message, UserWarning, stacklevel=4)  # past predict and what tells of its panics
        return source

    def set_aside(self, source: Source, path: Path) -> Source:
        """Write rows that break the contract to a Parquet or CSV file, and return the others; none is lost.

        Values of another type than was learned are held to it as prediction reads them, as numbers that came as
        strings; what can't be read breaks it.

        Raises: SchemaError: a type can't become the learned one, whatever the value.
        """
        broken = self._broken(source)
        sink_rows(replace(source, frame=source.frame.filter(broken)), path)
        return replace(source, frame=source.frame.filter(~broken))

    def _broken(self, source: Source) -> pl.Expr:
        """Say in which rows a value breaks its rule or can't be read."""
        there, flags = source.frame.collect_schema(), [pl.lit(value=False)]
        for rule in self.contract.columns:
            if rule.name in there:
                learned = self.kept.schema[rule.name]
                cast = cast_between(rule.name, there[rule.name], learned, source.name)
                flags += [] if cast.lost is None else [cast.lost]
                flags += rule.broken(learned, cast.values).values()
        return pl.any_horizontal(flags).fill_null(value=False)

    def _nulled(self, source: Source) -> pl.LazyFrame:
        """Make values out of range and unknown levels null; numbers that came as strings are read first."""
        there = source.frame.collect_schema()
        asked = [rule for rule in self.contract.columns if rule.name in there]
        ranged = [rule.name for rule in asked if (rule.low, rule.high) != (None, None)]
        misread = {name: self.kept.schema[name] for name in ranged if not there[name].is_numeric()}
        frame = recast(source.frame, misread, source.name)
        broken = {rule.name: rule.broken(misread.get(rule.name, there[rule.name])) for rule in asked}
        return frame.with_columns(
            pl.when(~pl.any_horizontal(rules.values())).then(column(name)).alias(name)
            for name, rules in broken.items()
            if rules
        )

    def _some(self, source: Source) -> pl.DataFrame:
        """Read the columns that are there, of all rows or of some."""
        with reading(source.name):
            there = source.frame.collect_schema()
            rows = int(source.frame.select(pl.len()).collect(engine="streaming").item())
            if not rows:
                raise InputError(f"{source.name} has no rows; there is nothing to look at.")
            shared = [column(name) for name in self.kept.columns if name in there]
            return sampled(source.frame.select(shared), rows, MOST_ROWS)

    def _unreadable(self, new: pl.DataFrame) -> Iterator[Finding]:
        """Tell of columns with values that prediction would refuse."""
        lost = lost_values(new.schema, self.kept.schema)
        counts = new.select(flags.sum().alias(name) for name, flags in lost.items())
        for name in counts.columns:
            if count := counts.get_column(name).item():
                of = f"{count:,} of the {new.height:,} rows looked at"
                yield found("schema_unreadable", name, f"can't be read as {type_name(self.kept.schema[name])} in {of}")

    def _predictions(self, new: pl.DataFrame, where: str, predictor: Predictor) -> tuple[list[Drift], list[Uncompared]]:
        """Compare predictions with those of rows that were not learned from, where there are such and they can be made.

        A sample's predictions would lack earlier rows where features read them.
        """
        if self.outcomes.is_empty() or predictor.reads_earlier_rows:
            return [], []
        try:
            told = outcomes(predictor, predictor.raw_by_turns(new.lazy(), where))
        except SchemaError:
            return [], [Uncompared(PREDICTED, "can't be made: columns are missing or can't be read", True)]
        looks = look_at(told), look_at(self.outcomes)
        measured = measure_drift(*looks)
        return measured, uncompared(*looks, measured)


def shuffled(df: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Shuffle each column by itself."""
    generator = np.random.default_rng(child_seed(seed, "watched"))
    orders = {name: pl.Series(generator.permutation(df.height)) for name in df.columns}
    # Methods of a Series take a name such as ^a$ for a pattern.
    plain = {name: df.get_column(name).alias("") for name in df.columns}
    return pl.DataFrame({name: plain[name].gather(order) for name, order in orders.items()})


def outcomes(predictor: Predictor, raw: NDArray[np.float64]) -> pl.DataFrame:
    """Return what stands for predictions: the value, the probability of the second of two labels, or the label."""
    if raw.ndim == 1:
        return pl.DataFrame({PREDICTED: raw})
    if raw.shape[1] == 2:
        return pl.DataFrame({PREDICTED: raw[:, 1]})
    labels = [predictor.task.label_names[code] for code in raw.argmax(axis=1)] if len(raw) else []
    return pl.DataFrame({PREDICTED: labels}, schema={PREDICTED: pl.String})
