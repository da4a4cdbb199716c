"""Bins: continuous observations and actions become whole numbers, one a dimension, and back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete, Space

from seqdec_lib.validation import whole_number

Dimension = tuple[float, float, int | None]  # lowest, highest, and how many if they are whole


@dataclass(frozen=True, eq=False)
class Bins:
    """The bins of a Gymnasium space, dimension by dimension.

    edges : for each dimension its edges, rising, the outermost included; what lies outside counts
        to the outermost bin.
    centers : for each dimension what its bins stand for."""

    space: Space
    edges: tuple[np.ndarray, ...]
    centers: tuple[np.ndarray, ...]

    @classmethod
    def of(
        cls,
        space: Space,
        bins: int = 32,
        data: Any = None,
        edges: Sequence[np.ndarray] | None = None,
    ) -> "Bins":
        """Bins for a `Box`, `Discrete`, `MultiDiscrete`, or a `Dict` of these.

        Whole numbers keep a bin each. A continuous dimension gets `bins` of the same width between
        its bounds; with `data`, values of the space, bins that hold equally many of them
        (quantiles); with `edges`, an array for each dimension of the space, those. A bin stands
        for the mean of the data in it, and for its middle where there are none.

        Raises ValueError: another kind of space; a dimension without bounds and neither data nor
            edges; values that are NaN or of another shape; edges that don't rise."""
        bins, dimensions = whole_number("bins", bins, least=1), list(_dimensions(space))
        if edges is not None and len(edges) != len(dimensions):
            raise ValueError(
                f"edges must be {len(dimensions)} arrays, one a dimension, but {len(edges)} came."
            )
        values = None if data is None else flat(space, data).reshape(-1, len(dimensions))
        chosen, centers = [], []
        for i, (low, high, count) in enumerate(dimensions):
            if count is not None:
                chosen.append(low - 0.5 + np.arange(count + 1))
            elif edges is not None:
                chosen.append(np.asarray(edges[i], dtype=float))
            elif values is not None:
                chosen.append(np.unique(np.quantile(values[:, i], np.linspace(0, 1, bins + 1))))
            elif np.isfinite([low, high]).all():
                chosen.append(np.linspace(low, high, bins + 1))
            else:
                raise ValueError(
                    f"dimension {i} of {space} has no bounds, so bins need edges: pass edges=..., "
                    "or data=... for quantiles."
                )
            if (
                np.ndim(chosen[-1]) != 1
                or len(chosen[-1]) < 2
                or not (np.diff(chosen[-1]) > 0).all()
            ):
                raise ValueError(
                    f"the edges of dimension {i} must rise and be at least two, but "
                    f"{chosen[-1]} came; a dimension that never changes can be left out."
                )
            continuous = values is not None and count is None
            centers.append(_centers(chosen[-1], values[:, i] if continuous else np.empty(0)))
        return cls(space, tuple(chosen), tuple(centers))

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many bins each dimension has."""
        return tuple(len(centers) for centers in self.centers)

    def encode(self, values: Any) -> np.ndarray:
        """Values of the space, any number of them -> the numbers of their bins (..., D).

        Raises ValueError: values that are NaN or have another shape than the space's."""
        seen = flat(self.space, values)
        columns = [number_of(seen[..., i], edges) for i, edges in enumerate(self.edges)]
        return np.stack(columns, axis=-1)

    def decode(self, numbers: np.ndarray) -> Any:
        """What bins (..., D) stand for, as values of the space."""
        columns = [centers[numbers[..., i]] for i, centers in enumerate(self.centers)]
        return shaped(self.space, np.stack(columns, axis=-1))


def flat(space: Space, values: Any) -> np.ndarray:
    """Values of a space, any number of them, as (..., D). Raises ValueError: as `Bins.of`."""
    if isinstance(space, Dict):
        parts = [flat(part, values[key]) for key, part in space.spaces.items()]
        return np.concatenate(parts, axis=-1)
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(
            f"each value of {space} must have the same shape, but ragged ones came; pad them."
        ) from None
    lead = array.shape[: array.ndim - len(space.shape)]
    if array.shape != (*lead, *space.shape):
        raise ValueError(f"values of {space} must end in its shape, but {array.shape} came.")
    if np.isnan(array).any():
        raise ValueError(
            f"{int(np.isnan(array).sum())} of {array.size} numbers are NaN, which have no bin; "
            "drop those episodes, or fill in what was not measured."
        )
    return array.reshape(*lead, -1)


def number_of(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The bins of a dimension that numbers lie in; what lies outside counts to the outermost."""
    return np.searchsorted(edges[1:-1], values, side="right")


def _centers(edges: np.ndarray, data: np.ndarray) -> np.ndarray:
    """The mean of the data (M,) in each bin, and the middle of a bin that holds none."""
    bins, middles = len(edges) - 1, (edges[1:] + edges[:-1]) / 2
    count, total = (np.bincount(number_of(data, edges), w, bins) for w in (None, data))
    return np.where(count > 0, total / np.maximum(count, 1), middles).clip(edges[:-1], edges[1:])


def _dimensions(space: Space) -> Iterator[Dimension]:
    """The dimensions of a space in the order in which `flat` writes them."""
    if isinstance(space, Box):
        pairs = zip(space.low.ravel().tolist(), space.high.ravel().tolist(), strict=True)
        yield from ((low, high, None) for low, high in pairs)
    elif isinstance(space, Discrete):
        yield float(space.start), float(space.start + space.n - 1), int(space.n)
    elif isinstance(space, MultiDiscrete):
        both = zip(space.start.ravel().tolist(), space.nvec.ravel().tolist(), strict=True)
        yield from ((float(start), float(start + n - 1), n) for start, n in both)
    elif isinstance(space, Dict):
        for part in space.spaces.values():
            yield from _dimensions(part)
    else:
        raise ValueError(
            f"{type(space).__name__} has no fixed number of dimensions; use Box, Discrete, "
            "MultiDiscrete, or a Dict of these."
        )


def shaped(space: Space, values: np.ndarray) -> Any:
    """The opposite of `flat`: (..., D) -> values of the space."""
    if not isinstance(space, Dict):
        return values.reshape(*values.shape[:-1], *space.shape).astype(space.dtype)
    parts, first = {}, 0
    for key, part in space.spaces.items():
        size = len(list(_dimensions(part)))
        parts[key], first = shaped(part, values[..., first : first + size]), first + size
    return parts
