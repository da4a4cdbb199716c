"""Key-to-Door: what was done in the first room pays in the last one, where nothing shows it."""

import numpy as np

from seqdec_lib.problems.tabular_problem import TabularProblem
from seqdec_lib.validation import whole_number

MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))
ROOM_NAMES = ("key room", "empty room", "door room")


class KeyToDoor(TabularProblem):
    """Take a key, cross an empty room, and find that the door opens; or that it doesn't.

    Description
        Three rooms of `height` x `width` cells. You spend `steps` moves in the first, where a key
        lies, `empty_steps` in the second, which is empty, and at most `steps` in the third, where
        there is a door. Each room is entered at cell (0, 0); key and door are both at `target`.
        Stepping on the key takes it. The door opens only to who has it.
    Action space
        0: up, 1: right, 2: down, 3: left; walls keep you where you are.
    Observation space
        The room, the cell, and in the first room whether the key still lies there: 4 * cells
        numbers, see `observation`. Later nothing shows whether you have the key, unless `show_key`:
        then each room has two numbers a cell, 6 * cells in all. The clock is never seen.
    Rewards
        1 for reaching the door with the key, otherwise 0.
    End of the episode
        At the door, with the key or without it, or when the time in the third room is over.

    The state, which the exact model works on, is (time, cell, whether you have the key).

    height, width : int; cells of a room.
    target : (int, int); row and column of the key in its room and of the door in its own, not (0,
        0).
    steps : int; moves in the first room, and in the last.
    empty_steps : int; moves in the room between; 0 leaves it out.
    show_key : bool; whether you see at all times that you have the key.

    Source: Chen et al., *Decision Transformer* (2021), section 5.4, after Mesnard et al.,
    *Counterfactual Credit Assignment in Model-Free Reinforcement Learning* (2021). Their rooms were
    not released; these have a size at which random play succeeds as often as the paper says.

    Raises ValueError: sizes below 1, a target outside the room or at its entrance."""

    def __init__(
        self,
        height: int = 3,
        width: int = 4,
        target: tuple[int, int] = (1, 2),
        steps: int = 6,
        empty_steps: int = 6,
        show_key: bool = False,
        discount: float = 1.0,
    ) -> None:
        self.height, self.width = whole_number("height", height, 1), whole_number("width", width, 1)
        self.steps = whole_number("steps", steps, least=1)
        self.empty_steps = whole_number("empty_steps", empty_steps, least=0)
        self.show_key, self.cells = bool(show_key), self.height * self.width
        row, column = (int(i) for i in target)
        if not (0 <= row < self.height and 0 <= column < self.width) or (row, column) == (0, 0):
            raise ValueError(
                f"target must be a cell of the {self.height} x {self.width} room other than its "
                f"entrance (0, 0), but {tuple(target)} came."
            )
        self.target = row * self.width + column
        super().__init__(*self._table(), discount, horizon=2 * self.steps + self.empty_steps)
        self.reward_range = (0.0, 1.0)

    @property
    def n_observations(self) -> int:
        return (6 if self.show_key else 4) * self.cells

    def state(self, time: int | np.ndarray, cell: int | np.ndarray, has_key: bool | np.ndarray):
        """The number of a state: 2 * (cells * time + cell) + has_key."""
        return 2 * (self.cells * time + cell) + has_key

    def unpack(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Time, room (0, 1, 2), cell and whether the key was taken, for states (N,)."""
        states = np.asarray(states)
        time, cell = np.divmod(states // 2, self.cells)
        room = (time >= self.steps).astype(np.int64) + (time >= self.steps + self.empty_steps)
        return time, room, cell, states % 2 == 1

    def observe(self, states: np.ndarray) -> np.ndarray:
        return self._observation_of[states]

    def observation(
        self, room: int | np.ndarray, cell: int | np.ndarray, has_key: bool | np.ndarray = False
    ) -> np.ndarray:
        """The number of what is seen.

        In the first room the cell, plus `cells` if the key was taken; then (2 + room - 1) * cells +
        cell, the same with the key and without. With `show_key`, (2 * room + has_key) * cells +
        cell in all rooms."""
        room, has_key = np.asarray(room), np.asarray(has_key, dtype=np.int64)
        shown = 2 * room + has_key
        hidden = np.where(room == 0, has_key, room + 1)
        return cell + self.cells * (shown if self.show_key else hidden)

    def unpack_observation(
        self, observations: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Room, cell, and whether one sees that the key was taken, for observations of any shape.

        The inverse of `observation`; has_key is False where it can't be seen."""
        block, cell = np.divmod(np.asarray(observations), self.cells)
        if self.show_key:
            return block // 2, cell, block % 2 == 1
        return np.maximum(block - 1, 0), cell, block == 1

    def took_key(self, observations: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Which steps took the key: observations (N, T + 1) or (N, T), actions (N, T) -> (N, T).

        The key is taken by the step from a cell where it still lies onto its own."""
        room, cell, had_key = self.unpack_observation(observations[:, : np.shape(actions)[1]])
        return (room == 0) & ~had_key & (self._arrival[cell, actions] == self.target)

    def describe(self, state: int) -> str:
        time, room, cell, has_key = (int(part) for part in self.unpack(np.array(state)))
        row, column = divmod(cell, self.width)
        with_it = "with the key" if has_key else "without the key"
        return f"step {time}, {ROOM_NAMES[room]}, row {row}, column {column}, {with_it}"

    @property
    def _arrival(self) -> np.ndarray:
        """Where each move leads within a room, walls included: (cells, 4)."""
        row, column = np.divmod(np.arange(self.cells), self.width)
        rows = [np.clip(row + down, 0, self.height - 1) for down, _ in MOVES]
        columns = [np.clip(column + right, 0, self.width - 1) for _, right in MOVES]
        return np.stack(rows, axis=1) * self.width + np.stack(columns, axis=1)

    def _table(self) -> tuple[np.ndarray, ...]:
        """One certain outcome for each state and action, and where episodes start and are over."""
        end = 2 * self.steps + self.empty_steps
        states = np.arange(2 * self.cells * (end + 1))
        time, room, cell, has_key = self.unpack(states)
        self._observation_of = self.observation(room, cell, has_key)
        terminal = (time == end) | ((room == 2) & (cell == self.target))
        arrived = self._arrival[cell]  # (S, 4)
        hit, later = arrived == self.target, np.minimum(time + 1, end)[:, None]
        has_key = has_key[:, None]
        rewards = (hit & has_key & (room == 2)[:, None]).astype(float)
        key_after = has_key | (hit & (room == 0)[:, None])
        entering = np.isin(later, [self.steps, self.steps + self.empty_steps])
        after = self.state(later, np.where(entering, 0, arrived), key_after)
        start = np.zeros(len(states))
        start[self.state(0, 0, 0)] = 1
        return np.ones((*after.shape, 1)), after[:, :, None], rewards[:, :, None], terminal, start
