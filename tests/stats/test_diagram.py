"""The diagram shows the models in order, and bars over those that can't be told apart."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
import pytest

from frazil.errors import InputError, SettingError
from frazil.stats import critical_difference

RANKS = np.array([3.143, 2.000, 2.893, 1.964])
NAMES = ["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"]
SVG = "{http://www.w3.org/2000/svg}"


def test_a_bar_lies_over_each_longest_run_within_the_distance():
    found = critical_difference(list("abcde"), np.array([1.0, 2.0, 3.0, 4.2, 4.8]), 30)  # distance 1.11
    assert found.groups == ((0, 1), (1, 2), (3, 4))


def test_models_far_apart_have_no_bar():
    assert critical_difference(list("abc"), np.array([3.0, 1.0, 2.0]), 100).groups == ()


def test_against_a_control_the_bar_lies_over_it_and_those_near():
    """Demšar (2006), page 13: of the three only C4.5+m+cf is told apart from C4.5, as 1.179 > 1.16 > 1.143."""
    found = critical_difference(NAMES, RANKS, 14, test="bonferroni-dunn", control="C4.5")
    assert found.names == ("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5")
    assert found.groups == ((1, 3),)


def test_demsars_four_models_are_told_apart_as_published():
    """Page 12: by Nemenyi at 0.05 none; at 0.10 (a distance of 1.12) C4.5 from the two with m (1.143 and 1.179)."""
    assert critical_difference(NAMES, RANKS, 14).groups == ((0, 3),)
    assert critical_difference(NAMES, RANKS, 14, alpha=0.1).groups == ((0, 2), (2, 3))


@pytest.mark.parametrize("models", [2, 3, 9])
def test_the_drawing_is_one_svg_with_every_name(models):
    names = [f"model {place}" for place in range(models)]
    drawing = critical_difference(names, np.arange(1.0, models + 1), 20).svg()
    texts = [text.text for text in ET.fromstring(drawing).iter(f"{SVG}text")]
    assert [sum(str(text).startswith(name) for text in texts) for name in names] == [1] * models
    assert {"CD"} <= {str(text)[:2] for text in texts}


def test_all_lines_lie_in_the_picture():
    root = ET.fromstring(critical_difference(NAMES, RANKS, 14).svg())
    height, width = float(root.attrib["height"]), float(root.attrib["width"])
    for line in root.iter(f"{SVG}line"):
        across = [float(line.attrib[end]) for end in ("x1", "x2")]
        down = [float(line.attrib[end]) for end in ("y1", "y2")]
        assert (min(across + down) >= 0, max(across) <= width, max(down) <= height) == (True, True, True)


def test_names_are_text_and_never_markup():
    drawing = critical_difference(["<script>alert(1)</script>", 'a"&b', "c"], np.array([1.0, 2.0, 3.0]), 9).svg()
    assert "<script" not in drawing
    texts = [str(text.text) for text in ET.fromstring(drawing).iter(f"{SVG}text")]
    assert any(text.startswith("<script>alert(1)</script> (1.00)") for text in texts)


def test_names_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="3 names, 2 of them distinct, for 3 average ranks"):
        critical_difference(["a", "a", "b"], np.array([1.0, 2.0, 3.0]), 9)
    with pytest.raises(SettingError, match="control='C5' is not known"):
        critical_difference(NAMES, RANKS, 14, test="bonferroni-dunn", control="C5")
