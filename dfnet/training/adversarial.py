"""Training against a critic that tells answers from truth, patch by patch (PatchGAN).

After Isola et al., "Image-to-image translation with conditional adversarial networks", 2017, with
the hinge loss and spectral norms that keep the critic's slope in bounds (Miyato et al., 2018).
"""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from dfnet.errors import InputError
from dfnet.training.samples import TrainingBatch
from dfnet.training.task import RefocusTask

_DEFOCUS_UNIT_PX = 16.0


class PatchCritic(nn.Module):
    """How real each patch of a picture looks, given the blur that was wanted.

    Args:
        width: channels of the first layer; doubled at each of the two that follow.
    """

    def __init__(self, width: int = 32):
        super().__init__()
        widths = [4, width, 2 * width, 4 * width]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [spectral_norm(nn.Conv2d(before, after, 4, 2, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1)))

    def forward(self, image: Tensor, target_defocus_w_px: Tensor) -> Tensor:
        """Scores (B, 1, H/8, W/8), above 0 for real; each looks at 38 px of the picture."""
        wanted = target_defocus_w_px / _DEFOCUS_UNIT_PX
        return self.layers(torch.cat([image - 0.5, wanted], dim=1))


def critic_loss(real: Tensor, made: Tensor) -> Tensor:
    """Hinge loss: 0 once real patches score 1 or more and made ones -1 or less; 2 at chance."""
    return F.relu(1 - real).mean() + F.relu(1 + made).mean()


class AdversarialTask(RefocusTask):
    """The refocusing task with a critic; `configs/experiment/adversarial.yaml` sets it up.

    Args:
        adversarial: weight of the critic's opinion beside the loss.
        critic_width: see `PatchCritic`.
        critic_lr: learning rate of the critic, constant.
        clip: largest norm of the network's gradient; the trainer cannot clip for this task.
        **task: of `RefocusTask`.
    """

    def __init__(
        self, adversarial: float, critic_width: int, critic_lr: float, clip: float, **task
    ):
        super().__init__(**task)
        self.automatic_optimization = False
        self.adversarial, self.critic_lr, self.clip = adversarial, critic_lr, clip
        self.critic = PatchCritic(critic_width)

    def on_fit_start(self) -> None:
        """Refuse several processes: two networks that wait for each other's gradients."""
        if self.trainer.world_size > 1:
            raise InputError(
                "AdversarialTask: runs in one process only\n  Use trainer=gpu, or trainer=default."
            )

    def training_step(self, batch: TrainingBatch, batch_index: int) -> None:
        """One step of the network, then one of the critic."""
        # Only the network's steps count as the trainer's: averaging and schedules go by them.
        optimizer, critic_optimizer = self.optimizers()[0], self.optimizers(False)[1]
        output, loss = self.loss_of(batch, batch_index)
        wanted = batch.sample.target_defocus_w_px
        self.critic.requires_grad_(False)
        opinion = self.critic(output.image, wanted).float().mean()
        optimizer.zero_grad()
        self.manual_backward(loss - self.adversarial * opinion)
        self.clip_gradients(optimizer, self.clip, "norm")
        optimizer.step()
        self.lr_schedulers().step()

        self.critic.requires_grad_(True)
        real = self.critic(batch.target, wanted).float()
        made = self.critic(output.image.detach(), wanted).float()
        judged = critic_loss(real, made)
        critic_optimizer.zero_grad()
        self.manual_backward(judged)
        critic_optimizer.step()
        right = 0.5 * ((real > 0).float().mean() + (made < 0).float().mean())
        self.log_dict({"train/critic_loss": judged, "train/critic_right": right})

    def configure_optimizers(self) -> list[dict]:
        """The network's optimiser with its schedule, and the critic's."""
        own = super().configure_optimizers()
        critic = torch.optim.Adam(self.critic.parameters(), self.critic_lr, betas=(0.5, 0.9))
        return [own, {"optimizer": critic}]
