"""A network on disk: its weights, and the configuration that rebuilds it."""

import json
from pathlib import Path
from typing import Self

from safetensors.torch import load_file, save_file
from torch import nn

from dfnet.errors import InputError
from dfnet.io.images import write_whole

MODEL_FILE, CONFIG_FILE = "model.safetensors", "config.json"


class Saved(nn.Module):
    """A network that can be written to a folder and read back.

    Attributes:
        config: arguments that build it anew.
    """

    config: dict

    @classmethod
    def from_pretrained(cls, folder: Path | str) -> Self:
        """Rebuild a saved network, ready for use.

        Raises:
            InputError: the folder lacks its two files or they do not belong together.
        """
        folder = Path(folder)
        try:
            config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
            weights = load_file(folder / MODEL_FILE)
            model = cls(**config["model"])
            model.load_state_dict({k: v.float() for k, v in weights.items()})
        except Exception as error:
            raise InputError(
                f"{folder}: no usable weights ({type(error).__name__}: {str(error)[:200]})\n"
                f"  Give a folder with {MODEL_FILE} and {CONFIG_FILE}, as written by training."
            ) from error
        return model.eval()

    def save_pretrained(self, folder: Path | str, notes: dict | None = None) -> None:
        """Write float16 weights and the configuration that rebuilds the network."""
        folder = Path(folder)
        weights = {k: v.detach().half().cpu().contiguous() for k, v in self.state_dict().items()}
        write_whole(folder / MODEL_FILE, lambda p: save_file(weights, p))
        text = json.dumps({"model": self.config, "notes": notes or {}}, indent=1) + "\n"
        write_whole(folder / CONFIG_FILE, lambda p: p.write_text(text, encoding="utf-8"))
