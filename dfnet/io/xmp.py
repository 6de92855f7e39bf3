"""XMP packets: what a photo said of itself stays, what is no longer true goes, our words come in.

Packets are hostile: no document types (entities), bounded size and depth.
"""

from collections.abc import Iterator
from typing import NamedTuple
from xml.dom import minidom
from xml.parsers import expat

from dfnet.io.metadata import MAX_XMP_BYTES, Metadata

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
OURS = "urn:dfnet:edit:1.0/"
MANAGEMENT = "http://ns.adobe.com/xap/1.0/mm/"
EVENT = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
CAMERA = "http://ns.adobe.com/exif/1.0/"
PIXELS = "http://ns.adobe.com/tiff/1.0/"
SOURCE_TYPE = "DigitalSourceType"
MAX_DEPTH = 40
# Properties of the old file's further pictures, of its raw development, of its container.
STALE = (
    "http://ns.google.com/photos/",  # depth, image, audio, camera (motion photo), containers
    "http://ns.adobe.com/hdr-gain-map/",
    "http://ns.apple.com/HDRGainMap/",
    "http://ns.apple.com/pixeldatainfo/",
    "http://ns.apple.com/depthData/",
    "http://ns.apple.com/SpatialMedia/",
    "http://ns.adobe.com/camera-raw-settings/",
    "http://ns.adobe.com/xmp/note/",
    "http://cipa.jp/exif/",
)
STALE_PROPERTIES = {
    (PIXELS, "Orientation"),
    (PIXELS, "ImageWidth"),
    (PIXELS, "ImageLength"),
    (CAMERA, "PixelXDimension"),
    (CAMERA, "PixelYDimension"),
    (CAMERA, "ColorSpace"),
    (MANAGEMENT, "InstanceID"),
    ("http://purl.org/dc/terms/", "provenance"),  # where the old content credentials are
    ("http://ns.adobe.com/xap/1.0/", "Thumbnails"),
}
PLACES_IN_PIXELS = {
    ("http://www.metadataworkinggroup.com/schemas/regions/", "Regions"),
    (CAMERA, "SubjectArea"),
    (CAMERA, "SubjectLocation"),
}
LOCATION = {
    *((IPTC, name) for name in ("LocationCreated", "LocationShown")),
    *(("http://ns.adobe.com/photoshop/1.0/", name) for name in ("City", "State", "Country")),
    *(
        ("http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", name)
        for name in ("Location", "CountryCode")
    ),
}
EMPTY = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>'
HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
TAIL = '<?xpacket end="w"?>'


class Property(NamedTuple):
    """A top-level property.

    Attributes:
        namespace: its URI.
        name: without prefix.
        value: its text, or that of all that is below it.
    """

    namespace: str
    name: str
    value: str


class Packet:
    """A parsed packet."""

    def __init__(self, xmp: bytes = b""):
        """Parse.

        Args:
            xmp: a packet; empty makes a new one.

        Raises:
            ValueError: damaged, or of a kind that no camera writes.
        """
        text = xmp.decode("utf-8", errors="strict").strip("\0 \n\r\t\ufeff") if xmp else EMPTY
        _check(text)
        try:
            self._document = minidom.parseString(text.encode())
        except expat.ExpatError as error:  # a prefix that stands for nothing
            raise ValueError(f"the packet is no XML ({error})") from error
        roots = self._document.getElementsByTagNameNS(RDF, "RDF")
        if not roots:
            raise ValueError("no rdf:RDF")
        self._root = roots[0]

    def properties(self) -> Iterator[Property]:
        """All top-level properties."""
        for node in self._nodes():
            value = node.value if node.nodeType == node.ATTRIBUTE_NODE else _text(node)
            yield Property(node.namespaceURI or "", node.localName, value.strip())

    def remove_stale(self, metadata: Metadata) -> None:
        """Take out what is not true of a picture made from the photo, or shall not be told."""
        names = set(STALE_PROPERTIES)
        names |= PLACES_IN_PIXELS if metadata.turned else set()
        names |= set() if metadata.located else LOCATION
        for node in list(self._nodes()):
            uri, name = node.namespaceURI or "", node.localName
            hidden = uri == CAMERA and name.startswith("GPS") and not metadata.located
            if hidden or uri.startswith(STALE) or (uri, name) in names:
                _remove(node)

    def remove(self, namespace: str, name: str | None = None) -> None:
        """Take out a property, or all of a namespace."""
        for node in list(self._nodes()):
            if node.namespaceURI == namespace and name in (None, node.localName):
                _remove(node)

    def add(self, description: str) -> None:
        """Add an `rdf:Description`, its namespaces declared, about the same thing as the others."""
        new = minidom.parseString(description).documentElement
        about = next((d.getAttributeNS(RDF, "about") for d in self._descriptions()), "")
        new.setAttributeNS(RDF, "rdf:about", about)
        self._root.appendChild(self._document.importNode(new, deep=True))

    def append(self, namespace: str, name: str, item: str) -> bool:
        """Add an `rdf:li` to a property that is a sequence; False where there is none."""
        for node in self._nodes():
            if (node.namespaceURI, node.localName) == (namespace, name):
                lists = getattr(node, "getElementsByTagNameNS", lambda *_: [])(RDF, "Seq")
                if lists:
                    new = minidom.parseString(item).documentElement
                    lists[0].appendChild(self._document.importNode(new, deep=True))
                    return True
        return False

    def to_bytes(self) -> bytes:
        """The packet, without room for later changes in place."""
        return f"{HEAD}{self._document.documentElement.toxml()}{TAIL}".encode()

    def _descriptions(self) -> list[minidom.Element]:
        return [
            node
            for node in self._root.childNodes
            if node.nodeType == node.ELEMENT_NODE
            and (node.namespaceURI, node.localName) == (RDF, "Description")
        ]

    def _nodes(self) -> Iterator[minidom.Node]:
        for description in self._descriptions():
            for attribute in list(description.attributes.values()):
                if attribute.namespaceURI not in (RDF, "http://www.w3.org/2000/xmlns/", None):
                    yield attribute
            for node in description.childNodes:
                if node.nodeType == node.ELEMENT_NODE:
                    yield node


def _remove(node: minidom.Node) -> None:
    if node.nodeType == node.ATTRIBUTE_NODE:
        node.ownerElement.removeAttributeNode(node)
    else:
        node.parentNode.removeChild(node)


def _text(node: minidom.Node) -> str:
    if node.nodeType in (node.TEXT_NODE, node.CDATA_SECTION_NODE):
        return node.data
    return " ".join(filter(None, (_text(child).strip() for child in node.childNodes)))


def _check(text: str) -> None:
    """Refuse what would be costly to build: entities, deep nesting, great size."""
    if len(text) > MAX_XMP_BYTES:
        raise ValueError("the packet is too large")
    depth = 0

    def down(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError("the packet is nested too deep")

    def up(*_: object) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: object) -> None:
        raise ValueError("the packet declares a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = down, up
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise ValueError(f"the packet is no XML ({error})") from error
