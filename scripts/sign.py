"""Sign a finished picture with your own certificate: content credentials (C2PA).

  python scripts/sign.py a.jpg --certificate chain.pem --key key.pem --photos W.jpg UW.jpg

Needs the extra `c2pa`. The file is changed in place, and says, signed, what its XMP declares; any
later change breaks the signature. Nothing goes over the network. docs/files.md tells more.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.cli import friendly_errors, usage_if_bare
from dfnet.errors import InputError
from dfnet.io.content_credentials import Signing, load_signer, sign
from dfnet.io.declaration import read_declaration
from dfnet.io.disclosure import Disclosure
from dfnet.io.images import write_whole


@friendly_errors
def main() -> None:
    """Sign one file, whole or not at all."""
    asked = _arguments()
    signing = Signing(asked.certificate, asked.key, tuple(asked.photos), asked.algorithm)
    load_signer(signing)
    disclosure = declared_in(asked.picture)

    def signed(partial: Path) -> None:
        partial.write_bytes(asked.picture.read_bytes())
        sign(partial, disclosure, signing)

    write_whole(asked.picture, signed)
    print(f"signed\n  {asked.picture}")


def declared_in(picture: Path) -> Disclosure:
    """What a picture's XMP says, to be signed.

    Raises:
        InputError: the file is missing or no image, or declares nothing.
    """
    declared = read_declaration(picture)
    if not declared.is_edit or declared.software is None:
        raise InputError(
            f"{picture}: does not say how it was made, so there is nothing to sign\n"
            "  Give a picture that refocus.py wrote, without disclose=false."
        )
    return Disclosure(declared.recipe_sha256, declared.software, declared.source_type)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("picture", type=Path, help="JPEG, PNG, WebP or TIFF, changed in place")
    parser.add_argument("--certificate", required=True, help="PEM: yours, then its issuers'")
    parser.add_argument("--key", required=True, help="PEM: its key, PKCS#8, no passphrase")
    parser.add_argument("--photos", nargs="*", default=[], help="what it was made from, W first")
    parser.add_argument("--algorithm", default="es256", help="of the key (es256)")
    return parser.parse_args()


if __name__ == "__main__":
    usage_if_bare(__doc__)
    main()
