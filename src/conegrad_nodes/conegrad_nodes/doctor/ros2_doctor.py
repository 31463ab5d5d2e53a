"""Offers the examination of the installation to ``ros2 doctor`` by its entry points."""

from typing import Any

from ros2doctor.api import DoctorCheck, DoctorReport, Report, Result
from ros2doctor.api.format import doctor_error, doctor_warn

from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor.examination import examine_installation


class ConeGradCheck(DoctorCheck):
    """Findings of ``conegrad doctor`` as warnings and errors."""

    def category(self) -> str:
        """Name of this check in the output."""
        return "conegrad"

    def check(self) -> Any:
        """Examine the installation."""
        result = Result()
        for finding in examine_installation():
            text = f"{finding.area}: {finding.text}; {finding.remedy}"
            if finding.level >= Level.ERROR:
                doctor_error(text)
                result.add_error()
            elif finding.level == Level.WARN:
                doctor_warn(text)
                result.add_warning()
        return result


class ConeGradReport(DoctorReport):
    """All findings, with what is in order."""

    def category(self) -> str:
        """Name of this report in the output."""
        return "conegrad"

    def report(self) -> Any:
        """Examine the installation."""
        report = Report("CONEGRAD")
        for finding in examine_installation():
            report.add_to_report(finding.area, f"{finding.level.name} {finding.text}")
        return report
