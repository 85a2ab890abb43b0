"""Writing the record of a run from what was staged, searched and assembled."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.artifact.record import RunRecord, platform_here, times_of, versions_here
from frazil.console import peak_memory_bytes
from frazil.search.fewer import smaller_sets
from frazil.search.loop import tried
from frazil.search.monotone import left_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from frazil.artifact.predictor import Predictor
    from frazil.budget import Clock
    from frazil.runlog import RunLog
    from frazil.search.evaluation import Workbench
    from frazil.search.loop import SearchResult
    from frazil.search.staging import Staged
    from frazil.task import Task


def decisions(
    staged: Staged, bench: Workbench, result: SearchResult, predictor: Predictor, simplest: str, rope: float
) -> dict[str, Any]:
    """Say in plain values what a run has decided.

    Args:
        staged: The data.
        bench: What was searched with.
        result: What was tried.
        predictor: What came of it.
        simplest: The simplest candidate that is likely no worse than the best by more than `rope`.
        rope: How large a difference does not matter.
    """
    plan = bench.folds.plan
    scored = np.bincount(plan.rows_scored)
    return {
        "task": _task(staged.table.task),
        "metric": bench.judge.metric.name,
        "folds": {
            "kind": plan.kind,
            "reason": plan.reason,
            "forward": plan.forward,
            "number": len(plan.folds),
            "cuts": int(scored.max()),
            "rows_scored": int((scored > 0).sum()),
            "rows_spared": len(plan.rows_spared),
        },
        "sampled_for": staged.sampled_for,
        "rows_beyond": result.rows_beyond,
        "left_out": left_out(bench.folds.folds[0].train.matrix.columns, staged.table.task, bench.judge.metric.name),
        "trials": tried(result.attempts),
        "why_stopped": result.why_stopped,
        "ensemble": [
            {"candidate": member.name, "learner": member.learner, "weight": member.weight}
            for member in predictor.deployed
        ],
        "simplest": simplest,
        "smaller_sets": [asdict(each) for each in smaller_sets(result.trials, bench.judge, rope)],
        "rope": rope,
        "calibration": asdict(predictor.calibration),
        "cut": predictor.cut,
    }


def record_of(
    name: str,
    staged: Staged,
    settings: dict[str, Any],
    decided: dict[str, Any],
    tables: Mapping[str, pl.DataFrame],
    bench: Workbench,
    log: RunLog,
) -> RunRecord:
    """Write the record of a run.

    Args:
        name: What the data are called.
        staged: The data.
        settings: Arguments of the call.
        decided: As `decisions` returns them.
        tables: The model's tables of what was tried.
        bench: What was searched with.
        log: Knows the run's id and the seconds of its stages.
    """
    record = RunRecord(
        run_id=log.run_id,
        versions=versions_here(),
        platform=platform_here(bench.threads),
        data={"name": name, **asdict(staged.identity)},
        settings=settings,
        decisions=decided,
        findings=dict(sorted(Counter(finding.code for finding in staged.findings).items())),
        failures=tables["failures"].select("candidate", "error", "message").to_dicts(),
        measured={
            "started": log.started,
            **spent_so_far(bench.clock, log),
            "tables": times_of(tables),
        },
    )
    return RunRecord.from_json(json.loads(record.to_json()))  # as it will be read back from a file


def spent_so_far(clock: Clock, log: RunLog) -> dict[str, Any]:
    """Return what a run has taken up to now: seconds in all and by stage, and the peak of its memory."""
    peak = (peak_memory_bytes() or 0) / 2**20
    return {"seconds": clock.spent, "stages": log.seconds(), "peak_mib": peak}


def _task(task: Task) -> dict[str, Any]:
    """Say what is predicted; of two labels the second is the positive one."""
    labels = [str(label) for label in task.label_names]
    positive = labels[1] if len(labels) == 2 else None
    return {"kind": str(task.kind), "reason": task.reason, "labels": labels, "positive": positive}
