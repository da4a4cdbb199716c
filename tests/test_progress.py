"""Who sees a bar: a person in a notebook or a terminal, and no program that runs a notebook."""

from collections.abc import Iterator

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from seqdec_lib import progress

QUICK = "progress.PATIENCE = progress.STEP = 0.02; progress.show_cell_bars()"
STATED = {"seqdec": {"seconds": 0.1}}


@pytest.fixture(scope="module")
def kernel() -> Iterator[BlockingKernelClient]:
    """A kernel whose cells have bars, as after a chapter's first cell, and quick ones."""
    manager, client = start_new_kernel(kernel_name="python3")
    assert run(client, "import time; from seqdec_lib import progress") == []
    run(client, QUICK)
    run(client, QUICK)  # whoever runs the first cell again still has one bar a cell
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(
    client: BlockingKernelClient, code: str, watched: bool = True, metadata: dict | None = None
) -> list[dict]:
    """Run a cell as a front end does; return what it showed, each with its message's type."""
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": watched}
    message = client.session.msg("execute_request", content, metadata=metadata or {})
    client.shell_channel.send(message)
    seen = []
    while True:
        answer = client.get_iopub_msg(timeout=60)
        if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue  # the end of what came before
        if answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
            return seen
        if answer["msg_type"] not in ("status", "execute_input"):
            seen.append({"type": answer["msg_type"], **answer["content"]})


def texts(seen: list[dict]) -> list[str]:
    """What the pictures of the bar said, one after the other; the empty one is left out."""
    return [shown["data"]["text/plain"] for shown in seen if shown.get("data")]


def test_a_cell_that_takes_a_while_has_one_bar_until_it_is_done(
    kernel: BlockingKernelClient,
) -> None:
    seen = run(kernel, "print('a'); time.sleep(0.3); print('b')")
    shown = [message for message in seen if message["type"] != "stream"]
    assert len(shown) > 4 and len({message["transient"]["display_id"] for message in shown}) == 1
    assert [message["type"] for message in shown[:2]] == ["display_data", "update_display_data"]
    assert {message["type"] for message in shown[1:]} == {"update_display_data"}
    assert shown[-1]["data"] == {}, "the last picture is none"
    assert "<progress" in shown[0]["data"]["text/html"]
    assert "".join(message["text"] for message in seen if message["type"] == "stream") == "a\nb\n"


def test_a_short_cell_has_no_bar(kernel: BlockingKernelClient) -> None:
    assert run(kernel, "1 + 1;") == []


def test_where_nobody_watches_nothing_is_shown(kernel: BlockingKernelClient) -> None:
    code = "with progress.progress_bar('fit', 9): time.sleep(0.2)"
    assert run(kernel, code, watched=False, metadata=STATED) == []


def test_a_stated_time_fills_the_bar_and_no_more(kernel: BlockingKernelClient) -> None:
    seen = run(kernel, "time.sleep(1)", metadata={"seqdec": {"seconds": 0.5}})
    shares = [
        float(message["data"]["text/html"].split('value="')[1].split('"')[0])
        for message in seen
        if message["data"]
    ]
    assert shares == sorted(shares) and shares[0] < 1.0 and shares[-1] == 1.0


@pytest.mark.parametrize("seconds", [None, "long", -1, 0, True, [], {"a": 1}])
def test_an_unusable_time_is_as_good_as_none(kernel: BlockingKernelClient, seconds: object) -> None:
    seen = run(kernel, "time.sleep(0.1)", metadata={"seqdec": {"seconds": seconds}})
    assert texts(seen) and "of" not in texts(seen)[0]
    assert run(kernel, "", metadata={"seqdec": seconds}) == []


def test_the_bar_shows_what_is_counted(kernel: BlockingKernelClient) -> None:
    code = "with progress.progress_bar('fit <2>', 2_000) as bar: bar.update(500); time.sleep(0.1)"
    seen = run(kernel, code)
    assert texts(seen)[0].startswith("fit <2>: 500 of 2,000, ")
    assert 'value="0.250"' in seen[0]["data"]["text/html"]
    assert "fit &lt;2&gt;" in seen[0]["data"]["text/html"]


@pytest.mark.parametrize("end", ["1 / 0", "raise KeyboardInterrupt"])
def test_the_bar_of_a_cell_that_fails_goes_away(kernel: BlockingKernelClient, end: str) -> None:
    code = f"with progress.progress_bar('fit', 9):\n    time.sleep(0.1)\n    {end}"
    seen = run(kernel, code)
    assert [message["type"] for message in seen].count("error") == 1
    assert [message["data"] for message in seen if "data" in message][-1] == {}
    assert "fit" not in texts(run(kernel, "time.sleep(0.1)"))[0], "it is not counted any longer"


def test_a_cell_that_captures_its_output_captures_no_bar(kernel: BlockingKernelClient) -> None:
    assert texts(run(kernel, "%%capture kept\ntime.sleep(0.1); print('kept')"))
    seen = run(kernel, "print(len(kept.outputs), kept.stdout)")
    assert seen[0]["text"] == "0 kept\n\n"


def test_counting_in_a_terminal_draws_a_bar_there_only(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for is_terminal in (False, True):
        monkeypatch.setattr("sys.stderr.isatty", lambda answer=is_terminal: answer)
        with progress.progress_bar("counting", 3, done=1) as bar:
            bar.update()
        assert ("counting" in capsys.readouterr().err) is is_terminal
