"""Training as Lightning sees it: a step, a validation, an optimiser."""

import math
from collections.abc import Callable

import lightning as L
import torch
import torch.distributed
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn
from torchvision.utils import make_grid

from dfnet.capture import load_capture
from dfnet.errors import InputError
from dfnet.evaluation.asking import Asking
from dfnet.evaluation.bands import EVERYWHERE
from dfnet.evaluation.exhibits import comparison
from dfnet.evaluation.methods import CONTROLS, network
from dfnet.evaluation.question import Question
from dfnet.evaluation.score import score_capture
from dfnet.model.dfnet import DFNetOutput
from dfnet.training.highlight_misfit import highlight_misfit
from dfnet.training.losses import guide_misfit_px, lamp_misfit
from dfnet.training.samples import TrainingBatch

_COC_SHOWN_PX = 32.0
_SAMPLES_SHOWN = 4


class RefocusTask(L.LightningModule):
    """Learn to turn one focus into another (the proxy task of DC², section 3.1).

    Args:
        model: the network.
        loss: takes the network's output, the target, the trust in it, and what is near an edge.
        optimizer: builds the optimiser from parameters.
        alignment: weight of the guide's misfit [px] beside the loss, where the network aligns it.
        lamps: weight of the misfit of lamps beside the loss, where the network looks for them.
        highlights: weight of the misfit of other clipped light, where it is guessed.
        warmup_steps: steps of linear warm-up before the cosine decay to a hundredth.
        val_tasks: the evaluation's tasks that validation runs.
        preprocessing: `estimated` or `truth`, for validation.
        image_every_n_steps: how often the picture grid is logged.
        only: parts of the network that learn while the others stay as they are; None is all.

    Raises:
        InputError: the network has no such part.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: nn.Module,
        optimizer: Callable[..., torch.optim.Optimizer],
        alignment: float,
        lamps: float,
        highlights: float,
        warmup_steps: int,
        val_tasks: list[str],
        preprocessing: str,
        image_every_n_steps: int,
        only: list[str] | None = None,
    ):
        super().__init__()
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.alignment, self.lamps, self.highlights = alignment, lamps, highlights
        self.warmup_steps, self.image_every_n_steps = warmup_steps, image_every_n_steps
        self.asking = Asking(tuple(val_tasks), preprocessing)
        self._scores: list[tuple[str, float]] = []
        if only is not None:
            _freeze_others(model, only)

    def training_step(self, batch: TrainingBatch, batch_index: int) -> Tensor:
        """The loss of one batch."""
        return self.loss_of(batch, batch_index)[1]

    def loss_of(self, batch: TrainingBatch, batch_index: int) -> tuple[DFNetOutput, Tensor]:
        """The answer to one batch, and its loss, with figures logged."""
        layout = torch.channels_last
        sample = batch.sample._replace(
            image_w=batch.sample.image_w.contiguous(memory_format=layout),
            uw_on_w=batch.sample.uw_on_w.contiguous(memory_format=layout),
        )
        output = self.model(sample)
        with torch.autocast(self.device.type, enabled=False):
            loss = self.loss(output, batch.target, batch.weight, batch.near_edge)
            misfit_px = guide_misfit_px(
                output.guide_motions_px, batch.guide_error_px, batch.guide_error_weight
            )
            lamps = lamp_misfit(output.lamps, batch.lamp_light)
            highlights = highlight_misfit(output.highlights, batch.clipped_light)
        error = (output.image.detach().clamp(0, 1) - batch.target).square().mean()
        self.log("train/loss", loss, prog_bar=True, sync_dist=True)
        self.log("train/guide_misfit_px", misfit_px, sync_dist=True)
        self.log("train/lamp_misfit", lamps, sync_dist=True)
        self.log("train/highlight_misfit", highlights, sync_dist=True)
        psnr_db = -10 * torch.log10(error + 1e-10)
        self.log("train/psnr_db", psnr_db, prog_bar=True, sync_dist=True)
        if self.global_step % self.image_every_n_steps == 0:
            self._log_grid(batch, output)
        others = self.alignment * misfit_px + self.lamps * lamps + self.highlights * highlights
        return output, loss + others

    def validation_step(self, folder: str, batch_index: int) -> None:
        """The evaluation's own questions on one capture, for the network and for W unchanged.

        The answers of the first capture are shown, too. An empty name is no capture.
        """
        if not folder:
            return
        methods = {
            "dfnet": network(self.model, self.device.type),
            "w": CONTROLS["W unchanged"],
        }
        seen = {"seen": self._log_answers} if batch_index == 0 else {}
        try:
            rows = score_capture(load_capture(folder), methods, self.asking, **seen)
        except InputError as error:  # preprocessing gave up; evaluation lists it the same way
            rank_zero_warn(f"left out of validation: {error}")
            return
        for row in rows:
            if row.band == EVERYWHERE:
                for metric in ("psnr_db", "ssim"):
                    name = f"val/{metric}/{row.task}/{row.method}"
                    self._scores.append((name, float(row.metrics[metric])))

    def on_validation_epoch_end(self) -> None:
        """Log the means over the captures of all processes."""
        parts, self._scores = [self._scores], []
        if self.trainer.world_size > 1:
            own, parts = parts[0], [None] * self.trainer.world_size
            torch.distributed.all_gather_object(parts, own)
        scores = [score for part in parts for score in part]
        for name in dict.fromkeys(name for name, _ in scores):
            values = [value for other, value in scores if other == name]
            is_main = name == "val/psnr_db/all_in_focus/dfnet"
            self.log(name, sum(values) / len(values), prog_bar=is_main, sync_dist=True)

    def _log_answers(self, question: Question, pictures: dict[str, Tensor]) -> None:
        """W, the truth, and each answer with its error, side by side."""
        if (canvas := self._canvas) is not None and not self.trainer.sanity_checking:
            names = " | ".join(["W", "truth", *(f"{name} | error" for name in pictures)])
            name = f"val/{question.task}/{question.name}: {names}"
            canvas.add_image(name, comparison(question, pictures), self.global_step)

    @property
    def _canvas(self):
        """What takes pictures, such as TensorBoard's writer; None where nothing does."""
        canvas = None if self.logger is None else self.logger.experiment
        return canvas if hasattr(canvas, "add_image") else None

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        """Keep what rebuilds the network beside its weights, for `evaluate.py checkpoint=…`."""
        checkpoint["model"] = self.model.config

    def configure_optimizers(self) -> dict:
        """The optimiser, warm-up and cosine decay over all steps of the run."""
        optimizer = self.optimizer([p for p in self.model.parameters() if p.requires_grad])
        total = max(1, int(self.trainer.estimated_stepping_batches))

        def factor(step: int) -> float:
            warm = min(1.0, (step + 1) / max(1, self.warmup_steps))
            return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / total))))

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def _log_grid(self, batch: TrainingBatch, output: DFNetOutput) -> None:
        """One row per sample: the inputs, the answer, the truth, the finest mask."""
        if (canvas := self._canvas) is None:
            return
        sample = batch.sample
        columns = [
            sample.image_w,
            sample.uw_on_w,
            sample.occluded_w,
            0.5 + sample.defocus_w_px / (2 * _COC_SHOWN_PX),
            0.5 + sample.target_defocus_w_px / (2 * _COC_SHOWN_PX),
            output.image,
            batch.target,
            output.masks_by_scale[0][..., : batch.target.shape[-2], : batch.target.shape[-1]],
        ]
        shown = min(_SAMPLES_SHOWN, len(batch.target))
        rows = [c[i].detach().float().clamp(0, 1) for i in range(shown) for c in columns]
        grid = make_grid([cell.expand(3, -1, -1) for cell in rows], nrow=len(columns))
        names = "W | UW on W | occluded | defocus | target defocus | output | target | mask"
        canvas.add_image(f"train/{names}", grid, self.global_step)


def _freeze_others(model: nn.Module, only: list[str]) -> None:
    parts = {name for name, part in model.named_children() if part is not None}
    if unknown := set(only) - parts:
        raise InputError(
            f"task.only={list(only)}: the network has no part {', '.join(sorted(unknown))}\n"
            f"  It has {', '.join(sorted(parts))}."
        )
    for name, part in model.named_children():
        part.requires_grad_(name in only)
