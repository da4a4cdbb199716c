"""Train trips through Europe as arrays: where they lead, what they earn, how tiring they are.

Everything that a trip is worth is computed from whole numbers in one fixed order, so that it is the
same number on every machine."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

CITIES: dict[str, tuple[float, float]] = {  # latitude and longitude in degrees; the first is home
    "Amsterdam": (52.37, 4.90),
    "Paris": (48.86, 2.35),
    "Berlin": (52.52, 13.40),
    "Prague": (50.08, 14.44),
    "Vienna": (48.21, 16.37),
    "Munich": (48.14, 11.58),
    "Zurich": (47.37, 8.54),
    "Milan": (45.46, 9.19),
    "Lyon": (45.76, 4.84),
    "Barcelona": (41.39, 2.17),
    "Madrid": (40.42, -3.70),
    "Lisbon": (38.72, -9.14),
    "Rome": (41.90, 12.50),
    "Florence": (43.77, 11.26),
    "Venice": (45.44, 12.32),
    "Budapest": (47.50, 19.04),
    "Warsaw": (52.23, 21.01),
    "Krakow": (50.06, 19.94),
    "Copenhagen": (55.68, 12.57),
    "Stockholm": (59.33, 18.07),
    "Oslo": (59.91, 10.75),
    "Bordeaux": (44.84, -0.58),
    "Marseille": (43.30, 5.37),
    "Gdansk": (54.35, 18.65),
}
CITY_NAMES = tuple(CITIES)


def distances_km() -> np.ndarray:
    """Great-circle distances (C, C) in whole km: rounded, so that all sums of them are exact."""
    latitude, longitude = np.radians(np.array(list(CITIES.values()))).T
    half_chord = (
        np.sin((latitude[:, None] - latitude) / 2) ** 2
        + np.cos(latitude[:, None])
        * np.cos(latitude)
        * np.sin((longitude[:, None] - longitude) / 2) ** 2
    )
    return np.rint(2 * 6371 * np.arcsin(np.sqrt(half_chord))).astype(np.int32)


@dataclass(frozen=True)
class Trips:
    """Many unfinished trips, as arrays (N,): all that the enjoyment of a trip depends on.

    city : number of the current city
    km : kilometers traveled so far
    nights : two bits a city, nights spent there, counted up to 2
    half_stars : stars collected so far, in halves"""

    city: np.ndarray
    km: np.ndarray
    nights: np.ndarray
    half_stars: np.ndarray

    def each(self, function: Callable[..., np.ndarray], *others: "Trips") -> "Trips":
        """Apply a function to each array (and to the same arrays of other trips)."""
        return Trips(
            *(
                function(*(getattr(trips, f.name) for trips in (self, *others)))
                for f in fields(Trips)
            )
        )


class RailNetwork:
    """Where the trains go and what the cities are worth: the rules of `TravelTree`.

    choices : int; what one can do in a city: 0 stays, a leads to the a-th nearest other city.
    seed : int; draws the stars of the cities, 1 to 10; home has none.
    Raises ValueError: more choices than there are cities."""

    def __init__(self, choices: int, seed: int) -> None:
        if choices > len(CITIES):
            raise ValueError(
                f"branching must be at most {len(CITIES)}, the number of cities, "
                f"but {choices} came."
            )
        self.choices = choices
        self.stars = np.random.default_rng(seed).integers(1, 11, size=len(CITIES))
        self.stars[0] = 0  # home is no sight
        kilometers = distances_km()
        nearest = np.argsort(kilometers, axis=1, kind="stable")[:, :choices]
        self._city_after = nearest.astype(np.uint8).ravel()  # indexed by city * choices + action
        self._km_of = np.take_along_axis(kilometers, nearest, axis=1).ravel()
        self._km_home = kilometers[:, 0]
        gain = np.stack([2 * self.stars, self.stars, 0 * self.stars], axis=1)
        self._gain = gain.astype(np.int32).ravel()  # indexed by city * 3 + nights spent there

    def at_home(self, count: int) -> Trips:
        """Trips that have not begun."""
        zeros = np.zeros(count, dtype=np.int32)
        return Trips(
            city=zeros.astype(np.uint8), km=zeros, nights=zeros.astype(np.uint64), half_stars=zeros
        )

    def visit(self, trips: Trips, actions: np.ndarray | int) -> Trips:
        """One more day: trips (N,), actions (N,) or one for all."""
        move = trips.city * np.int64(self.choices) + actions
        city = self._city_after[move]
        shift = city.astype(np.uint64) << np.uint64(1)
        nights = (trips.nights >> shift) & np.uint64(3)
        return Trips(
            city=city,
            km=trips.km + self._km_of[move],
            nights=trips.nights + ((nights < 2).astype(np.uint64) << shift),
            half_stars=trips.half_stars + self._gain[city * np.int64(3) + nights.astype(np.int64)],
        )

    def grow(self, trips: Trips, days: int) -> Trips:
        """All continuations, in heap order: (N,) -> (N * choices ** days,)."""
        for _ in range(days):
            actions = np.tile(np.arange(self.choices), len(trips.city))
            trips = self.visit(trips.each(lambda array: np.repeat(array, self.choices)), actions)
        return trips

    def stars_and_km(self, trips: Trips) -> tuple[np.ndarray, np.ndarray]:
        """What the trips have earned in stars and traveled in km, the way home included: (N,)."""
        return trips.half_stars / 2, trips.km + self._km_home[trips.city]

    def enjoyment(self, trips: Trips) -> np.ndarray:
        """What the trips are worth if they end here, in stars: (N,) float."""
        stars, km = self.stars_and_km(trips)
        thousand_km = km / 1000
        return stars - thousand_km * thousand_km
