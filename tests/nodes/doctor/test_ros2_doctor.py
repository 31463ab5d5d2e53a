"""The entry points for ``ros2 doctor``, with a stand-in of its package."""

import importlib
import sys
from types import ModuleType, SimpleNamespace

import pytest

from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor.finding import Finding


@pytest.fixture
def ros2_doctor(monkeypatch):
    said = []
    api, form = ModuleType("ros2doctor.api"), ModuleType("ros2doctor.api.format")
    form.doctor_error = form.doctor_warn = said.append

    class Result:
        error = warning = 0

        def add_error(self):
            self.error += 1

        def add_warning(self):
            self.warning += 1

    class Report:
        def __init__(self, name):
            self.name, self.items = name, []

        def add_to_report(self, name, info):
            self.items.append((name, info))

    api.DoctorCheck, api.DoctorReport, api.Report, api.Result = object, object, Report, Result
    for name, module in (
        ("ros2doctor", ModuleType("ros2doctor")),
        ("ros2doctor.api", api),
        ("ros2doctor.api.format", form),
    ):
        monkeypatch.setitem(sys.modules, name, module)
    name = "conegrad_nodes.doctor.ros2_doctor"
    monkeypatch.delitem(sys.modules, name, raising=False)
    module = importlib.import_module(name)
    findings = [
        Finding("packages", Level.OK, "all there"),
        Finding("disk", Level.WARN, "1 GB free", "make room"),
        Finding("engines", Level.ERROR, "openvino is missing", "install it"),
    ]
    monkeypatch.setattr(module, "examine_installation", lambda: iter(findings))
    yield SimpleNamespace(module=module, said=said)
    sys.modules.pop(name, None)


def test_findings_are_warnings_and_errors_of_the_check(ros2_doctor):
    check = ros2_doctor.module.ConeGradCheck()
    result = check.check()
    assert (check.category(), result.error, result.warning) == ("conegrad", 1, 1)
    assert ros2_doctor.said == [
        "disk: 1 GB free; make room",
        "engines: openvino is missing; install it",
    ]


def test_the_report_has_every_finding(ros2_doctor):
    report = ros2_doctor.module.ConeGradReport().report()
    assert report.items[0] == ("packages", "OK all there")
    assert len(report.items) == 3
