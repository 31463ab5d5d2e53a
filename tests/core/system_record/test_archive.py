import zipfile

import pytest
from lidar_system import assert_identical, cones_of

from conegrad_core.system_record.archive import pack, unpack
from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.record import SystemRecord


@pytest.fixture
def archive(record, tmp_path):
    pack(record.folder, tmp_path / "car.zip")
    return tmp_path / "car.zip"


def test_an_archive_gives_the_same_record_with_identical_cones(record, archive, tmp_path):
    manifest = unpack(archive, tmp_path / "elsewhere")
    assert manifest.id == record.id
    read = SystemRecord(tmp_path / "elsewhere")
    assert read.entry == record.entry
    assert_identical(cones_of(read.pipeline()), cones_of(record.pipeline()))


def test_equal_records_give_equal_archives(record, archive, tmp_path):
    unpack(archive, tmp_path / "elsewhere")
    pack(tmp_path / "elsewhere", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def rewritten(archive, change):
    """The archive with other members: ``change`` gets name and content, and gives both or None."""
    with zipfile.ZipFile(archive) as read:
        members = [(name, read.read(name)) for name in read.namelist()]
    with zipfile.ZipFile(archive, "w") as write:
        for member in members:
            for name, content in change(*member):
                write.writestr(name, content)


def keep(name, content):
    return [(name, content)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda n, c: [(n, c)] * (1 + (n == "system.json")), "system.json is additional"),
        (lambda n, c: [] if n == "system.json" else keep(n, c), "system.json is missing"),
        (
            lambda n, c: keep(n, c[:-2] + b" \n" if n == "system.json" else c),
            "system.json differs: sha256",
        ),
        (lambda n, c: keep(n, c + b" " if n == "system.json" else c), "system.json differs"),
        (lambda n, c: [*keep(n, c), *([("../x", b"")] if n[0] == "m" else [])], "../x is addition"),
        (lambda n, c: [] if n == "manifest.json" else keep(n, c), r"holds no manifest.json"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_changed_archive_is_refused_and_leaves_nothing(archive, tmp_path, change, message):
    rewritten(archive, change)
    before = set(tmp_path.iterdir())
    with pytest.raises(RecordError, match=message):
        unpack(archive, tmp_path / "elsewhere")
    assert set(tmp_path.iterdir()) == before


def test_one_changed_byte_of_weights_in_an_archive_is_refused_by_name(archive, tmp_path):
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as read:
        member = read.getinfo("weights/segmenter.safetensors")
    content[member.header_offset + 30 + len(member.filename) + member.file_size // 2] ^= 1
    archive.write_bytes(content)
    with pytest.raises(RecordError, match=r"weights/segmenter.safetensors differs"):
        unpack(archive, tmp_path / "elsewhere")


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK nothing")
    with pytest.raises(RecordError, match="not the archive of a record"):
        unpack(tmp_path / "x.zip", tmp_path / "elsewhere")
