import pytest
import torch
from torch import nn

from conegrad_training.remote.gradient_exchange import (
    ExchangeConfig,
    GradientExchange,
    GradientRefusedError,
)


class Model:
    """y = w x with w = 2, learned by plain descent with a rate of 0.5."""

    def __init__(self, **settings):
        self.layer = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.layer.weight, 2.0)
        optimizer = torch.optim.SGD(self.layer.parameters(), lr=0.5)
        self.exchange = GradientExchange(
            self.layer, optimizer, ExchangeConfig(**settings), max_grad_norm=100.0
        )

    @property
    def weight(self):
        return self.layer.weight.item()

    def forward(self, stamp, value, now=0.0):
        self.exchange.remember(stamp, {"y": (self.layer(torch.tensor([[value]])),)}, now)

    def apply(self, stamp, gradient, step=0, parts=1, now=0.0):
        gradients = [torch.tensor(gradient)]
        return self.exchange.apply(stamp, "y", gradients, step=step, parts=parts, now=now)


def test_a_gradient_goes_back_through_the_graph_of_its_stamp():
    model = Model()
    model.forward(1, 3.0)
    model.forward(2, 5.0)
    assert model.apply(1, [1.0])
    assert model.weight == 2.0 - 0.5 * 3.0  # and not 5.0, the latest


def test_the_step_comes_after_the_last_gradient_of_the_step():
    model = Model()
    model.forward(1, 3.0)
    model.forward(2, 5.0)
    assert not model.apply(2, [0.5], parts=2)
    assert model.weight == 2.0
    assert model.apply(1, [0.5], parts=2)
    assert model.weight == 2.0 - 0.5 * (0.5 * 3.0 + 0.5 * 5.0)


def test_the_gradient_of_a_step_is_clipped():
    model = Model()
    model.forward(1, 3.0)
    model.apply(1, [1000.0])
    assert model.weight == pytest.approx(2.0 - 0.5 * 100.0)


def test_a_graph_of_former_weights_is_stale():
    model = Model()
    model.forward(1, 3.0)
    model.forward(2, 5.0)
    model.apply(1, [1.0])
    with pytest.raises(GradientRefusedError, match="stamp 2 ns has no graph"):
        model.apply(2, [1.0], step=1)
    assert model.weight == 0.5


def test_a_gradient_that_comes_twice_is_used_once():
    model = Model()
    model.forward(1, 3.0)
    assert model.apply(1, [1.0])
    assert model.apply(1, [1.0])
    assert model.weight == 0.5


def test_the_oldest_graph_gives_way():
    model = Model(graphs=2)
    for stamp in (1, 2, 3):
        model.forward(stamp, 3.0)
    assert len(model.exchange) == 2
    with pytest.raises(GradientRefusedError, match="stamp 1 ns"):
        model.apply(1, [1.0])
    assert model.apply(2, [1.0])


def test_a_graph_without_gradient_is_dropped_after_the_time_out():
    model = Model(timeout=10.0)
    model.forward(1, 3.0, now=0.0)
    model.forward(2, 5.0, now=5.0)
    assert model.exchange.expire(9.0) == 0
    assert model.exchange.expire(11.0) == 1
    assert len(model.exchange) == 1


def test_a_step_of_which_gradients_were_lost_is_dropped_by_the_next():
    model = Model()
    model.forward(1, 3.0)
    model.apply(1, [1.0], step=0, parts=2)
    model.forward(2, 5.0)
    assert model.apply(2, [1.0], step=1, parts=1)
    assert model.weight == 2.0 - 0.5 * 5.0


def test_a_step_of_which_gradients_were_lost_is_dropped_after_the_time_out():
    model = Model(timeout=10.0)
    model.forward(1, 3.0)
    model.apply(1, [1.0], parts=2)
    model.exchange.expire(11.0)
    assert model.layer.weight.grad is None


@pytest.mark.parametrize(
    ("gradient", "reason"),
    [
        pytest.param([1.0, 1.0], r"has \[2\] values, expected \[1\]", id="of another size"),
        pytest.param([float("nan")], "is not finite", id="not finite"),
    ],
)
def test_a_gradient_that_cannot_be_is_refused_and_nothing_changes(gradient, reason):
    model = Model()
    model.forward(1, 3.0)
    with pytest.raises(GradientRefusedError, match=reason):
        model.apply(1, gradient)
    assert model.weight == 2.0


def test_outputs_without_a_graph_have_nothing_to_learn():
    model = Model()
    model.exchange.remember(1, {"y": (torch.zeros(0, 4),)}, 0.0)
    assert model.exchange.apply(1, "y", [torch.zeros(0)], step=0, parts=1, now=0.0)
    assert model.weight == 2.0


def test_gradients_of_two_ports_of_one_graph_add_up():
    model = Model()
    shared = model.layer(torch.tensor([[3.0]]))
    model.exchange.remember(1, {"y": (shared,), "z": (2 * shared,)}, 0.0)
    settings = {"step": 0, "parts": 2, "now": 0.0}
    assert not model.exchange.apply(1, "z", [torch.tensor([1.0])], **settings)
    assert not model.exchange.apply(1, "z", [torch.tensor([1.0])], **settings)  # sent again
    assert model.exchange.apply(1, "y", [torch.tensor([1.0])], **settings)
    assert model.weight == 2.0 - 0.5 * (2 * 3.0 + 3.0)
    assert len(model.exchange) == 0


def test_a_gradient_of_a_port_that_was_not_written_is_refused():
    model = Model()
    model.forward(1, 3.0)
    with pytest.raises(GradientRefusedError, match="stamp 1 ns has no graph of z"):
        model.exchange.apply(1, "z", [torch.tensor([1.0])], step=0, parts=1, now=0.0)
