"""Content credentials (C2PA): a signed record in the file, with the user's own certificate.

Needs the extra `c2pa` (c2pa-python, MIT or Apache-2.0). Nothing goes over the network.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from dfnet.errors import InputError
from dfnet.io.disclosure import SOURCE_TYPES, Disclosure

MIME = {
    **dict.fromkeys((".jpg", ".jpeg"), "image/jpeg"),
    **dict.fromkeys((".tif", ".tiff"), "image/tiff"),
    **dict.fromkeys((".heic", ".heif"), "image/heic"),
    ".png": "image/png",
    ".webp": "image/webp",
    ".dng": "image/x-adobe-dng",
}
OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}


@dataclass(frozen=True)
class Signing:
    """Who signs, and what the picture was made from.

    Attributes:
        certificate: PEM file: the user's certificate, then those of its issuers.
        key: PEM file: its private key, PKCS#8 without a passphrase.
        photos: files it was made from, W first; their own credentials are carried on.
        algorithm: of the key: es256, es384, es512, ps256, ps384, ps512 or ed25519.
    """

    certificate: Path | str
    key: Path | str
    photos: tuple[Path | str, ...] = ()
    algorithm: str = "es256"


class Credentials(NamedTuple):
    """What a file's content credentials say.

    Attributes:
        state: `Trusted`, `Valid` (whole and signed, by somebody unknown here) or `Invalid`.
        signer: the certificate's organisation.
        source_types: IPTC words of its actions.
    """

    state: str
    signer: str
    source_types: tuple[str, ...]


def load_signer(signing: Signing) -> object:
    """The signer, so that a wrong certificate shows before the work is done.

    Raises:
        InputError: the extra is missing, or certificate and key cannot be used.
    """
    c2pa = _library("signing")
    try:
        pem = [Path(file).read_bytes() for file in (signing.certificate, signing.key)]
        return c2pa.Signer.from_info(c2pa.C2paSignerInfo(signing.algorithm, *pem, None))
    except (c2pa.C2paError, OSError, ValueError) as error:
        raise InputError(
            f"{signing.certificate}, {signing.key}: cannot be signed with ({error})\n"
            "  Needed are PEM files: a certificate with its issuers, and its key (PKCS#8, no\n"
            f"  passphrase) for {signing.algorithm}. docs/files.md shows how to make a pair."
        ) from error


def sign(path: Path, disclosure: Disclosure, signing: Signing) -> None:
    """Sign a finished file in place; any later change breaks the signature.

    Raises:
        InputError: certificate, key or one of the photos cannot be used.
    """
    signer = load_signer(signing)
    c2pa = _library("signing")
    signed = path.with_name(f"{path.stem}-signed{path.suffix}")
    try:
        builder = c2pa.Builder.from_json(json.dumps(_manifest(disclosure)), context=_offline(c2pa))
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        for k, photo in enumerate(map(Path, signing.photos)):
            role = {"title": photo.name, "relationship": "componentOf" if k else "parentOf"}
            with photo.open("rb") as file:
                builder.add_ingredient(json.dumps(role), MIME[photo.suffix.lower()], file)
        builder.sign_file(path, signed, signer)
        signed.replace(path)
    except (c2pa.C2paError, KeyError) as error:
        raise InputError(
            f"{path.name}: cannot be given content credentials ({error})\n"
            "  Check certificate and key, or leave them out."
        ) from error
    finally:
        signed.unlink(missing_ok=True)


def _manifest(disclosure: Disclosure) -> dict:
    name, _, version = disclosure.software.partition(" ")
    software = {"name": name, "version": version or "?"}
    recipe = disclosure.recipe_sha256
    action = {
        "action": "c2pa.edited",
        "softwareAgent": software,
        "digitalSourceType": SOURCE_TYPES + disclosure.source_type,
    } | ({"parameters": {"dfnet.recipe_sha256": recipe}} if recipe else {})
    actions = {"label": "c2pa.actions", "data": {"actions": [action]}}
    return {"claim_generator_info": [software], "assertions": [actions]}


def read_credentials(path: Path) -> Credentials | None:
    """A file's content credentials, checked offline; None where it has none.

    Raises:
        InputError: the extra is missing, or the credentials are damaged.
    """
    c2pa = _library("checking")
    try:
        with path.open("rb") as file:
            reader = c2pa.Reader.try_create(
                MIME.get(path.suffix.lower()), file, None, _offline(c2pa)
            )
            if reader is None:
                return None
            report = json.loads(reader.json())
        manifest = report["manifests"][report["active_manifest"]]
    except (c2pa.C2paError, ValueError, KeyError, OSError) as error:
        raise InputError(
            f"{path}: its content credentials cannot be read ({error})\n  They are damaged."
        ) from error
    kinds = {
        str(action["digitalSourceType"]).removeprefix(SOURCE_TYPES)
        for assertion in manifest.get("assertions", ())
        for action in assertion.get("data", {}).get("actions", ())
        if "digitalSourceType" in action
    }
    signer = manifest.get("signature_info", {}).get("issuer") or "unnamed"
    return Credentials(report.get("validation_state", "Invalid"), signer, tuple(sorted(kinds)))


def _offline(c2pa: ModuleType) -> object:
    return c2pa.Context(settings=c2pa.Settings.from_dict(OFFLINE))


def _library(purpose: str) -> ModuleType:
    try:
        import c2pa
    except ImportError as error:
        raise InputError(
            f"{purpose} content credentials needs an extra that is not installed\n"
            "  pip install 'dfnet[c2pa]'"
        ) from error
    return c2pa
