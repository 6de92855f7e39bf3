"""What a picture says about how it was made, in its XMP: for people, programs and archives."""

from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from dfnet import __version__
from dfnet.errors import InputError
from dfnet.io.metadata import Metadata
from dfnet.io.xmp import EVENT, IPTC, MANAGEMENT, OURS, RDF, SOURCE_TYPE, Packet

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
CAPTURED = ("digitalCapture", "computationalCapture", "negativeFilm", "positiveFilm", "print")
EDITED = ("minorHumanEdits", "humanEdits", "compositeCapture", "algorithmicallyEnhanced")
MADE = (
    "compositeWithTrainedAlgorithmicMedia",
    "compositeSynthetic",
    "trainedAlgorithmicMedia",
    "algorithmicMedia",
    "dataDrivenMedia",
    "digitalCreation",
    "virtualRecording",
    "screenCapture",
    "composite",
)
WEAKER = (*CAPTURED, "minorHumanEdits", "humanEdits", "algorithmicallyEnhanced")


@dataclass(frozen=True)
class Disclosure:
    """That a picture was edited, by what, and how.

    Attributes:
        recipe_sha256: hexadecimal SHA-256 of the recipe file's bytes, so that `sha256sum` tells
            whether a recipe belongs to a picture; None without a recipe.
        software: name and version.
        source_type: a word of IPTC's vocabulary
            <http://cv.iptc.org/newscodes/digitalsourcetype/>. A word that says more, which the
            photo came with, is kept: an edit does not make a generated picture a photo.
    """

    recipe_sha256: str | None = None
    software: str = f"dfnet {__version__}"
    source_type: str = "algorithmicallyEnhanced"

    def __post_init__(self):
        known = (*CAPTURED, *EDITED, *MADE)
        if self.source_type not in known:
            raise InputError(
                f"source_type={self.source_type}: not a word of IPTC's vocabulary\n"
                f"  Choose one of {', '.join(known)}."
            )


def xmp_for(metadata: Metadata, disclosure: Disclosure | None) -> tuple[bytes, tuple[str, ...]]:
    """The photo's XMP for a picture made from it, with the disclosure in it.

    Returns:
        A packet, empty where there is nothing to say; and notes on what is missing.
    """
    notes: tuple[str, ...] = ()
    try:
        packet = Packet(metadata.xmp)
    except ValueError as error:
        packet, notes = Packet(), (f"its XMP is damaged and not kept ({error})",)
    packet.remove_stale(metadata)
    if disclosure is not None:
        _disclose(packet, disclosure)
    empty = next(packet.properties(), None) is None
    return (b"" if empty else packet.to_bytes()), notes


def _disclose(packet: Packet, disclosure: Disclosure) -> None:
    before = next((p.value for p in packet.properties() if p[:2] == (IPTC, SOURCE_TYPE)), "")
    word = before.removeprefix(SOURCE_TYPES)
    kept = word if word in MADE + EDITED and word not in WEAKER else disclosure.source_type
    packet.remove(IPTC, SOURCE_TYPE)
    packet.remove(OURS)
    recipe = disclosure.recipe_sha256
    attributes = {
        f"Iptc4xmpExt:{SOURCE_TYPE}": SOURCE_TYPES + kept,
        "dfnet:Software": disclosure.software,
    } | ({"dfnet:RecipeSHA256": recipe} if recipe else {})
    said = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
    packet.add(
        f'<rdf:Description xmlns:rdf="{RDF}" xmlns:Iptc4xmpExt="{IPTC}" xmlns:dfnet="{OURS}" '
        f"{said}/>"
    )
    _log(packet, disclosure)


def _log(packet: Packet, disclosure: Disclosure) -> None:
    """One more line in the history that other editors write, too."""
    recipe = f" by recipe {disclosure.recipe_sha256}" if disclosure.recipe_sha256 else ""
    item = (
        f'<rdf:li xmlns:rdf="{RDF}" xmlns:stEvt="{EVENT}" stEvt:action="edited" '
        f"stEvt:softwareAgent={quoteattr(disclosure.software)} "
        f"stEvt:parameters={quoteattr('refocused' + recipe)}/>"
    )
    if not packet.append(MANAGEMENT, "History", item):
        packet.add(
            f'<rdf:Description xmlns:rdf="{RDF}" xmlns:xmpMM="{MANAGEMENT}"><xmpMM:History>'
            f"<rdf:Seq>{item}</rdf:Seq></xmpMM:History></rdf:Description>"
        )
