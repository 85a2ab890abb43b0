"""Whether a metric of one's own gives the same predictions the same score again."""

import math

import numpy as np
import pytest

from frazil.metrics import NUMBERS, Metric
from frazil.models.constant import Constant
from frazil.search.candidate import Candidate, Trial
from frazil.search.judge import Judge
from frazil.search.steadiness import check_steadiness


@pytest.mark.parametrize(("told", "findings"), [([math.nan, math.nan], 0), ([1.0, 1.0], 0), ([1.0, 2.0], 1)])
def test_another_score_is_told_of_and_twice_no_score_is_the_same(told, findings):
    answers = iter(told)
    own = Metric("own", False, "value", NUMBERS, "", lambda *_: next(answers))
    judge = Judge(own, np.ones(3), None, (), 0.0)
    first = judge.score(np.ones(3))
    trial = Trial(Candidate("baseline", Constant()), (), np.ones(3), np.empty(0), first, np.empty(0), 1.0, 1e-6)
    answers = iter(told[1:] * 2)
    assert len(list(check_steadiness([trial], judge))) == findings
