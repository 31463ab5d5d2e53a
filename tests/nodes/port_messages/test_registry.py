"""Messages of port types, by the entry points of packages."""

import pytest
from installed_package import write_distribution

from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.registry import PORTS, registered
from conegrad_nodes.port_messages.image import IMAGE
from conegrad_nodes.port_messages.registry import PORT_MESSAGES, port_message


def test_every_port_type_of_the_car_travels_over_topics():
    assert port_message("Image") is IMAGE
    car = {"Cones", "Detections", "Image", "Scan", "SegmentedScan"}
    assert car <= set(registered(PORTS)) & set(registered(PORT_MESSAGES))


def test_a_package_adds_messages_by_entry_point_alone(brightness):
    assert port_message("Brightness").msgtype.__name__ == "PointStamped"


def test_a_kind_that_no_package_registers_is_named():
    with pytest.raises(PipelineError, match=r"no port type 'Brightness' is registered.*Detections"):
        port_message("Brightness")


def test_tensors_travel_without_messages_of_their_own(tmp_path, monkeypatch):
    entries = {PORTS: ["Odd = conegrad_core.pipeline.ports:CROPS"]}
    write_distribution(tmp_path, "odd_package", entries)
    monkeypatch.syspath_prepend(tmp_path)
    assert port_message("Odd").msgtype.__name__ == "PortTensors"


def test_another_container_needs_messages_of_its_own(tmp_path, monkeypatch):
    entries = {PORTS: ["Odd = conegrad_core.pipeline.ports:IMAGE"]}
    write_distribution(tmp_path, "odd_package", entries)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PipelineError, match=r"'Odd' in the group .* no NamedTuple of tensors; exp"):
        port_message("Odd")


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """Installs messages of a kind ``Odd``."""
    (tmp_path / "odd_messages_package.py").write_text(
        "from std_msgs.msg import Float64\n"
        "from conegrad_nodes.port_messages.image import ImageMessage\n"
        "class Bare(ImageMessage):\n"
        "    msgtype = Float64\n"
        "BARE = Bare()\n"
    )

    def install(value):
        entries = {PORT_MESSAGES: [f"Odd = odd_messages_package:{value}"]}
        write_distribution(tmp_path, "odd_package", entries)
        monkeypatch.syspath_prepend(tmp_path)

    return install


def test_a_message_without_header_is_refused(odd):
    odd("BARE")
    with pytest.raises(PipelineError, match="'Odd' travels as std_msgs/Float64, which has no head"):
        port_message("Odd")


def test_an_object_of_another_class_is_refused(odd):
    odd("Float64")
    with pytest.raises(PipelineError, match=r"'Odd' of package odd_package is .*expected an"):
        port_message("Odd")
