"""A Jupyter kernel in a sandbox, driven from outside.

Nothing that comes out is trusted: messages are limited in size, outputs to text and PNG, and
everything in time.
"""

from __future__ import annotations

import base64
import os
import stat
import time
from dataclasses import dataclass, field

import zmq
from jupyter_client import BlockingKernelClient
from nbformat import NotebookNode
from nbformat.v4 import new_output

from coursework.sandbox.box import Box, Limits
from coursework.words import counted

LARGEST_MESSAGE = 4_000_000  # bytes
MESSAGES_IN_LINE = 50  # in our memory at once
LARGEST_TEXT = 100_000  # characters that a cell may print
LARGEST_FIGURES = 4_000_000  # characters of PNG
LONGEST_LINE = 2000  # characters in an error
MOST_OUTPUTS = 100
STARTS_WITHIN = 120  # seconds
ANSWERS_WITHIN = 10  # seconds, once it has started
STOPS_WITHIN = 3  # seconds after an interrupt
PATIENCE = 5  # a cell that sleeps, or a machine that is busy, gets so many times the CPU seconds


class Client(BlockingKernelClient):
    """A client that takes no message of any size, and follows no link out of the sandbox."""

    def __init__(self) -> None:
        super().__init__()
        self._files: list[int] = []  # the sockets it has connected to, for as long as it lives

    def close(self) -> None:
        """Close everything; `stop_channels` would open what was never used first."""
        self.context.destroy(linger=0)
        while self._files:
            os.close(self._files.pop())

    def listened_to(self) -> bool:
        """Whether the kernel has made its sockets."""
        return all(os.path.lexists(self._path(name)) for name in ("shell", "iopub", "control"))

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> zmq.Socket:
        kind = {"iopub": zmq.SUB}.get(channel, zmq.DEALER)
        socket = self.context.socket(kind)
        socket.linger = 0
        socket.maxmsgsize, socket.rcvhwm = LARGEST_MESSAGE, MESSAGES_IN_LINE
        if identity:
            socket.identity = identity
        self.connect(socket, channel)
        return socket

    def connect(self, socket: zmq.Socket, channel: str) -> None:
        """Connect to the kernel's socket, to the very file that is there now.

        Raises
        ------
        OSError
            What is there is no socket: a student's code can put a link in its place.
        """
        if not hasattr(os, "O_PATH"):  # no Linux, so no sandbox either: UNSAFE=1
            socket.connect(self._make_url(channel))
            return
        file = os.open(self._path(channel), os.O_PATH | os.O_NOFOLLOW)
        self._files.append(file)
        if not stat.S_ISSOCK(os.fstat(file).st_mode):
            raise OSError(f"the kernel's {channel} is no socket")
        socket.connect(f"ipc:///proc/self/fd/{file}")

    def _path(self, channel: str) -> str:
        return self._make_url(channel).removeprefix("ipc://")


@dataclass
class Run:
    """What came of running a cell.

    Attributes
    ----------
    outputs : as a notebook keeps them
    expressions : for each expression asked for, its value's repr, where it has one
    stopped : None, or a sentence that says what ended the cell, and maybe the sandbox
    """

    outputs: list[NotebookNode] = field(default_factory=list)
    expressions: dict[str, str] = field(default_factory=dict)
    stopped: str | None = None


class Kernel:
    """A kernel in a sandbox of its own."""

    def __init__(self, limits: Limits, until: float, unsafe: bool = False) -> None:
        """Start it; at `until` on the monotonic clock its last cell is stopped."""
        self._until = until
        self.box = Box(limits, unsafe)
        self.client = Client()
        self.client.load_connection_info(self.box.connection)
        deadline = time.monotonic() + STARTS_WITHIN
        while not self.client.listened_to():
            self._check_that_it_comes(deadline)
            time.sleep(0.02)
        self.client.start_channels(stdin=False, hb=False)
        self._wait_until_ready(deadline)

    @property
    def running(self) -> bool:
        """Whether it can run a cell."""
        return self.box.running

    def end(self) -> None:
        """End it, and everything that it started."""
        self.client.close()
        self.box.end()

    def run(self, source: str, seconds: float, expressions: dict[str, str] | None = None) -> Run:
        """Run a cell, or, where there are expressions, evaluate them without a trace."""
        run, printed = Run(), Printed()
        sent = self.client.execute(
            source,
            silent=expressions is not None,
            store_history=expressions is None,
            user_expressions=expressions or {},
            allow_stdin=False,
            stop_on_error=False,
        )
        deadline = min(time.monotonic() + PATIENCE * seconds, self._until)
        replied, idle, interrupted = None, False, 0
        cpu = self.box.cpu_seconds + seconds
        while replied is None or not idle:
            now = time.monotonic()
            if replied is not None and now > replied + 1:
                printed.cut = True
                run.stopped = self._connect_again()
                break
            if not self.running:
                run.stopped = f"The sandbox ended: {self.box.ended_by or 'the process exited'}."
                break
            if interrupted and replied is None and now > interrupted + STOPS_WITHIN:
                time_ = counted(STOPS_WITHIN, "second")
                self.box.end(f"it ran on for {time_} after it was interrupted")
            elif (
                not interrupted
                and replied is None
                and (now > deadline or self.box.cpu_seconds > cpu)
            ):
                run.stopped = f"Stopped: it took more than {counted(round(seconds, 2), 'second')}."
                interrupted = now
                self.client.control_channel.send(self.client.session.msg("interrupt_request", {}))
            for channel, message in self._messages():
                if message["parent_header"].get("msg_id") != sent:
                    continue
                if channel == "shell":
                    replied = now
                    run.expressions = _texts(message["content"].get("user_expressions"))
                elif message["content"].get("execution_state") == "idle":
                    idle = True
                else:
                    printed.add(message["msg_type"], message["content"])
        run.outputs = printed.outputs()
        return run

    def _messages(self) -> list[tuple[str, dict]]:
        """What has arrived on either channel, waiting a moment for it."""
        channels = {
            self.client.shell_channel.socket: "shell",
            self.client.iopub_channel.socket: "iopub",
        }
        poller = zmq.Poller()
        for socket in channels:
            poller.register(socket, zmq.POLLIN)
        found = []
        for socket, _ in poller.poll(50):
            try:
                message = self.client.session.recv(socket, mode=zmq.NOBLOCK)[1]
                message["parent_header"].get, message["content"].get  # noqa: B018
            except Exception:  # no kernel sends this; the student's code does
                self.box.end("it sent what no kernel sends")
                return []
            found.append((channels[socket], message))
        return found

    def _connect_again(self) -> str | None:
        """Listen again: a message that was too large ended the connection; or say why not."""
        socket = self.client.iopub_channel.socket
        socket.disconnect(socket.last_endpoint)
        try:
            self.client.connect(socket, "iopub")
            self._wait_until_ready(time.monotonic() + ANSWERS_WITHIN)
        except (OSError, RuntimeError):
            self.end()
            return "The sandbox ended: its kernel was out of reach after an output too long."
        return None

    def _wait_until_ready(self, deadline: float) -> None:
        answered = set()
        while answered != {"shell", "iopub"}:
            self._check_that_it_comes(deadline)
            self.client.kernel_info()
            answered |= {channel for channel, _ in self._messages()}

    def _check_that_it_comes(self, deadline: float) -> None:
        if not self.running or time.monotonic() > deadline:
            reason = self.box.ended_by or ("it was silent" if self.running else "it exited")
            self.end()
            raise RuntimeError(f"the kernel in the sandbox gave no answer: {reason}")


class Printed:
    """The outputs of a cell, as far as they are text or PNG, and not too long."""

    def __init__(self) -> None:
        self._outputs: list[NotebookNode] = []
        self._text, self._figures = LARGEST_TEXT, LARGEST_FIGURES
        self.cut = False

    def add(self, kind: str, content: dict) -> None:
        """Take in a message; what is no output is ignored."""
        if len(self._outputs) > MOST_OUTPUTS:
            self.cut = True
            return
        if kind == "clear_output":
            self._outputs.clear()
        elif kind == "stream":
            text = self._some(content.get("text"))
            name = "stderr" if content.get("name") == "stderr" else "stdout"
            last = self._outputs[-1] if self._outputs else None
            if last is not None and last.get("name") == name:
                last.text += text
            elif text:
                self._outputs.append(new_output("stream", name=name, text=text))
        elif kind in ("execute_result", "display_data"):
            self._add_data(content.get("data"))
        elif kind == "error":
            lines = content.get("traceback")
            lines = [_start(line) for line in lines[:100]] if isinstance(lines, list) else []
            name, value = _start(content.get("ename")), _start(content.get("evalue"))
            self._outputs.append(new_output("error", ename=name, evalue=value, traceback=lines))

    def outputs(self) -> list[NotebookNode]:
        """What was taken in, and a word where that is not all."""
        if not self.cut:
            return self._outputs
        return [*self._outputs, dropped()]

    def _add_data(self, data: object) -> None:
        data = data if isinstance(data, dict) else {}
        kept, figure = {}, data.get("image/png")
        if is_base64(figure):
            self._figures -= len(figure)
            self.cut = self.cut or self._figures < 0
            kept |= {"image/png": figure} if self._figures >= 0 else {}
        if "text/plain" in data:
            kept["text/plain"] = self._some(data["text/plain"])
        if kept:
            self._outputs.append(new_output("display_data", data=kept))

    def _some(self, text: object) -> str:
        """As much of a text as there is still room for."""
        text = text if isinstance(text, str) else ""
        self.cut = self.cut or len(text) > self._text
        some = text[: self._text]
        self._text -= len(some)
        return some


def dropped() -> NotebookNode:
    """The output that says that there was more."""
    note = "\n... the rest of this output was dropped: it is too long."
    return new_output("stream", name="stdout", text=note)


def _start(text: object) -> str:
    """The start of a line of an error."""
    return text[:LONGEST_LINE] if isinstance(text, str) else ""


def is_base64(text: object) -> bool:
    """Whether it is a text that holds bytes, such as a picture's, on one line or on many."""
    if not isinstance(text, str):
        return False
    try:
        return bool(base64.b64decode("".join(text.splitlines()), validate=True))
    except ValueError:
        return False


def _texts(expressions: object) -> dict[str, str]:
    """The reprs of the expressions that could be evaluated."""
    texts = {}
    for name, result in (expressions if isinstance(expressions, dict) else {}).items():
        text = result.get("data", {}).get("text/plain") if isinstance(result, dict) else None
        if isinstance(text, str):
            texts[name] = text
    return texts
