"""Time axes: distances between what learns and what judges, in the unit of the axis."""

from datetime import timedelta

import numpy as np
import pytest

from frazil.errors import SettingError
from frazil.search.staging import Forward

DAYS = np.arange("2024-01-01", "2024-02-01", dtype="datetime64[D]")
HOURS = DAYS.astype("datetime64[h]")
NUMBERS = np.arange(31)


@pytest.mark.parametrize(
    ("axis", "time", "delays"),
    [
        (Forward("t"), DAYS, (0, 0)),
        (Forward("t", gap="7d", embargo=2), DAYS, (7, 2)),
        (Forward("t", gap="1d12h"), DAYS, (2, 0)),
        (Forward("t", gap="1d12h"), HOURS, (36, 0)),
        (Forward("t", gap="1.5h", embargo="2w"), HOURS, (2, 336)),
        (Forward("t", gap="7i"), NUMBERS, (7, 0)),
        (Forward("t", gap=timedelta(days=1, hours=12), embargo=np.int64(3)), DAYS, (2, 3)),
        (Forward("t", gap="0d"), DAYS, (0, 0)),
    ],
)
def test_distances_are_counted_in_the_unit_of_the_axis_and_rounded_up(axis, time, delays):
    assert axis.delays(time) == delays


@pytest.mark.parametrize(
    ("axis", "time", "gap"),
    [
        (Forward("t", horizon="7d"), DAYS, 7),
        (Forward("t", gap="1d", horizon="7d"), DAYS, 7),
        (Forward("t", gap=1, horizon="1w"), DAYS, 7),
        (Forward("t", gap="9d", horizon="7d"), DAYS, 9),
        (Forward("t", gap=1, horizon="7i"), NUMBERS, 7),
    ],
)
def test_the_gap_is_as_long_as_the_horizon_at_least(axis, time, gap):
    assert axis.delays(time) == (gap, 0)


@pytest.mark.parametrize(
    ("distances", "words"),
    [
        ({"gap": "7x"}, "gap='7x' is not a time"),
        ({"embargo": "soon"}, "embargo='soon' is not a time"),
        ({"gap": None}, "gap=None; it takes time as '7d' or '12h', or a whole number"),
        ({"embargo": 1.5}, "embargo=1.5; it takes time"),
        ({"gap": True}, "gap=True; it takes time"),
        ({"horizon": "soon"}, "horizon has 'soon'"),
    ],
)
def test_a_distance_that_can_not_be_read_is_refused_before_anything_is(distances, words):
    with pytest.raises(SettingError, match=words):
        Forward("t", **distances)


@pytest.mark.parametrize(
    ("axis", "time", "words"),
    [
        (Forward("t", gap="7d"), NUMBERS, "gap='7d'; it takes '7i', as its times are integers"),
        (Forward("t", embargo="7i"), DAYS, "embargo='7i'; it takes '7d' or '12h'"),
        (Forward("t", gap=-1), DAYS, "gap=-1; it takes 0 or more"),
    ],
)
def test_a_distance_of_another_kind_than_the_axis_is_refused(axis, time, words):
    with pytest.raises(SettingError, match=words):
        axis.delays(time)
