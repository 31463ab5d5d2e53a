import pytest

from conegrad_evaluation.gate.budgets import Budgets, read_budgets


def test_a_file_names_what_differs(tmp_path):
    path = tmp_path / "budgets.yaml"
    path.write_text("max_loss_range: 0.02\nreport_only: [class big_orange]\n")
    expected = Budgets(max_loss_range=0.02, report_only=("class big_orange",))
    assert read_budgets(path) == expected


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("max_los_range: 0.1", "budgets.yaml:1: max_los_range .* max_loss_range"),
        ("min_gain: 0.1\nworthwhile_gain: 0.05", "worthwhile_gain .*expected more than min_gain"),
        ("looks: 0", "budgets.yaml:1: looks is 0, expected at least 1"),
    ],
)
def test_refuses_what_is_no_budget(tmp_path, text, fault):
    path = tmp_path / "budgets.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=fault):
        read_budgets(path)
