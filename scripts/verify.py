"""Show what pictures declare about their making.

  python scripts/verify.py FILE...

Shown are IPTC's digital source type, the software and recipe that refocused the picture, and its
content credentials (C2PA, with the extra `c2pa`). Exit code 0: every file declares that it was
edited or made; 1: at least one does not, or cannot be read. Nothing is proved by a declaration
that is not signed, or by its absence.
"""

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.cli import usage_if_bare
from dfnet.errors import InputError
from dfnet.io.declaration import Declaration, read_declaration
from dfnet.recipe import recipe_path

STATES = {
    "Trusted": "whole, signed by",
    "Valid": "whole, signed by the unchecked name",
    "Invalid": "BROKEN or changed since, signed by",
}


def lines_of(file: Path, declared: Declaration) -> list[str]:
    """The declaration in words."""
    lines = [f"source type  {declared.source_type or 'not declared'}"]
    if declared.software:
        lines.append(f"software     {declared.software}")
    if declared.recipe_sha256:
        sha256 = declared.recipe_sha256
        lines.append(f"recipe       sha256 {sha256}{beside(recipe_path(file), sha256)}")
    if declared.credentials:
        state, signer, kinds = declared.credentials
        lines.append(f"credentials  {STATES.get(state, state)} {signer}: {', '.join(kinds) or '-'}")
    return lines + [f"note         {note}" for note in declared.notes]


def beside(recipe: Path, sha256: str) -> str:
    """Whether the file is the recipe that was declared."""
    if not recipe.is_file():
        return ""
    same = hashlib.sha256(recipe.read_bytes()).hexdigest() == sha256
    return f" = {recipe.name}" if same else f", NOT {recipe.name} as it is now"


def main(files: list[str]) -> int:
    """Print what each file declares; 0 if all declare an edit, else 1."""
    code = 0
    for file in files:
        try:
            declared = read_declaration(file)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            code = 1
            continue
        print(f"{file}: {'declared' if declared.is_edit else 'NOT DECLARED'}")
        print(*(f"  {line}" for line in lines_of(Path(file), declared)), sep="\n")
        code = code if declared.is_edit else 1
    return code


if __name__ == "__main__":
    usage_if_bare(__doc__)
    raise SystemExit(main(sys.argv[1:]))
