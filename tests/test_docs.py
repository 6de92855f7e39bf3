"""What the documents say exists."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from dfnet.camera import Camera
from dfnet.capture import Capture
from dfnet.model.released import RELEASED
from dfnet.request import STEP_KEYS

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "data/README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?://)([^)#]+)\)")
COMMAND = re.compile(
    r"python (?:scripts/)?(refocus|evaluate|preprocess|render_stacks|import_stack)\.py ([^\n`#]*)"
)
SETTING = re.compile(r"'?(?<![+/])\b([a-z_]+(?:\.[a-z_]+)*)=")
CHOICE = re.compile(r"((?:\+[a-z_]+|\bmethod)=[a-z_]+)")
CONFIGS = {"render_stacks": ("configs/render", "render")}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document):
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    if not RELEASED.is_dir():  # the picture is made with the released weights
        targets = [t for t in targets if not t.endswith("edits.jpg")]
    assert [t for t in targets if not (document.parent / t).exists()] == []


def test_every_field_of_a_capture_is_documented():
    text = (ROOT / "data/README.md").read_text(encoding="utf-8")
    names = {f.name for record in (Capture, Camera) for f in fields(record)} - {"folder", "photo"}
    assert {n for n in names if f"| `{n}` |" not in text} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_documented_settings_exist(document):
    for script, arguments in COMMAND.findall(document.read_text(encoding="utf-8")):
        names = SETTING.findall(arguments)
        GlobalHydra.instance().clear()
        folder, config_name = CONFIGS.get(script, ("configs", script))
        with initialize_config_dir(str(ROOT / folder), version_base="1.3"):
            config = OmegaConf.to_container(compose(config_name, CHOICE.findall(arguments)))
        config |= dict.fromkeys(STEP_KEYS) if script == "refocus" else {}
        for name in names:
            node = config
            for part in name.split("."):
                assert part in node, f"{script}.py {name}"
                node = node[part]
