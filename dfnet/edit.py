"""What refocus.py does: pictures, focus pulls and side outputs, of one pair or of a folder."""

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from dfnet.errors import InputError
from dfnet.folder import find_pairs
from dfnet.io.disclosure import Disclosure, xmp_for
from dfnet.io.images import write_image, write_whole
from dfnet.io.metadata import Metadata
from dfnet.io.video import write_video
from dfnet.model import DFNet
from dfnet.pair import Pair, pair_of
from dfnet.picture import Picture
from dfnet.recipe import Recipe, recipe_path, recipe_to_text
from dfnet.request import EXTRAS, Request
from dfnet.targets import AllInFocus, focus_pull, write_map

Track = Callable[[Sequence], Iterable]


def run(request: Request, track: Track) -> list[Path]:
    """Do what was asked.

    Args:
        request: checked.
        track: wraps a list of steps, for a progress bar.

    Returns:
        The files written.

    Raises:
        InputError: a pair could not be edited; of a folder, the others are done.
    """
    model = DFNet.from_pretrained(request.recipe.weights)
    if request.folder is None:
        return edit_pair(request, request.recipe, request.output, model, track)
    written, failures = [], []
    pairs = find_pairs(request.folder)
    for k, found in enumerate(pairs, start=1):
        say(f"[{k}/{len(pairs)}] {found.name}")
        uw = None if found.ultrawide is None else str(found.ultrawide)
        recipe = replace(request.recipe, wide=str(found.wide), ultrawide=uw)
        output = Path(str(request.output).replace("*", found.name))
        try:
            written += edit_pair(request, recipe, output, model, track)
        except InputError as error:
            failures.append(f"{found.name}: {error}")
            say(f"error: {failures[-1]}")
    if failures:
        done = f"{len(pairs) - len(failures)} of {len(pairs)} pairs are done; these are not:"
        raise InputError("\n".join([done, *failures]))
    return written


def edit_pair(
    request: Request, recipe: Recipe, output: Path, model: DFNet, track: Track
) -> list[Path]:
    """One pair to its files."""
    pair = pair_of(recipe, request.keep)
    pair.model = model
    if not request.location:
        pair.metadata = pair.metadata.without_location()
    alone = pair.image_uw is None
    say("reading the photo's own depth …" if alone else "matching the two photos …")
    pair.prepare()
    _lighten(pair, request.extras)
    if recipe.frames:
        return write_pull(request, pair, output, track)
    picture = pair.refocus(recipe.steps, track)
    if "all_in_focus" not in request.extras:
        _let_go_of_photos(pair)
    saved = picture.save(output, recipe.bits, request.disclose)
    _tell(*picture.notes, *saved.notes)
    return [*saved.files, *write_extras(request, pair, picture, output, track)]


def _tell(*notes: str) -> None:
    for note in notes:
        say(f"note: {note}")


def _lighten(pair: Pair, extras: Sequence[str]) -> None:
    """Let go of what no step reads: a third of the memory of a large photo."""
    unread = {"flow_w_to_uw", "defocus_deviation_w_px", "reason_w"}
    unread |= set() if "confidence" in extras else {"validity_w"}
    unread |= set() if "depth" in extras else {"relative_inverse_depth"}
    pair.image_uw = None
    pair.preprocessed = pair.prepare()._replace(**dict.fromkeys(unread, torch.empty(1, 0, 0)))


def _let_go_of_photos(pair: Pair) -> None:
    """When the last picture is made: files need memory too."""
    nothing = torch.empty(3, 0, 0)
    pair.image_w, pair.preprocessed = nothing, pair.prepare()._replace(uw_on_w=nothing)


def write_pull(request: Request, pair: Pair, output: Path, track: Track) -> list[Path]:
    """A focus pull's frames, as a video or one by one; notes are those of the first frame."""
    recipe = request.recipe
    pull = focus_pull(recipe.steps, recipe.pull_to, recipe.frames)

    def frames() -> Iterator[Picture]:
        for steps in track(pull):
            yield pair.refocus(steps)

    if "*" not in output.name:
        return _write_film(request, pair, frames(), output)
    digits = len(str(recipe.frames))
    written = []
    for k, picture in enumerate(frames(), start=1):
        path = Path(str(output).replace("*", f"{k:0{digits}d}"))
        saved = picture.save(path, recipe.bits, request.disclose)
        written += saved.files
        if k == 1:
            _tell(*picture.notes, *saved.notes)
    return written


def _write_film(
    request: Request, pair: Pair, frames: Iterator[Picture], output: Path
) -> list[Path]:
    """The video and its recipe."""
    text = recipe_to_text(pair.recipe, output.parent, {})
    disclosure = Disclosure(hashlib.sha256(text.encode()).hexdigest())
    xmp = xmp_for(Metadata(), disclosure)[0] if request.disclose else b""
    notes: list[tuple[str, ...]] = []

    def images() -> Iterator[Tensor]:
        for picture in frames:
            notes.append(picture.notes)
            yield picture.image_w

    write_video(images(), output, xmp)
    record = recipe_path(output)
    write_whole(record, lambda partial: partial.write_text(text, encoding="utf-8"))
    _tell(*notes[0])
    return [output, record]


def write_extras(
    request: Request, pair: Pair, picture: Picture, output: Path, track: Track
) -> list[Path]:
    """Side outputs beside the picture; floats as .npy, what has no unit as gray PNG."""
    found = pair.prepare()
    metric = found.depth_w_m is not None
    kinds = {
        "target": picture.target_defocus_w_px,
        "defocus": found.defocus_w_px,
        "depth": found.depth_w_m if metric else found.relative_inverse_depth,
        "confidence": found.validity_w,
        "mask": picture.mask_w,
    }
    written = []
    for name in request.extras:
        if name == "all_in_focus":
            path = output.with_name(f"{output.stem}_all_in_focus{output.suffix}")
            sharp = pair.refocus([AllInFocus()], track)
            written += sharp.save(path, picture.recipe.bits, request.disclose).files
            continue
        ending = EXTRAS[name][0 if name != "depth" or metric else 1]
        path = output.with_name(f"{output.stem}_{ending}")
        written.append(path)
        _write(kinds[name], path)
    return written


def _write(values: Tensor, path: Path) -> None:
    if path.suffix == ".npy":
        write_whole(path, lambda partial: write_map(values, partial))
    else:
        write_image(values, path, bits=16)


def say(text: str) -> None:
    """A line for the user, beside the result's own."""
    print(text, file=sys.stderr, flush=True)
