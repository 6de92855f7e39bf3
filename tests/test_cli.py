import sys

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf

from dfnet.cli import friendly_errors, gather, progress, quote_paths, quoted, usage_if_bare
from dfnet.errors import InputError

NAMES = [
    *("plain.jpg", "two words", " led and trailed ", "a,b", "a=b", "(1)", "[x]", "{y: z}", "a:b;c"),
    *("it's", "'", "''", '"', 'say "hi"', "\\", "\\\\", "end\\", "\\'", "a\\'b", "\\\\'\\"),
    *(
        "$",
        "$HOME",
        "${HOME}",
        "\\${x}",
        "\\\\${x}",
        "$${x}",
        "${",
        "${oc.env:HOME}",
        "a\\\\'${'\\",
    ),
    *(
        "#1",
        "%s",
        "*",
        "?",
        "!",
        "~",
        "@x",
        "null.jpg",
        "123",
        "1e5",
        "true",
        "ünï 写真 🙂",
        "a\tb",
        "a\nb",
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_survives_hydras_grammar_and_interpolation(name):
    override = OverridesParser.create().parse_override(f"wide={quoted(name)}")
    config = OmegaConf.create({"wide": None})
    OmegaConf.update(config, "wide", override.value())
    assert config.wide == name


def test_only_the_named_keys_are_quoted(monkeypatch):
    argv = ["x.py", "wide=a b=c", "scale=[1,2]", "output=null", "wide", "--cfg"]
    monkeypatch.setattr(sys, "argv", list(argv))
    quote_paths(("wide", "output"))
    assert sys.argv == ["x.py", "wide='a b=c'", *argv[2:]]


def test_some_words_are_gathered_in_their_order_and_as_often_as_they_come(monkeypatch):
    said = ["b=it's, ${x}", "a=1,2", "b=[3", "c", "cc=4", "--a=5"]
    monkeypatch.setattr(sys, "argv", ["x.py", *said])
    gather("steps", ("a", "b", "c"))
    assert sys.argv[:4] == ["x.py", "c", "cc=4", "--a=5"]
    override = OverridesParser.create().parse_override(sys.argv[4])
    assert override.key_or_group == "steps"
    config = OmegaConf.create({"steps": []})
    OmegaConf.update(config, "steps", override.value())
    config = OmegaConf.to_container(config, resolve=True)
    assert config["steps"] == ["b=it's, ${x}", "a=1,2", "b=[3"]


def test_nothing_is_added_where_no_such_word_is_said(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["x.py", "d=1"])
    gather("steps", ("a",))
    assert sys.argv == ["x.py", "d=1"]


def raising(error):
    @friendly_errors
    def main():
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InputError("a.jpg: gone\n  Find it."), "error: a.jpg: gone\n  Find it."),
        (KeyboardInterrupt(), "error: interrupted"),
        (
            HydraException("no key\nTo append use +\n\nSee https://x"),
            "error: configuration: no key\n  Opt",
        ),
        (SystemExit("error: said already"), "error: said already"),
    ],
)
def test_mistakes_become_one_message(error, message):
    with pytest.raises(SystemExit, match="^" + message.replace("+", r"\+")) as stop:
        raising(error)()
    assert isinstance(stop.value.code, str)  # which means exit code 1, and the text on stderr


@pytest.mark.parametrize(("code", "want"), [(2, 1), (0, 0), (None, None)])
def test_exit_codes(code, want):
    with pytest.raises(SystemExit) as stop:
        raising(SystemExit(code))()
    assert stop.value.code == want


def test_bugs_are_not_hidden():
    with pytest.raises(ZeroDivisionError):
        raising(ZeroDivisionError())()


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_usage(monkeypatch, capsys, arguments):
    monkeypatch.setattr(sys, "argv", ["x.py", *arguments])
    with pytest.raises(SystemExit) as stop:
        usage_if_bare("\nHow to.\n")
    assert stop.value.code == 0
    assert capsys.readouterr().out == "How to.\n"


def test_no_usage_where_something_is_asked(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["x.py", "a=1"])
    assert usage_if_bare("How to.") is None


def test_progress_hands_every_step_on_and_is_silent_in_a_pipe(capfd):
    assert list(progress(list(range(20)))) == list(range(20))
    assert capfd.readouterr() == ("", "")


def test_refocus_configuration_composes_to_the_recipes_fields(request):
    with initialize_config_dir(str(request.config.rootpath / "configs"), version_base="1.3"):
        config = compose("refocus", ["camera=pixel6pro"])
    assert config.camera.wide.f_number == 1.85
    assert config.steps == []
