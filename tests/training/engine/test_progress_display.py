"""Progress: a bar on a terminal, a line now and then in a file."""

import io

import pytest

from conegrad_training.engine import progress_display
from conegrad_training.engine.progress_display import ProgressDisplay, shown, written_losses


class Clock:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_display, "time", Clock())


def test_a_log_file_gets_a_line_now_and_then_and_one_at_the_end(capsys: pytest.CaptureFixture[str]):
    steps = ({"colour": 1.0 / (n + 1)} for n in range(100))
    losses = list(shown(steps, 120, "training", done=20, unit="step", note=written_losses))
    assert len(losses) == 100
    written = capsys.readouterr().err
    lines = written.splitlines()
    assert 3 <= len(lines) <= 5  # 100 s, one every 30 s, and the last
    assert lines[0].startswith("training: 50 of 120 step, 1:12 min left, colour=0.03")
    assert lines[-1] == "training: 120 of 120 step"
    assert "\r" not in written


def test_a_short_task_leaves_nothing_in_a_log_file(capsys: pytest.CaptureFixture[str]):
    assert list(shown(range(20), 20, "metrics")) == list(range(20))
    assert capsys.readouterr().err == ""


def test_what_ends_early_is_closed(capsys: pytest.CaptureFixture[str]):
    items = shown(range(100), 100, "frames")
    for _ in range(50):
        next(items)
    items.close()
    assert capsys.readouterr().err.splitlines()[-1] == "frames: 49 of 100, 0:53 min left"


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stderr", Terminal())
    display = ProgressDisplay("drive", 100, unit="%", file=(terminal := Terminal()))
    display.advance(50, "0.50 s per s")
    display.close()
    assert display.done == 50
    assert "50%" in terminal.getvalue()
