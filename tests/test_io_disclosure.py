"""What edited files say of themselves, read back by a plain XML parser."""

import hashlib
import importlib.util
import io
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import torch
from PIL import Image

from dfnet import __version__
from dfnet.errors import InputError
from dfnet.io.declaration import read_declaration
from dfnet.io.disclosure import Disclosure, xmp_for
from dfnet.io.images import write_image
from dfnet.io.metadata import Metadata
from dfnet.io.photo_files import read_photo, write_photo
from dfnet.io.xmp import Packet

ROOT = Path(__file__).parents[1]
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
XMP = "{http://ns.adobe.com/xap/1.0/}"
MM = "{http://ns.adobe.com/xap/1.0/mm/}"
EVENT = "{http://ns.adobe.com/xap/1.0/sType/ResourceEvent#}"
OURS = "{urn:dfnet:edit:1.0/}"
TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SHA = "0123456789abcdef" * 4
NAMES = ["a.jpg", "a.png", "a.webp", "a.tif"]
DEEP = [("a.png", 16), ("a.tif", 16), *((name, 8) for name in NAMES)]


def packet(inside="", attributes="", about=""):
    spaces = {
        "xmp": XMP,
        "xmpMM": MM,
        "stEvt": EVENT,
        "Iptc4xmpExt": IPTC,
        "dc": "{http://purl.org/dc/elements/1.1/}",
        "exif": "{http://ns.adobe.com/exif/1.0/}",
        "tiff": "{http://ns.adobe.com/tiff/1.0/}",
        "GCamera": "{http://ns.google.com/photos/1.0/camera/}",
        "GDepth": "{http://ns.google.com/photos/1.0/depthmap/}",
        "hdrgm": "{http://ns.adobe.com/hdr-gain-map/1.0/}",
        "photoshop": "{http://ns.adobe.com/photoshop/1.0/}",
        "mwg-rs": "{http://www.metadataworkinggroup.com/schemas/regions/}",
        "dcterms": "{http://purl.org/dc/terms/}",
    }
    declared = " ".join(f'xmlns:{name}="{uri[1:-1]}"' for name, uri in spaces.items())
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF[1:-1]}">'
        f'<rdf:Description rdf:about="{about}" {declared} {attributes}>{inside}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def properties(xmp):
    """Top-level properties of a packet, each in a list of its values or elements."""
    found = {}
    for description in ET.fromstring(xmp.decode()).iter(RDF + "Description"):
        for name, value in description.attrib.items():
            found.setdefault(name, []).append(value)
        for element in description:
            found.setdefault(element.tag, []).append(element)
    return found


def merged(old, disclosure=Disclosure(SHA), **metadata):  # noqa: B008
    return properties(xmp_for(Metadata(xmp=old, **metadata), disclosure)[0])


def write(path, disclosure=Disclosure(SHA), bits=8, **metadata):  # noqa: B008
    write_photo(torch.full((3, 70, 80), 0.5), path, bits, Metadata(**metadata), disclosure)
    return path


class TestWhatIsSaid:
    @pytest.mark.parametrize(("name", "bits"), DEEP)
    def test_every_format_says_so_in_the_words_of_iptc(self, tmp_path, name, bits):
        with Image.open(write(tmp_path / name, bits=bits)) as picture:
            if name == "a.png":
                picture.load()
            xmp = picture.info.get("xmp") or picture.info["XML:com.adobe.xmp"].encode()
        found = properties(xmp)
        assert found[IPTC + "DigitalSourceType"] == [TYPES + "algorithmicallyEnhanced"]
        assert found[OURS + "Software"] == [f"dfnet {__version__}"]
        assert found[OURS + "RecipeSHA256"] == [SHA]
        (history,) = found[MM + "History"]
        (event,) = history.iter(RDF + "li")
        assert event.attrib[EVENT + "action"] == "edited"
        assert event.attrib[EVENT + "softwareAgent"] == f"dfnet {__version__}"
        assert SHA in event.attrib[EVENT + "parameters"]

    @pytest.mark.parametrize("name", NAMES)
    def test_turned_off_it_says_nothing(self, tmp_path, name):
        with Image.open(write(tmp_path / name, None)) as picture:
            assert "xmp" not in picture.info
            assert 0x0131 not in picture.getexif()
        data = (tmp_path / name).read_bytes()
        assert b"dfnet" not in data
        assert b"DigitalSourceType" not in data

    def test_turned_off_the_photos_own_words_stay(self):
        found = merged(packet(attributes='xmp:CreatorTool="16.2"'), None)
        assert found[XMP + "CreatorTool"] == ["16.2"]
        assert IPTC + "DigitalSourceType" not in found

    def test_words_are_escaped(self):
        found = merged(b"", Disclosure(software='a"<&> 1'))
        assert found[OURS + "Software"] == ['a"<&> 1']

    def test_words_that_iptc_does_not_know_are_refused(self):
        with pytest.raises(InputError, match="source_type=enhanced: not a word"):
            Disclosure(source_type="enhanced")


class TestMerging:
    def test_what_the_photo_said_stays(self):
        title = '<rdf:Alt><rdf:li xml:lang="x-default">Tea &amp; cake</rdf:li></rdf:Alt>'
        found = merged(packet(f"<dc:title>{title}</dc:title>", 'xmp:CreatorTool="16.2"'))
        assert found[XMP + "CreatorTool"] == ["16.2"]
        (kept,) = found["{http://purl.org/dc/elements/1.1/}title"]
        assert "".join(kept.itertext()) == "Tea & cake"
        assert found[IPTC + "DigitalSourceType"] == [TYPES + "algorithmicallyEnhanced"]

    def test_all_descriptions_are_about_the_same_thing(self):
        found = merged(packet(about="uuid:1234"))
        assert set(found[RDF + "about"]) == {"uuid:1234"}

    def test_prefixes_stay_as_they_were(self):
        xmp, _ = xmp_for(Metadata(xmp=packet(attributes='xmp:CreatorTool="16.2"')), Disclosure())
        assert b'xmp:CreatorTool="16.2"' in xmp

    def test_what_is_no_longer_true_goes(self):
        stale = packet(
            "<GDepth:Near>0.5</GDepth:Near><hdrgm:Version>1</hdrgm:Version><xmp:Label>x</xmp:Label>",
            'GCamera:MotionPhoto="1" tiff:Orientation="6" exif:PixelXDimension="4000" '
            'xmpMM:InstanceID="a" xmpMM:DocumentID="b" dcterms:provenance="https://c2pa.example"',
        )
        names = {name.partition("}")[2] for name in merged(stale)}
        gone = {"Near", "Version", "MotionPhoto", "Orientation", "PixelXDimension", "InstanceID"}
        assert not names & (gone | {"provenance"})
        assert {"Label", "DocumentID"} <= names

    @pytest.mark.parametrize("turned", [False, True])
    def test_faces_are_kept_where_they_still_are(self, turned):
        regions = packet('<mwg-rs:Regions rdf:parseType="Resource"/>')
        names = {name.partition("}")[2] for name in merged(regions, turned=turned)}
        assert ("Regions" in names) == (not turned)

    def test_the_place_can_be_left_out(self):
        placed = packet(
            "<Iptc4xmpExt:LocationCreated>Paris</Iptc4xmpExt:LocationCreated>",
            'exif:GPSLatitude="48,51.5N" photoshop:City="Paris" exif:FNumber="3/2"',
        )
        for located in (True, False):
            names = {name.partition("}")[2] for name in merged(placed, located=located)}
            assert ({"LocationCreated", "GPSLatitude", "City"} <= names) == located
            assert located or not names & {"LocationCreated", "GPSLatitude", "City"}
            assert "FNumber" in names

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("digitalCapture", "algorithmicallyEnhanced"),
            ("computationalCapture", "algorithmicallyEnhanced"),
            ("humanEdits", "algorithmicallyEnhanced"),
            # An edit does not make a generated picture a photo.
            ("trainedAlgorithmicMedia", "trainedAlgorithmicMedia"),
            ("compositeWithTrainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"),
            ("compositeCapture", "compositeCapture"),
            ("nonsense", "algorithmicallyEnhanced"),
        ],
    )
    @pytest.mark.parametrize("form", ["attribute", "element"])
    def test_stronger_words_are_not_weakened(self, before, after, form):
        word = f"{TYPES}{before}"
        if form == "attribute":
            old = packet(attributes=f'Iptc4xmpExt:DigitalSourceType="{word}"')
        else:
            old = packet(f"<Iptc4xmpExt:DigitalSourceType>{word}</Iptc4xmpExt:DigitalSourceType>")
        assert merged(old)[IPTC + "DigitalSourceType"] == [TYPES + after]

    def test_a_second_edit_adds_to_the_history_and_replaces_the_recipe(self):
        once, _ = xmp_for(Metadata(), Disclosure("1" * 64))
        twice = merged(once, Disclosure("2" * 64))
        assert twice[OURS + "RecipeSHA256"] == ["2" * 64]
        (history,) = twice[MM + "History"]
        events = [e.attrib[EVENT + "parameters"] for e in history.iter(RDF + "li")]
        assert [e[-1] for e in events] == ["1", "2"]


HOSTILE = {
    "entities": b'<!DOCTYPE x [<!ENTITY a "b">]>' + packet(),
    "deep": packet("<dc:a>" * 50 + "</dc:a>" * 50),
    "cut short": packet()[:-20],
    "unbound prefix": b"<x:xmpmeta><rdf:RDF/></x:xmpmeta>",
    "not utf-8": packet().replace(b"about", b"ab\xff\xfeout"),
    "no RDF": b"<x/>",
    "large": packet("<dc:a>" + "x" * (1 << 20) + "</dc:a>"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_packets_are_set_aside_and_said(name):
    with pytest.raises(ValueError, match=r"."):
        Packet(HOSTILE[name])
    xmp, notes = xmp_for(Metadata(xmp=HOSTILE[name]), Disclosure(SHA))
    assert len(notes) == 1
    assert "its XMP is damaged and not kept" in notes[0]
    assert properties(xmp)[OURS + "RecipeSHA256"] == [SHA]


def test_what_no_jpeg_can_hold_is_dropped_and_said(tmp_path):
    long = packet(f"<dc:source>{'x' * 70_000}</dc:source>")
    notes = write_photo(torch.zeros(3, 9, 9), tmp_path / "a.jpg", metadata=Metadata(xmp=long))
    assert notes == ("its XMP is too long for a JPEG",)
    assert read_declaration(write(tmp_path / "b.jpg")).is_edit
    write(tmp_path / "a.png", xmp=long)
    assert "x" * 70_000 in (tmp_path / "a.png").read_text(encoding="latin-1")


@pytest.fixture
def verify(capsys):
    """The script's exit code, output and complaints."""
    spec = importlib.util.spec_from_file_location("verify", ROOT / "scripts/verify.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def call(*files):
        code = script.main([str(file) for file in files])
        return (code, *capsys.readouterr())

    return call


class TestVerify:
    def test_declared_files_are_told_from_others(self, tmp_path, verify):
        recipe = tmp_path / "a_recipe.json"
        recipe.write_text("{}")
        sha = hashlib.sha256(b"{}").hexdigest()
        edited = write(tmp_path / "a.jpg", Disclosure(sha))
        code, out, err = verify(edited)
        assert (code, err) == (0, "")
        assert "a.jpg: declared\n" in out
        assert "source type  algorithmicallyEnhanced\n" in out
        assert f"recipe       sha256 {sha} = a_recipe.json\n" in out
        recipe.write_text("{ }")
        plain = tmp_path / "plain.png"
        write_image(torch.zeros(3, 70, 80), plain)
        (tmp_path / "text.jpg").write_text("no picture")
        assert verify(edited, plain)[0] == verify(plain, edited)[0] == 1
        code, out, err = verify(edited, plain, tmp_path / "text.jpg")
        assert code == 1
        assert "NOT a_recipe.json as it is now" in out
        assert "plain.png: NOT DECLARED\n  source type  not declared\n" in out
        assert err.startswith(f"error: {tmp_path}/text.jpg: cannot be read as an image")
        assert "Traceback" not in err

    @pytest.mark.parametrize(
        ("word", "is_edit"),
        [("digitalCapture", False), ("trainedAlgorithmicMedia", True), ("humanEdits", True)],
    )
    def test_a_capture_is_no_edit(self, tmp_path, word, is_edit):
        path = tmp_path / "a.jpg"
        xmp = packet(attributes=f'Iptc4xmpExt:DigitalSourceType="{TYPES}{word}"')
        Image.new("RGB", (80, 70)).save(path, xmp=xmp)
        declared = read_declaration(path)
        assert declared.source_type == word
        assert declared.is_edit == is_edit

    def test_it_survives_reading_and_writing_again(self, tmp_path):
        photo = read_photo(write(tmp_path / "a.jpg"))
        write_photo(photo.image, tmp_path / "b.png", metadata=photo.metadata, disclosure=None)
        assert read_declaration(tmp_path / "b.png").is_edit

    def test_words_after_the_pixels_of_a_png_count(self, tmp_path):
        data = write(tmp_path / "a.png").read_bytes()
        start = data.index(b"iTXt") - 4
        size = 12 + int.from_bytes(data[start : start + 4])
        chunk, end = data[start : start + size], data.index(b"IEND") - 4
        moved = data[:start] + data[start + size : end] + chunk + data[end:]
        (tmp_path / "b.png").write_bytes(moved)
        with Image.open(io.BytesIO(moved)) as picture:
            assert "xmp" not in picture.info
        assert read_declaration(tmp_path / "b.png").is_edit
