"""Whether a bag gives what a run needs: one check for info, perceive and what reads bags.

A check is a function that takes a :class:`Candidate` and yields :class:`BagFinding`. It is listed
in ``CHECKS`` of ``bag_checks.py``, and with that it holds for every way in: ``conegrad info``
prints what it finds, ``conegrad perceive`` (live and ``--direct``) logs it and refuses the bag for
a finding of level ERROR, in the same words. Who knows a new fault of recordings adds a check there
and a bag to the table of ``tests/nodes/playback/test_bag_readiness.py``; no other code refuses a
bag. What depends on one message alone stays with its decoder (``DecodeError``): the check of
decoding reads the first message of every topic that is used, and some later ones.

Levels:
    OK: what was chosen, for people (such as a scan where the bag has a cloud, too).
    WARN: perception goes on, and is worse for it.
    ERROR: perception cannot give what it should: the bag is refused.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.recording.topic_probes import TopicProbe
from conegrad_data.status.part_status import Level

logger = logging.getLogger(__name__)


class BagFinding(NamedTuple):
    """One fact about a bag, and what to do about it.

    Attributes:
        level: as the module says.
        text: names topic, frame or parameter, its value, and what was expected.
        remedy: what helps, empty where nothing does.
    """

    level: Level
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.text}; {self.remedy}" if self.remedy else self.text


@dataclass(frozen=True)
class Candidate:
    """A bag as a run would use it.

    Attributes:
        bag: open for reading.
        roles: topic of each role that would be played, such as ``image`` or ``scan``.
        parameters: of the nodes by full name, as they would run: those of files, those that the
            user chose, and those that the run takes from the bag (``calibration.file``).
        probes: the first and some later messages of each role.
        is_shared: others may publish camera_info and tf_static, too (``--domain``).
    """

    bag: BagReader
    roles: Mapping[str, str]
    parameters: Mapping[str, Any]
    probes: Mapping[str, TopicProbe] = field(default_factory=dict)
    is_shared: bool = False

    def messages(self, role: str) -> Sequence[Any]:
        """Decoded messages of a role among the probes."""
        return self.probes[role].messages if role in self.probes else ()


Check = Callable[[Candidate], Iterator[BagFinding]]


@dataclass(frozen=True)
class BagReadiness:
    """What a run would use of a bag, and what was found about it.

    Attributes:
        roles: topic of each role; empty where the topics are ambiguous.
        parameters: of the nodes, by full name.
        findings: worst first.
    """

    roles: Mapping[str, str]
    parameters: Mapping[str, Any]
    findings: Sequence[BagFinding]

    @property
    def errors(self) -> list[BagFinding]:
        """Why the bag is refused; empty where it is not."""
        return [finding for finding in self.findings if finding.level >= Level.ERROR]

    def enforce(self) -> None:
        """Log the warnings, and refuse the bag if there are errors.

        Raises:
            BagError: with the text of every error.
        """
        for finding in self.findings:
            if finding.level == Level.WARN:
                logger.warning("%s", finding)
        if self.errors:
            raise BagError("\n".join(map(str, self.errors)))


def checked(candidate: Candidate, checks: Sequence[Check]) -> BagReadiness:
    """Run checks on a bag."""
    findings = [finding for check in checks for finding in check(candidate)]
    return readiness(candidate.roles, candidate.parameters, findings)


def readiness(
    roles: Mapping[str, str], parameters: Mapping[str, Any], findings: Sequence[BagFinding]
) -> BagReadiness:
    """Findings of a bag in order, each once."""
    once = dict.fromkeys(findings)
    return BagReadiness(roles, parameters, sorted(once, key=lambda finding: -finding.level))
