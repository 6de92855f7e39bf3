"""The page: what gradio shows, and what it passes on to the service."""

import json
import logging
import os
import secrets
from functools import partial
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before the import: it reads them then
os.environ["HF_HUB_OFFLINE"] = "1"

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from dfnet.app import words
from dfnet.app.service import Service, answered
from dfnet.app.uploads import MAX_FILE_BYTES
from dfnet.errors import InputError

_log = logging.getLogger(__name__)
_ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("state.js", "talk.js", "stage.js", "panel.js", "start.js")
SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "photos"
ACCEPTED = [".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif"]
LOCAL = ("127.0.0.1", "localhost")
ASKING = "Your photos: wide and ultra-wide, both at once; or one spatial or portrait photo"
TITLE = """<div class="dfnet-title"><h1>Decide what is sharp</h1>
<p>1. Drop a photo and its ultra-wide twin. 2. Click what shall be sharp. 3. Save.
Everything stays on this computer.</p></div>"""


class Handlers:
    """What gradio calls when something happens on a page.

    Args:
        service: that does it.
    """

    def __init__(self, service: Service):
        self._service = service

    def begin(self, request: gr.Request) -> str:
        """A page was opened; its secret."""
        return self._service.sessions.begin(request.session_hash).token

    def end(self, request: gr.Request) -> None:
        """A page was closed."""
        self._service.sessions.page_closed(request.session_hash)

    def accept(self, token: str, files: list[str], progress=gr.Progress()):  # noqa: B008
        """What the page shows of new photos, or of why they cannot be used."""
        try:
            darkroom = self._service.accept(token, files or (), partial(_say, progress))
        except InputError as error:
            return _refused(words.plain(error))
        except Exception:
            _log.exception("the photos could not be prepared")
            return _refused(words.OUR_FAULT)
        found = darkroom.preview.preprocessed
        said = words.verdict_message(found.verdict, (*darkroom.preview.notes, *found.notes))
        sheet = darkroom.sheet
        if sheet is not None:
            sheet = (sheet.permute(1, 2, 0) * 255).round().byte().numpy()
        photo = json.dumps({"token": token, "photo": secrets.token_hex(4)})
        drawer = gr.Accordion(label="Other photos", open=False)
        about = gr.Accordion(visible=sheet is not None)
        return photo, said, sheet, gr.File(visible=False), drawer, about, None

    def accept_sample(self, token: str, progress=gr.Progress()):  # noqa: B008
        """The bundled photos."""
        return self.accept(token, [SAMPLE / "wide.jpg", SAMPLE / "ultrawide.jpg"], progress)

    def downloads(self, token: str):
        """The finished files."""
        return gr.File(value=self._service.exported(token), visible=True)


def _say(progress: gr.Progress, share: float, what: str) -> None:
    progress(share, what)


def _refused(text: str):
    drawer, about = gr.Accordion(label=ASKING, open=True), gr.Accordion(visible=False)
    hidden = gr.File(visible=False)
    return json.dumps({}), words.error_message(text), None, hidden, drawer, about, None


def build_page(service: Service) -> gr.Blocks:
    """The page of an app."""
    on = Handlers(service)
    with gr.Blocks(title="dfnet", analytics_enabled=False, delete_cache=(600, 7200)) as page:
        token = gr.State("")
        gr.HTML(TITLE)
        with gr.Accordion(ASKING, open=True) as drawer:
            files = gr.File(
                label="Photos",
                file_count="multiple",
                file_types=ACCEPTED,
                height=130,
                elem_id="photos",
            )
            sample = gr.Button(
                "No photos at hand? Try the sample",
                size="sm",
                visible=SAMPLE.is_dir(),  # it comes with the source, not with the package
                elem_id="sample",
            )
        notice = gr.HTML("", elem_id="notice")
        darkroom = _darkroom(service)
        downloads = gr.File(
            label="Your files", file_count="multiple", visible=False, elem_id="downloads"
        )
        with gr.Accordion("What was understood of the photos", open=False, visible=False) as about:
            sheet = gr.Image(
                format="jpeg", interactive=False, show_label=False, buttons=[], elem_id="sheet"
            )

        # The files are taken off the page: the next ones would be added to them.
        shown = [darkroom, notice, sheet, downloads, drawer, about, files]
        hidden = {"api_visibility": "private"}
        work = {**hidden, "concurrency_limit": 4, "show_progress_on": notice}
        page.load(on.begin, None, token, **hidden)
        page.unload(on.end)
        files.upload(on.accept, [token, files], shown, **work)
        sample.click(on.accept_sample, token, shown, **work)
        darkroom.exported(on.downloads, token, downloads, **hidden)
    return page


def _darkroom(service: Service) -> gr.HTML:
    asked = (service.look, service.render, service.begin_export, service.export_state)
    return gr.HTML(
        "",
        html_template=(_ASSETS / "darkroom.html").read_text(encoding="utf-8"),
        css_template=(_ASSETS / "darkroom.css").read_text(encoding="utf-8"),
        js_on_load="\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS),
        apply_default_css=False,
        server_functions=[answered(ask) for ask in asked],
        elem_id="darkroom",
    )


def _theme() -> gr.themes.Base:
    """Fonts of the computer itself: none is fetched."""
    fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["monospace"]}
    return gr.themes.Base(primary_hue="amber", neutral_hue="zinc", **fonts)


def launch(service: Service, port: int | None = None) -> tuple[gr.Blocks, str]:
    """Serve the page to this computer only, in the background.

    Args:
        service: the app.
        port: None takes the first free one from 7860 on.

    Returns:
        The page, whose `block_thread` waits and whose `close` ends it, and its address.
    """
    page = build_page(service)
    guard = Middleware(TrustedHostMiddleware, allowed_hosts=list(LOCAL))
    _, address, _ = page.launch(
        server_name=LOCAL[0],
        server_port=port,
        share=False,
        quiet=True,
        prevent_thread_lock=True,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
        footer_links=[],
        max_file_size=MAX_FILE_BYTES,
        theme=_theme(),
        css=(_ASSETS / "page.css").read_text(encoding="utf-8"),
        app_kwargs={"middleware": [guard], "docs_url": None, "redoc_url": None},
    )
    return page, address
