import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from conegrad_core.system_record.archive import pack, unpack
from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.manifest import verify, write_manifest
from conegrad_core.system_record.reference import resolve
from conegrad_core.system_record.signature import check_signature, sign


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "record"
    folder.mkdir()
    (folder / "system.json").write_text("{}")
    write_manifest(folder)
    return folder


def keys(folder, name):
    """PEM files of a private key and of its public one."""
    private = Ed25519PrivateKey.generate()
    secret, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    secret.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return secret, public


def test_a_signed_record_keeps_its_id_and_its_signature_in_an_archive(folder, tmp_path):
    secret, public = keys(tmp_path, "release")
    before = verify(folder).id
    sign(folder, secret)
    assert verify(folder).id == before
    pack(folder, tmp_path / "a.zip")
    unpack(tmp_path / "a.zip", tmp_path / "elsewhere")
    check_signature(tmp_path / "elsewhere", public)


def test_what_another_key_or_nobody_signed_is_refused(folder, tmp_path):
    (secret, public), (_, other) = keys(tmp_path, "release"), keys(tmp_path, "other")
    with pytest.raises(RecordError, match="record is not signed, expected a signature of the key"):
        check_signature(folder, public)
    sign(folder, secret)
    with pytest.raises(RecordError, match=r"manifest.sig is not a signature of this record"):
        check_signature(folder, other)
    (folder / "system.json").write_text("[]")
    write_manifest(folder)
    with pytest.raises(RecordError, match=r"manifest.sig is not a signature of this record"):
        check_signature(folder, public)


def test_the_environment_can_demand_a_signature_of_every_record(record, tmp_path, monkeypatch):
    secret, public = keys(tmp_path, "release")
    monkeypatch.setenv("CONEGRAD_SYSTEM_KEY", str(public))
    with pytest.raises(RecordError, match="is not signed"):
        resolve(record.folder)
    sign(record.folder, secret)
    assert resolve(record.folder).id == record.id


def test_a_file_that_is_no_key_is_refused(folder, tmp_path):
    secret, public = keys(tmp_path, "release")
    with pytest.raises(RecordError, match="expected a PEM file of an Ed25519PrivateKey"):
        sign(folder, public)
    sign(folder, secret)
    with pytest.raises(RecordError, match="expected a PEM file of an Ed25519PublicKey"):
        check_signature(folder, secret)
