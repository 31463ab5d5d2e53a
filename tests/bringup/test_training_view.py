"""A training as its live view shows it."""

from conegrad_bringup.training_view import training_view, viewed_steps
from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_nodes.view_server.settings import ViewConfig
from conegrad_training.engine.loop import StepReport


def report(step):
    losses, norms = {"position": 1.0 / (1 + step)}, {"detector": 0.25}
    return StepReport(step, losses, norms, frozenset({"fuser", "detector"}), 0.1)


def test_each_step_shows_losses_and_what_is_left():
    feed = ViewFeed("training")
    steps = viewed_steps(feed, "integral", iter([report(3), report(4)]), 3, 10)
    assert next(steps) == report(3)
    assert feed.curves == {}  # a step counts when it was dealt with
    assert next(steps) == report(4)
    assert feed.activity == "step 4 of 10"
    assert feed.figures["step"] == "4 of 10"
    assert feed.figures["pattern"] == "integral"
    assert feed.figures["learning"] == "detector, fuser"
    assert feed.figures["length of the gradients"] == "detector 0.25"
    assert feed.figures["left"].endswith(" min")
    assert list(steps) == []
    assert feed.curves["position"] == [(3, 0.25), (4, 0.2)]
    assert feed.activity == "trained; measuring the system"


def test_nothing_is_served_unless_it_is_asked_for(capsys):
    with training_view(ViewConfig(), "training") as feed:
        assert feed is None
    assert capsys.readouterr().out == ""
    with training_view(ViewConfig(view=True, view_port=0, foxglove_port=0), "training") as feed:
        assert feed.title == "training"
    assert "view: http://127.0.0.1:" in capsys.readouterr().out
