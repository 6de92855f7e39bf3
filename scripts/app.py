"""Decide what is sharp, in a browser: python scripts/app.py [--port 7860] [--weights FOLDER].

Everything stays on this computer: the page answers to this computer's browsers only, asks nothing
of any network, and forgets the photos when it is closed.
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.app.preview import Previewer
from dfnet.app.service import Service
from dfnet.app.sessions import Sessions
from dfnet.cli import friendly_errors
from dfnet.devices import DEVICES
from dfnet.errors import InputError
from dfnet.model import DFNet
from dfnet.model.released import SMALL, is_released


@friendly_errors
def main() -> None:
    """Load the network, serve the page, clean up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, help="7860 or the next free one unless given")
    parser.add_argument("--weights", help="dfnet (default), dfnet_s, or a folder of weights")
    parser.add_argument(
        "--quick-weights", help="while a control moves; dfnet_s, or what --weights names"
    )
    parser.add_argument("--device", default="auto", choices=DEVICES)
    asked = parser.parse_args()
    if asked.weights is None and asked.quick_weights is None and is_released(SMALL):
        asked.quick_weights = SMALL
    model = DFNet.from_pretrained(asked.weights)
    quick = asked.quick_weights and DFNet.from_pretrained(asked.quick_weights)
    previewer = Previewer(model, asked.device, asked.weights, quick)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # with its photos removed
    with tempfile.TemporaryDirectory(prefix="dfnet-app-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder  # what is uploaded goes with the rest
        try:
            from dfnet.app.page import launch
        except ImportError as error:
            raise InputError(
                f"the web app needs the extra `app` ({error})\n"
                "  Install it with: pip install -c constraints.txt -e '.[app]'"
            ) from error
        sessions = Sessions(Path(folder) / "sessions")
        sessions.watch()
        page, address = launch(Service(sessions, previewer), asked.port)
        print(f"Open {address} in a browser; Ctrl-C ends it.", flush=True)
        page.block_thread()


if __name__ == "__main__":
    main()
