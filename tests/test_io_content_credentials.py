"""Content credentials, signed with a certificate made here and read back by the library."""

import datetime
import runpy
import sys
from pathlib import Path

import pytest
import torch

from dfnet.errors import InputError
from dfnet.io.content_credentials import Signing, load_signer
from dfnet.io.declaration import read_declaration
from dfnet.io.disclosure import Disclosure
from dfnet.io.photo_files import read_photo, write_photo

c2pa = pytest.importorskip("c2pa", reason="the extra `c2pa` is not installed")
from cryptography import x509  # noqa: E402 - comes with it
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: E402

ROOT = Path(__file__).parents[1]
SIGNS, ISSUES = (True, False), (False, True)


def certificate(name, key, issuer_name, issuer_key, usage):
    def named(words):
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, words)])

    signs, issues = usage
    uses = x509.KeyUsage(signs, False, False, False, False, issues, issues, False, False)
    start = datetime.datetime(2026, 1, 1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer_name))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=9000))
        .add_extension(x509.BasicConstraints(issues, None), critical=True)
        .add_extension(uses, critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False
        )
    )
    if signs:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    signed = builder.sign(issuer_key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def signing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    issuer, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    chain = certificate("Studio", key, "Issuer", issuer, SIGNS)
    chain += certificate("Issuer", issuer, "Issuer", issuer, ISSUES)
    (folder / "chain.pem").write_bytes(chain)
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    photos = []
    for name in ("W.jpg", "UW.png"):
        write_photo(torch.full((3, 70, 80), 0.4), folder / name)
        photos.append(folder / name)
    return Signing(folder / "chain.pem", folder / "key.pem", tuple(photos))


def picture():
    return torch.linspace(0, 1, 80).expand(3, 70, 80)


@pytest.mark.parametrize(
    ("name", "bits"), [("a.jpg", 8), ("a.png", 16), ("a.webp", 8), ("a.tif", 16)]
)
def test_signed_files_are_whole_and_say_the_same(tmp_path, signing, name, bits):
    path = tmp_path / name
    write_photo(picture(), path, bits, disclosure=Disclosure("a" * 64), signing=signing)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    declared = read_declaration(path)
    assert declared.credentials == ("Valid", "Studio", ("algorithmicallyEnhanced",))
    assert declared.source_type == "algorithmicallyEnhanced"
    assert declared.notes == ()
    with path.open("rb") as file:
        text = c2pa.Reader(file).json()
    for word in ('"W.jpg"', '"parentOf"', '"UW.png"', '"componentOf"', "a" * 64):
        assert word in text
    write_photo(picture(), tmp_path / f"plain{path.suffix}", bits)
    assert torch.equal(read_photo(path).image, read_photo(tmp_path / f"plain{path.suffix}").image)


def test_any_later_change_shows(tmp_path, signing):
    path = tmp_path / "a.jpg"
    write_photo(picture(), path, signing=signing)
    data = bytearray(path.read_bytes())
    data[-40] ^= 1  # a pixel
    path.write_bytes(data)
    assert read_declaration(path).credentials.state == "Invalid"


def test_without_the_extra_it_is_said_that_nothing_was_checked(tmp_path, signing, monkeypatch):
    path = tmp_path / "a.jpg"
    write_photo(picture(), path, signing=signing)
    plain = tmp_path / "plain.jpg"
    write_photo(picture(), plain)
    monkeypatch.setitem(__import__("sys").modules, "c2pa", None)
    (note,) = read_declaration(path).notes
    assert note.startswith("content credentials not checked: ")
    assert read_declaration(plain).notes == ()
    with pytest.raises(InputError, match=r"pip install 'dfnet\[c2pa\]'"):
        write_photo(picture(), tmp_path / "b.jpg", signing=signing)


@pytest.mark.parametrize("wrong", ["swapped", "missing", "algorithm"])
def test_certificates_that_cannot_be_used_are_named_and_nothing_is_left(tmp_path, signing, wrong):
    bad = {
        "swapped": Signing(signing.key, signing.certificate),
        "missing": Signing(signing.certificate, tmp_path / "none.pem"),
        "algorithm": Signing(signing.certificate, signing.key, algorithm="es999"),
    }[wrong]
    with pytest.raises(InputError, match="cannot be signed with"):
        load_signer(bad)
    with pytest.raises(InputError, match="cannot be signed with"):
        write_photo(picture(), tmp_path / "a.jpg", signing=bad)
    assert list(tmp_path.iterdir()) == []


def test_credentials_without_disclosure_contradict_themselves(tmp_path, signing):
    with pytest.raises(InputError, match="content credentials are a disclosure"):
        write_photo(picture(), tmp_path / "a.jpg", disclosure=None, signing=signing)


class TestScript:
    def script(self, monkeypatch, *arguments):
        monkeypatch.setattr(sys, "argv", ["sign.py", *map(str, arguments)])
        runpy.run_path(str(ROOT / "scripts/sign.py"), run_name="__main__")

    def test_a_finished_picture_is_signed_in_place(self, tmp_path, signing, monkeypatch):
        path = tmp_path / "a.jpg"
        write_photo(picture(), path, disclosure=Disclosure("b" * 64))
        before = read_photo(path).image
        keys = ("--certificate", signing.certificate, "--key", signing.key)
        self.script(monkeypatch, path, *keys, "--photos", *signing.photos)
        assert read_declaration(path).credentials.state == "Valid"
        with path.open("rb") as file:
            text = c2pa.Reader(file).json()
        assert "b" * 64 in text
        assert '"W.jpg"' in text
        assert torch.equal(read_photo(path).image, before)
        assert [p.name for p in tmp_path.iterdir()] == ["a.jpg"]

    def test_what_declares_nothing_is_not_signed(self, tmp_path, signing, monkeypatch):
        path = tmp_path / "a.jpg"
        write_photo(picture(), path, disclosure=None)
        before = path.read_bytes()
        keys = ("--certificate", signing.certificate, "--key", signing.key)
        with pytest.raises(SystemExit, match="does not say how it was made"):
            self.script(monkeypatch, path, *keys)
        assert path.read_bytes() == before
