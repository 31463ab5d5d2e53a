"""Finds the topics of a bag by what they are for, whatever namespace they were recorded in."""

from collections.abc import Collection, Mapping, Sequence

from conegrad_core.settings.names import nearest
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.topics.topic_candidates import candidates
from conegrad_data.topics.topic_roles import (
    COMPRESSED_IMAGE,
    IMAGE,
    RESULTS,
    ROLES,
    TopicChoice,
    types_of,
)
from conegrad_data.topics.topic_rules import (
    camera_namespace,
    has_ending,
    namespace_of,
    picture_of,
)

__all__ = [
    "COMPRESSED_IMAGE",
    "IMAGE",
    "ROLES",
    "TopicChoice",
    "choose_topics",
    "find_topic",
    "find_topics",
    "one_lidar",
    "read_topics",
]

NONE = "none"  # given as the name of a topic: the role is left out


def read_topics(words: Sequence[str], option: str) -> dict[str, str]:
    """Topic by role of ``ROLE=TOPIC`` words.

    Raises:
        BagError: if a word has another form, or a role does not exist.
    """
    topics = {}
    for word in words:
        role, equals, name = word.partition("=")
        if not equals:
            raise BagError(f"{option} {word}: expected ROLE=TOPIC")
        if not name.strip("/") or name.strip("/")[0].isdigit():
            raise BagError(f"{option} {word}: expected the name of a topic of the bag")
        _check_role(role, name)
        topics[role] = name
    return topics


def choose_topics(bag: BagReader, given: Mapping[str, str] | None = None) -> TopicChoice:
    """Topic of each role, without a refusal where several fit: that is in ``ambiguities``.

    Topics in a namespace of truth (``/truth/odom``) stand back; a camera_info belongs to the image
    beside it; ``/cones`` of `conegrad perceive` and ``/tf_static`` stand before those in a
    namespace; depth images are passed over.

    Raises:
        BagError: if a name is given to a role that does not exist, or cannot play it.
    """
    given = given or {}
    for role, name in given.items():
        _check_role(role, name)
    choice = TopicChoice({}, {}, {})
    for role in ROLES:  # the image comes before its camera_info
        if given.get(role) == NONE:
            continue
        if role in given:
            choice.roles[role] = _given_topic(bag, role, given[role])
        else:
            _choose(bag, role, choice)
    return choice


def find_topics(
    bag: BagReader,
    given: Mapping[str, str] | None = None,
    needed: Collection[str] = tuple(ROLES),
) -> dict[str, str]:
    """Topic of each role that the bag has.

    Args:
        bag: where to look.
        given: names that the user chose, by role.
        needed: roles for which it matters that several topics fit.

    Raises:
        BagError: as :func:`choose_topics`, or if several fit equally well for a needed role.
    """
    choice = choose_topics(bag, given)
    for role in needed:
        if role in choice.ambiguities:
            raise BagError(choice.ambiguities[role])
    return choice.roles


def find_topic(bag: BagReader, role: str, given: str | None = None) -> str | None:
    """Name of the topic that plays a role, None if the bag has none.

    Raises:
        BagError: as :func:`find_topics`.
    """
    return find_topics(bag, {} if given is None else {role: given}, [role]).get(role)


def one_lidar(choice: TopicChoice, given: Mapping[str, str] | None = None) -> TopicChoice:
    """The choice with scans or clouds: scans where the bag has both, unless clouds are named."""
    given = given or {}
    known = {**choice.roles, **choice.ambiguities}
    if not {"scan", "points"} <= set(known):
        return choice
    dropped = "scan" if "points" in given and "scan" not in given else "points"
    kept = "points" if dropped == "scan" else "scan"
    roles, ambiguities, notes = (
        {role: text for role, text in part.items() if role != dropped} for part in choice
    )
    if dropped not in given and kept not in given:
        notes["scan"] = f"{known[kept]} is used and not the clouds; --topic points=NAME takes those"
    return TopicChoice(roles, ambiguities, notes)


def _choose(bag: BagReader, role: str, choice: TopicChoice) -> None:
    names = candidates(bag, role, choice)
    for group in ROLES[role]:
        found = [
            name
            for ending, msgtype in group
            for name in names
            if bag.topics[name].msgtype == msgtype and has_ending(name, ending)
        ]
        if found:
            found = list(dict.fromkeys(found))
            # One camera may publish its pictures in several forms, each under a usual name.
            is_usual = role == "image" and group[0][0].startswith("image")
            place = camera_namespace if is_usual else picture_of
            if len({place(name) for name in found}) == 1:
                choice.roles[role] = found[0]
            else:
                _take(bag, role, found, choice)
            return


def _take(bag: BagReader, role: str, found: list[str], choice: TopicChoice) -> None:
    """The one without a namespace or beside its kin where that counts, else an ambiguity."""
    at_root = [name for name in found if name == f"/{role}"]
    if at_root and role in (*RESULTS, "tf_static"):
        choice.roles[role] = at_root[0]
        others = ", ".join(name for name in found if name != at_root[0])
        choice.notes[role] = (
            f"{at_root[0]} is used as {role} and not {others}; --topic names another"
        )
        return
    beside = [name for name in found if namespace_of(name) == _results_place(choice)]
    if role in RESULTS and len(beside) == 1:
        choice.roles[role] = beside[0]
        return
    choice.ambiguities[role] = (
        f"{bag.path}: {', '.join(found)} could each be the {role} topic; choose one: "
        f"--topic {role}={found[0]}"
    )


def _results_place(choice: TopicChoice) -> str | None:
    return next((namespace_of(choice.roles[r]) for r in RESULTS if r in choice.roles), None)


def _check_role(role: str, name: str) -> None:
    if role not in ROLES:
        raise BagError(
            f"{role}={name}: no such role, expected one of {', '.join(ROLES)}{nearest(role, ROLES)}"
        )


def _given_topic(bag: BagReader, role: str, given: str) -> str:
    name = given if given.startswith("/") else f"/{given}"
    types = types_of(role)
    if name not in bag.topics and f"{name}/compressed" in bag.topics:
        name = f"{name}/compressed"
    if name not in bag.topics:
        raise BagError(f"{bag.path} has no topic {name}; it holds {', '.join(bag.topics)}")
    if bag.topics[name].msgtype not in types:
        raise BagError(
            f"{name} is {bag.topics[name].msgtype}, expected {' or '.join(sorted(types))} as {role}"
        )
    if not bag.topics[name].count:
        raise BagError(f"{name} in {bag.path} has no messages, expected some as {role}")
    return name
