import json

import pytest

from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.manifest import verify, write_manifest


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "record"
    (folder / "weights").mkdir(parents=True)
    (folder / "system.json").write_text("{}")
    (folder / "weights" / "a.bin").write_bytes(bytes(range(64)))
    write_manifest(folder)
    return folder


def test_an_unchanged_record_is_verified(folder):
    manifest = verify(folder)
    assert list(manifest.files) == ["system.json", "weights/a.bin"]
    assert verify(folder, manifest.id) == manifest


def test_one_changed_byte_anywhere_is_refused_by_the_name_of_the_file(folder):
    for path in ("system.json", "weights/a.bin"):
        content = (folder / path).read_bytes()
        for place in range(len(content)):
            changed = bytearray(content)
            changed[place] ^= 1
            (folder / path).write_bytes(changed)
            with pytest.raises(RecordError, match=f"{path} differs: sha256"):
                verify(folder)
        (folder / path).write_bytes(content)
    verify(folder)


def test_one_changed_byte_of_the_manifest_is_refused(folder):
    content = (folder / "manifest.json").read_bytes()
    for place in range(0, len(content), 3):
        changed = bytearray(content)
        changed[place] ^= 1
        (folder / "manifest.json").write_bytes(changed)
        with pytest.raises(RecordError, match=r"manifest.json|differs|is missing"):
            verify(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "system.json").unlink(), "system.json is missing"),
        (lambda f: (f / "more.txt").touch(), "more.txt is additional"),
        (lambda f: (f / "system.json").write_text("{ }"), "differs: 3 bytes, expected 2"),
        (lambda f: (f / "link").symlink_to("system.json"), "link is a link or a special file"),
        (lambda f: (f / "manifest.json").write_text("[]"), "manifest.json is damaged"),
    ],
)
def test_what_is_missing_additional_or_different_is_named(folder, damage, message):
    damage(folder)
    with pytest.raises(RecordError, match=message):
        verify(folder)


def test_another_record_than_expected_is_refused(folder):
    with pytest.raises(RecordError, match="expected 0123456789ab"):
        verify(folder, "0123456789ab")


def test_a_folder_without_manifest_is_no_record(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no manifest.json"):
        verify(tmp_path)


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../b", "./a", "a\\b", "C:x", ""])
def test_paths_that_leave_the_record_are_refused(folder, path):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][path] = manifest["files"].pop("system.json")
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    with pytest.raises(RecordError, match="expected one inside of the record"):
        verify(folder)
