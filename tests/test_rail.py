"""The rail network: distances, stars, and trips that grow day by day."""

import itertools
import math

import numpy as np
import pytest

from seqdec_lib.problems import TravelTree
from seqdec_lib.problems.rail import CITIES, CITY_NAMES, RailNetwork, distances_km

KM = distances_km()


def test_distances_are_those_on_the_globe() -> None:
    """Against the spherical law of cosines, and against distances that everybody can look up."""
    for (i, a), (j, b) in itertools.combinations(enumerate(CITIES.values()), 2):
        (lat_a, lon_a), (lat_b, lon_b) = (map(math.radians, place) for place in (a, b))
        angle = math.acos(
            math.sin(lat_a) * math.sin(lat_b)
            + math.cos(lat_a) * math.cos(lat_b) * math.cos(lon_a - lon_b)
        )
        assert abs(KM[i, j] - 6371 * angle) < 1
        assert KM[i, j] == KM[j, i]
    known = {
        "Amsterdam": {"Paris": 430, "Berlin": 577},
        "Prague": {"Berlin": 280, "Vienna": 251},
        "Munich": {"Vienna": 355, "Zurich": 243},
        "Milan": {"Zurich": 218, "Lyon": 341, "Rome": 477},
        "Barcelona": {"Lyon": 533, "Madrid": 505},
        "Lisbon": {"Madrid": 503},
        "Florence": {"Rome": 231, "Venice": 204},
        "Budapest": {"Vienna": 215, "Warsaw": 545},
        "Krakow": {"Warsaw": 252, "Prague": 394},
        "Copenhagen": {"Berlin": 356, "Stockholm": 522},
        "Oslo": {"Stockholm": 416, "Copenhagen": 483},
        "Bordeaux": {"Paris": 499, "Marseille": 505},
        "Marseille": {"Lyon": 278},
        "Gdansk": {"Warsaw": 284, "Berlin": 403},
        "Venice": {"Vienna": 435},
    }
    assert {*known, *itertools.chain(*known.values())} == set(CITIES)
    for a, others in known.items():
        for b, km in others.items():
            assert abs(KM[CITY_NAMES.index(a), CITY_NAMES.index(b)] - km) < 8, (a, b)


@pytest.mark.parametrize("branching", [2, 5, 24])
def test_action_0_stays_and_the_others_go_to_the_nearest(branching: int) -> None:
    tree = TravelTree(branching=branching, horizon=2)
    for first in range(branching):
        here = tree.itinerary(1 + first)[-1]
        children = [tree.itinerary(branching * (1 + first) + 1 + a)[-1] for a in range(branching)]
        assert children[0] == here
        assert len(set(children)) == branching
        away = [int(KM[CITY_NAMES.index(here), CITY_NAMES.index(city)]) for city in children]
        assert away == sorted(KM[CITY_NAMES.index(here)].tolist())[:branching]


def test_the_seed_draws_the_stars() -> None:
    stars = np.array([TravelTree(seed=seed).stars for seed in range(200)])
    assert (stars[:, 0] == 0).all()
    assert set(stars[:, 1:].ravel()) == set(range(1, 11))
    assert np.array_equal(TravelTree(seed=5).stars, stars[5])


def test_a_third_night_and_nights_at_home_earn_nothing() -> None:
    rail = RailNetwork(choices=4, seed=0)
    trips, earned = rail.at_home(1), []
    for action in (0, 0, 1, 0, 0, 0):
        trips = rail.visit(trips, action)
        earned.append(float(rail.stars_and_km(trips)[0][0]))
    star = rail.stars[int(trips.city[0])]
    assert star > 0
    assert np.diff([0, *earned]).tolist() == [0, 0, star, star / 2, 0, 0]


@pytest.mark.parametrize("choices", [2, 5, 24])
def test_long_trips_earn_and_travel_what_a_diary_adds_up_to(choices: int) -> None:
    """Sixty days, so that every city is visited again and again, also the last of the list."""
    rail, rng = RailNetwork(choices, seed=4), np.random.default_rng(choices)
    trips, days = rail.at_home(50), rng.integers(choices, size=(60, 50))
    cities, nights, ways = np.zeros(50, int), np.zeros((50, len(CITIES)), int), np.zeros(50, int)
    stars = np.zeros(50)
    for actions in days:
        trips = rail.visit(trips, actions)
        for trip, action in enumerate(actions):
            nearest = sorted(range(len(CITIES)), key=lambda to: (KM[cities[trip], to], to))
            city = nearest[action]
            ways[trip] += KM[cities[trip], city]
            stars[trip] += rail.stars[city] * [1, 0.5, 0][min(nights[trip, city], 2)]
            nights[trip, city] += 1
            cities[trip] = city
        earned, km = rail.stars_and_km(trips)
        assert trips.city.tolist() == cities.tolist() and earned.tolist() == stars.tolist()
        assert km.tolist() == (ways + KM[cities, 0]).tolist()


def test_trips_grow_to_all_their_continuations_in_the_order_of_the_actions() -> None:
    rail = RailNetwork(choices=3, seed=1)
    starts = rail.visit(rail.at_home(2), np.array([1, 2]))
    grown = rail.grow(starts, 2)
    for number, actions in enumerate(itertools.product(range(3), repeat=2)):
        by_day = starts
        for action in actions:
            by_day = rail.visit(by_day, action)
        for start in range(2):
            assert rail.enjoyment(grown)[9 * start + number] == rail.enjoyment(by_day)[start]
            assert grown.city[9 * start + number] == by_day.city[start]


def test_enjoyment_is_stars_minus_the_square_of_a_thousand_kilometers_way_home_included() -> None:
    rail = RailNetwork(choices=5, seed=2)
    trips = rail.grow(rail.at_home(1), 3)
    stars, km = rail.stars_and_km(trips)
    assert np.allclose(rail.enjoyment(trips), stars - (km / 1000) ** 2, rtol=0, atol=1e-12)
    for city, way, total in zip(trips.city, trips.km, km, strict=True):
        assert total == way + KM[city, 0]


def test_there_are_no_more_choices_than_cities() -> None:
    with pytest.raises(ValueError, match=f"at most {len(CITIES)}, .* but 25 came"):
        RailNetwork(25, 0)
