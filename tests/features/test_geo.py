"""Places on the earth, by closed forms in numpy and by what is known of cities."""

import math

import numpy as np
import polars as pl
import pytest

from frazil.errors import SchemaError, SettingError
from frazil.features import FittedRecipe, Recipe
from frazil.features.geo import Bearing, ClusterDistance, GridCell, Haversine, ManhattanDistance, Midpoint, Rotate

RADIUS = 6371.0088
BERLIN, PARIS, NEW_YORK, SYDNEY = (52.52, 13.405), (48.8566, 2.3522), (40.7128, -74.006), (-33.8688, 151.2093)
START, END = ("lat", "lon"), ("lat_to", "lon_to")
RNG = np.random.default_rng(0)


def made(builder, frame, other=None):
    fitted = Recipe(builder).fit(frame)
    return fitted.apply(frame if other is None else other).select([f.name for f in fitted.features]).collect()


def pairs(*rows):
    return pl.LazyFrame(rows, schema=[*START, *END], orient="row")


def many(n=500):
    lat, lat_to = RNG.uniform(-89, 89, (2, n))
    lon, lon_to = RNG.uniform(-180, 180, (2, n))
    return lat, lon, lat_to, lon_to


def vector(lat, lon):
    """Return (3, n) points of the unit sphere."""
    phi, theta = np.radians(lat), np.radians(lon)
    return np.array([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)])


def great_circle(lat, lon, lat_to, lon_to):
    """Return the angle between vectors by its tangent, which is exact at any distance."""
    one, other = vector(lat, lon), vector(lat_to, lon_to)
    across = np.linalg.norm(np.cross(one, other, axis=0), axis=0)
    return RADIUS * np.arctan2(across, (one * other).sum(axis=0))


@pytest.mark.parametrize(
    ("start", "end", "kilometres"),
    [(BERLIN, PARIS, 878), (NEW_YORK, PARIS, 5837), (SYDNEY, BERLIN, 16090), (NEW_YORK, SYDNEY, 15990)],
)
def test_cities_are_as_far_apart_as_an_atlas_says(start, end, kilometres):
    assert made(Haversine(START, END), pairs((*start, *end))).item() == pytest.approx(kilometres, rel=0.003)


def test_distances_are_angles_between_vectors():
    points = many()
    got = made(Haversine(START, END), pairs(*zip(*points, strict=True)))
    assert got.columns == ["lat*lon*lat_to*lon_to|haversine_km"]
    np.testing.assert_allclose(got.to_series(), great_circle(*points), rtol=1e-6)


def test_distances_hold_for_the_same_point_for_neighbours_and_for_the_other_side_of_the_earth():
    frame = pairs(
        (10.0, 20.0, 10.0, 20.0), (10.0, 20.0, 10.00001, 20.0), (10.0, 20.0, -10.0, -160.0), (0, 180, 0, -180)
    )
    got = made(Haversine(START, END), frame).to_series().to_list()
    expected = [0.0, RADIUS * math.radians(1e-5), RADIUS * math.pi, 0.0]
    assert got == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_the_way_along_parallel_and_meridian_is_the_sum_of_both():
    lat, lon, lat_to, lon_to = points = many()
    got = made(ManhattanDistance(START, END), pairs(*zip(*points, strict=True))).to_series()
    expected = great_circle(lat, lon, lat, lon_to) + great_circle(lat, lon_to, lat_to, lon_to)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_a_bearing_is_the_angle_to_the_tangent_that_points_north():
    lat, lon, lat_to, lon_to = points = many()
    got = made(Bearing(START, END), pairs(*zip(*points, strict=True)))
    phi, theta = np.radians(lat), np.radians(lon)
    north = np.array([-np.sin(phi) * np.cos(theta), -np.sin(phi) * np.sin(theta), np.cos(phi)])
    east = np.array([-np.sin(theta), np.cos(theta), np.zeros_like(theta)])
    other = vector(lat_to, lon_to)
    angle = np.arctan2((other * east).sum(axis=0), (other * north).sum(axis=0))
    np.testing.assert_allclose(got.to_series(0), np.degrees(angle) % 360, atol=1e-4)
    np.testing.assert_allclose(got.to_series(1), np.sin(angle), atol=1e-6)
    np.testing.assert_allclose(got.to_series(2), np.cos(angle), atol=1e-6)


def test_bearings_go_from_north_by_east_and_a_point_has_none_to_itself():
    frame = pairs((0, 0, 1, 0), (0, 0, 0, 1), (0, 0, -1, 0), (0, 0, 0, -1), (5, 5, 5, 5))
    assert made(Bearing(START, END), frame).to_series(0).to_list() == [0.0, 90.0, 180.0, 270.0, None]


def test_a_midpoint_is_the_middle_of_both_vectors():
    points = many()
    got = made(Midpoint(START, END), pairs(*zip(*points, strict=True)))
    middle = vector(*points[:2]) + vector(*points[2:])
    middle /= np.linalg.norm(middle, axis=0)
    np.testing.assert_allclose(vector(*got.to_numpy().T.astype(float)), middle, atol=1e-5)


def test_a_midpoint_over_the_date_line_stays_on_it_and_opposite_points_have_none():
    frame = pairs((0.0, 179.0, 0.0, -177.0), (0.0, 0.0, 0.0, 180.0))
    assert made(Midpoint(START, END), frame).rows() == [(0.0, pytest.approx(-179.0)), (None, None)]


@pytest.mark.parametrize("builder", [Haversine, ManhattanDistance, Bearing, Midpoint])
def test_coordinates_that_are_none_are_null(builder):
    nan, inf = math.nan, math.inf
    rows = [(90.1, 0, 0, 0), (0, -180.1, 0, 0), (nan, 0, 0, 0), (0, 0, inf, 0), (0, 0, 0, 200), (None, 0, 1, 1)]
    got = made(builder(START, END), pairs(*[[float(v) if v is not None else None for v in row] for row in rows]))
    assert set(got.rows()) == {(None,) * got.width}


def test_a_fixed_place_is_named_with_its_degrees_and_reads_strings():
    frame = pl.LazyFrame({"lat": ["52.52", "north"], "lon": ["13.405", "1"]})
    got = made(Haversine(START, PARIS), frame)
    assert got.columns == ["lat*lon|haversine_km_to_48.8566_2.3522"]
    assert got.to_series().to_list() == [pytest.approx(877.46, abs=0.01), None]


@pytest.mark.parametrize("end", [(91, 0), (0, 181), (math.nan, 0), ("lat", 3), "paris", (1,), None])
def test_what_is_no_place_is_refused(end):
    with pytest.raises(SettingError, match="it takes two columns, or degrees"):
        Haversine(START, end)


def test_what_is_no_pair_of_columns_is_refused():
    with pytest.raises(SettingError, match="it takes the columns of latitude and longitude"):
        Rotate("lat")
    with pytest.raises(SchemaError, match="Haversine is given column 'lat' of type List"):
        Recipe(Haversine(START, PARIS)).fit(pl.LazyFrame({"lat": [[1.0]], "lon": [1.0]}))


def test_cells_are_those_of_floor_in_the_order_of_their_rows():
    lat, lon, _, _ = many(300)
    cells = list(zip(np.floor((lat + 90) / 30), np.floor((lon + 180) / 30), strict=True))
    counts = {cell: cells.count(cell) for cell in cells}
    order = sorted(counts, key=lambda cell: (-counts[cell], cell))
    got = made(GridCell(START, [30]), pl.LazyFrame({"lat": lat, "lon": lon}))
    assert got.columns == ["lat*lon|cell_30.0"]
    assert got.schema == {"lat*lon|cell_30.0": pl.Int32}
    assert got.to_series().to_list() == [order.index(cell) for cell in cells]


def test_cells_close_at_the_poles_and_the_date_line():
    frame = pl.LazyFrame({"lat": [90.0, 89.5, 0.0, 0.0, 0.0], "lon": [0.0, 0.0, 180.0, -180.0, 181.0]})
    assert made(GridCell(START, [1.0]), frame).to_series().to_list() == [1, 1, 0, 0, None]


def test_cells_that_are_rare_or_not_of_training_are_null():
    frame = pl.LazyFrame({"lat": [1.5, 1.5, 7.0], "lon": [1.5, 1.5, 7.0]})
    fitted = Recipe(GridCell(START, [1.0, 0.5], most=1)).fit(frame)
    assert [feature.levels for feature in fitted.features] == [1, 1]
    assert fitted.apply(frame).collect()["lat*lon|cell_1.0"].to_list() == [0, 0, None]
    assert made(GridCell(START, [1.0]), frame, pl.LazyFrame({"lat": [50.0], "lon": [8.0]})).item() is None


@pytest.mark.parametrize("size", [0, -1.0, 91, math.nan, "5", True])
def test_a_cell_without_a_size_is_refused(size):
    with pytest.raises(SettingError, match="it takes degrees from"):
        GridCell(START, [size])


def test_turned_axes_are_a_rotation():
    lat, lon, _, _ = many(100)
    got = made(Rotate(START), pl.LazyFrame({"lat": lat, "lon": lon}))
    assert got.columns == [f"lat*lon|rotate_{angle}_{axis}" for angle in (15, 30, 45, 60) for axis in "xy"]
    for at, angle in enumerate(np.radians([15, 30, 45, 60])):
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        np.testing.assert_allclose(got[:, 2 * at : 2 * at + 2].to_numpy().T, turn @ [lon, lat], rtol=1e-4, atol=1e-4)


def test_clusters_are_found_and_told_by_kilometres():
    cities = np.array([SYDNEY, NEW_YORK, BERLIN])
    points = np.repeat(cities, 50, axis=0) + RNG.normal(0, 0.1, (150, 2))
    frame = pl.LazyFrame(points, schema=list(START))
    fitted = Recipe(ClusterDistance(START, clusters=3)).fit(frame)
    centers = np.array([(f.parameters["lat"], f.parameters["lon"]) for f in fitted.features])
    np.testing.assert_allclose(centers, cities, atol=0.1)
    got = fitted.apply(frame).collect().select(f.name for f in fitted.features).to_numpy()
    expected = np.column_stack([great_circle(*points.T, *np.full((150, 2), center).T) for center in centers])
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_a_cluster_over_the_date_line_is_one():
    lon = np.array([179.9, -179.9] * 20)
    frame = pl.LazyFrame({"lat": np.zeros(40), "lon": lon})
    (center,) = Recipe(ClusterDistance(START, clusters=1)).fit(frame).features
    assert abs(center.parameters["lon"]) == pytest.approx(180, abs=0.01)
    assert made(ClusterDistance(START, clusters=1), frame).to_series().max() < 12


def test_there_are_no_more_clusters_than_points():
    frame = pl.LazyFrame({"lat": [1.0, 1.0, 2.0, 90.0, 90.0, None], "lon": [1.0, 1.0, 2.0, 0.0, 77.0, 0.0]})
    assert made(ClusterDistance(START, clusters=8), frame).width == 3
    assert made(ClusterDistance(START), frame.clear()).width == 0
    with pytest.raises(SettingError, match="clusters=0"):
        ClusterDistance(START, clusters=0)


def test_a_file_with_a_centre_off_the_earth_is_refused():
    frame = pl.LazyFrame({"lat": [48.5], "lon": [10.5]})
    members = Recipe(ClusterDistance(START)).fit(frame).members()
    with pytest.raises(ValueError, match="not on earth"):
        FittedRecipe.read({**members, "recipe.json": members["recipe.json"].replace(b"48.5", b"148.5")})


def test_one_point_written_in_two_ways_has_no_bearing_to_itself():
    same = pl.LazyFrame({"lat": [0.0, 90.0], "lon": [180.0, 10.0], "to": [0.0, 90.0], "across": [-180.0, 70.0]})
    assert made(Bearing(("lat", "lon"), ("to", "across")), same).rows() == [(None, None, None)] * 2


def test_a_circle_ends_before_it_begins_again_in_float32_too():
    near = pl.LazyFrame({"lat": [0.0], "lon": [0.0]})
    assert made(Bearing(("lat", "lon"), (1.0, -1e-9)), near).row(0)[0] == 0.0
    east = pl.LazyFrame({"lat": [0.0], "lon": [179.9999999]})
    assert made(Midpoint(("lat", "lon"), (0.0, 179.9999999)), east).row(0) == (0.0, -180.0)
