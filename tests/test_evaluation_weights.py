"""Which network an evaluation gets, and what it says of files that hold another."""

import pytest
import torch

from dfnet.errors import InputError
from dfnet.evaluation.weights import load_network, network_from_checkpoint
from dfnet.model import DFNet, SingleImageNet

NETWORKS = {
    "dfnet": lambda: DFNet(width=4, trained_coc_px=17.0),
    "single_image": lambda: SingleImageNet(width=4, trained_coc_px=17.0),
}


def save(kind, path):
    """As training saves it."""
    torch.manual_seed(1)
    model = NETWORKS[kind]()
    state = {f"model.{k}": v for k, v in model.state_dict().items()} | {"loss.w": torch.ones(2)}
    torch.save({"model": model.config, "state_dict": state}, path)
    return model


@pytest.mark.parametrize("kind", list(NETWORKS))
def test_a_checkpoint_gives_its_network_back(tmp_path, kind):
    model = save(kind, tmp_path / "last.ckpt")
    loaded = load_network(checkpoint=tmp_path / "last.ckpt", kind=kind)
    assert type(loaded) is type(model)
    assert loaded.trained_coc_px == 17.0
    assert not loaded.training
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


@pytest.mark.parametrize("kind", list(NETWORKS))
def test_a_folder_of_weights_serves_as_well(tmp_path, kind):
    torch.manual_seed(2)
    model = NETWORKS[kind]()
    model.save_pretrained(tmp_path / "weights")
    loaded = load_network(tmp_path / "weights", kind=kind)
    assert type(loaded) is type(model)
    name, value = next(iter(model.state_dict().items()))
    assert torch.allclose(loaded.state_dict()[name], value, atol=1e-3)


@pytest.mark.parametrize(
    ("held", "wanted", "option"),
    [
        ("single_image", "dfnet", "single_image_checkpoint"),
        ("dfnet", "single_image", "checkpoint"),
    ],
)
def test_another_network_is_named_with_what_scores_it(tmp_path, held, wanted, option):
    save(held, tmp_path / "last.ckpt")
    message = rf"last\.ckpt: holds a network of kind {held}.*\n.*method={held} {option}="
    with pytest.raises(InputError, match=message):
        load_network(checkpoint=tmp_path / "last.ckpt", kind=wanted)


def test_files_and_folders_are_told_apart(tmp_path):
    save("dfnet", tmp_path / "last.ckpt")
    with pytest.raises(InputError, match=r"last\.ckpt: a file, not a folder(.|\n)*checkpoint=FILE"):
        load_network(weights=str(tmp_path / "last.ckpt"))
    with pytest.raises(InputError, match=r": a folder(.|\n)*weights=FOLDER"):
        load_network(checkpoint=str(tmp_path))
    with pytest.raises(InputError, match="both are given"):
        load_network(tmp_path, tmp_path / "last.ckpt")


def test_what_is_no_checkpoint_is_refused(tmp_path):
    (tmp_path / "text.ckpt").write_text("not one")
    torch.save({"state_dict": {}}, tmp_path / "foreign.ckpt")
    torch.save({"state_dict": {}, "model": {"depth": 3}}, tmp_path / "other.ckpt")
    for name in ("text.ckpt", "foreign.ckpt", "other.ckpt"):
        with pytest.raises(InputError, match=rf"{name}: not a usable checkpoint"):
            network_from_checkpoint(tmp_path / name)
    with pytest.raises(InputError, match=r"missing\.ckpt: no such file"):
        network_from_checkpoint(tmp_path / "missing.ckpt")


def test_the_single_image_network_says_how_to_get_weights():
    with pytest.raises(InputError, match=r"no weights are released(.|\n)*experiment=single_image"):
        load_network(kind="single_image")
