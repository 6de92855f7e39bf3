"""The benchmark's own pairs and its ways to look at real ones."""

import cv2
import kornia
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from made_preprocessed import made_preprocessed

from dfnet.errors import InputError
from dfnet.evaluation.preprocessing.authors_map import compare_maps, levels_from_magma
from dfnet.evaluation.preprocessing.given_law import given_pair, run_matcher
from dfnet.evaluation.preprocessing.labels import agreeing_share, read_labels
from dfnet.evaluation.preprocessing.likeness import (
    DEFOCUSED_SHARE,
    detail_correlation,
    keypoint_agreement,
    most_defocused,
    ncc,
)
from dfnet.evaluation.preprocessing.real import RealPair, RealSet, consistent_share
from dfnet.evaluation.preprocessing.stereo import (
    NOISE_UW,
    NOISE_W,
    StereoFiles,
    as_ultrawide,
    fill_unknown,
    read_stereo,
    splat_hidden,
    stereo_case,
)
from dfnet.io.images import read_image, write_image
from dfnet.optics import BlurLaw
from dfnet.preprocess.match import EpipolarPair, Match, SemiGlobalMatcher

HEIGHT, WIDTH = 96, 160
LAW = BlurLaw(0.3, 10.0)


def texture(seed, height=HEIGHT, width=WIDTH):
    noise = torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))
    return (0.2 + 0.6 * F.avg_pool2d(noise, 3, 1, 1)).clamp(0, 1)


@pytest.fixture(scope="module")
def pair():
    """A wall of disparity 10, and before it a board of 30 (columns 60 to 99); left and right."""
    wall, board = texture(0, width=WIDTH + 40), texture(1, width=40)
    left, right = wall[..., 10 : 10 + WIDTH].clone(), wall[..., 20 : 20 + WIDTH].clone()
    disparity = torch.full((1, HEIGHT, WIDTH), 10.0)
    left[:, :, 60:100], right[:, :, 30:70] = board, board
    disparity[..., 60:100] = 30.0
    return left, right, disparity


class TestMadeStereo:
    def test_w_is_blurred_by_the_law_and_sharp_at_focus(self, pair):
        left, right, disparity = pair
        case = stereo_case("a", left, right, disparity, LAW)
        assert float(case.truth.defocus_w_px[0, 50, 80]) == pytest.approx(-6.0)  # 0.3 * (10 - 30)
        inner = np.s_[:, 20:-20, 110:150]
        noise = (case.image_w - left)[inner]
        assert float(noise.std()) == pytest.approx(NOISE_W, rel=0.1)
        board = np.s_[:, 20:-20, 70:90]
        kept = case.image_w[board].std() / left[board].std()
        assert 0.15 < float(kept) < 0.5  # a disc of 28 pixels averages grain of 3x3 away

    def test_the_board_covers_the_wall_softly(self, pair):
        left, right, disparity = pair
        white = torch.ones_like(left) * 0.9
        white[:, :, :60], white[:, :, 100:] = 0.1, 0.1
        case = stereo_case("a", white, right, disparity, LAW)
        row = case.image_w[1, 48]
        assert float(row[55]) < 0.15  # further out than the radius of 3
        assert 0.3 < float(row[58]) < 0.8
        assert float(row[65]) > 0.85

    def test_truth_is_the_shift(self, pair):
        left, right, disparity = pair
        truth = stereo_case("a", left, right, disparity, LAW).truth
        x, y = 80, 40
        landing = x + int(truth.flow_w_to_uw[0, y, x])
        assert torch.equal(left[:, y, x], right[:, y, landing])
        assert truth.flow_w_to_uw[1].abs().max() == 0

    def test_what_the_board_hides_is_known(self, pair):
        hidden = splat_hidden(pair[2])[0, 50]
        # The board lands on 30 to 69, where the wall's 40 to 79 would; of these, 40 to 59 show.
        assert torch.equal(torch.nonzero(hidden)[:, 0], torch.arange(40, 60))

    def test_unknown_takes_the_farther_neighbour_and_does_not_count(self, pair):
        left, right, disparity = pair
        holey = disparity.clone()
        holey[:, 30:40, 95:105] = 0.0
        filled = fill_unknown(holey)
        assert torch.equal(filled[:, :30], disparity[:, :30])
        assert float(filled[0, 35, 97]) == 10.0
        truth = stereo_case("a", left, right, holey, LAW).truth
        assert not truth.counted_w[0, 35, 97]
        assert truth.counted_w[0, 50, 97]
        assert not truth.counted_w[0, 50, 8:10].any()  # 9 - 10 lies left of UW's frame

    def test_uw_resolves_less_and_has_other_colours(self):
        gray = torch.full((3, HEIGHT, WIDTH), 0.5)
        seen = as_ultrawide(gray, torch.Generator().manual_seed(0))
        # By hand: each channel's row of the matrix sums to 1, so 0.5 ** 1.1.
        assert float(seen.mean()) == pytest.approx(0.5**1.1, abs=0.002)
        assert 0.6 * NOISE_UW < float(seen.std()) < NOISE_UW  # cubic interpolation averages some
        stripes = gray.clone()
        stripes[..., ::2] = 0.9
        seen = as_ultrawide(stripes, torch.Generator().manual_seed(0))
        assert float(seen.std()) < 0.1  # 0.2 before

    def test_pictures_are_read_and_reduced(self, tmp_path, pair):
        left, right, disparity = pair
        for name, image in (("l.png", left), ("r.png", right), ("d.png", disparity * 4 / 255)):
            write_image(image, tmp_path / name)
        read = read_stereo(tmp_path, StereoFiles("l.png", "r.png", "d.png", 4.0, 2))
        assert read[0].shape == (3, HEIGHT // 2, WIDTH // 2)
        assert float(read[2][0, 20, 40]) == pytest.approx(15.0)
        assert float(read[2][0, 20, 10]) == pytest.approx(5.0)

    def test_a_matcher_is_told_the_truth_at_its_scale(self, pair):
        case = stereo_case("a", *pair, BlurLaw(0.3, 24.0))
        asked = given_pair(case, 0.5)
        assert asked.gray_w.shape == (HEIGHT // 2, WIDTH // 2)
        assert asked.law == pytest.approx((0.3, -12.0))
        assert asked.motion_range == (-19.0, -1.0)
        assert asked.uw_scale == pytest.approx(0.5 / 0.6)

    def test_a_matcher_alone_finds_the_shift(self, pair):
        case = stereo_case("a", *pair, BlurLaw(0.01, 10.0))
        row = run_matcher("semi-global", SemiGlobalMatcher(), [case], 1.0)
        assert row.scores["a"].bad < 0.1


class TestDetail:
    def test_ncc_by_hand(self):
        a = np.array([[1.0, 2.0, 3.0, 99.0]])
        b = np.array([[2.0, 4.0, 7.0, -99.0]])
        # Deviations -1 0 1 and -7/3 -1/3 8/3: 5 / sqrt(2 * 114/9).
        where = np.array([[True, True, True, False]])
        assert ncc(a, b, where) == pytest.approx(5 / np.sqrt(2 * 114 / 9))

    def test_the_region_is_where_w_lost_detail(self):
        random = np.random.default_rng(0)
        truth = random.normal(size=(200, 300)).astype(np.float32)
        w = truth.copy()
        w[:, :120] *= 0.2  # 40 % of the columns
        region = most_defocused(w, truth, np.ones((200, 300), dtype=bool))
        assert region.mean() == pytest.approx(DEFOCUSED_SHARE, abs=0.01)
        assert region[:, :105].all()
        assert not region[:, 135:].any()

    def test_a_shifted_guide_correlates_less_and_tone_does_not_matter(self):
        grain, blobs = (
            F.interpolate(texture(2, 480 // k, 640 // k)[None], (480, 640), mode="bicubic")[0]
            for k in (4, 40)
        )
        sharp = (grain + blobs) / 2
        image_w = sharp.clone()
        image_w[..., :256] = kornia.filters.box_blur(sharp[None], 21)[0][..., :256]
        same, same_defocused = detail_correlation(0.6 * sharp + 0.3, image_w, sharp)
        assert same > 0.99
        assert same_defocused > 0.99
        moved = sharp.clone()
        moved[..., :256] = sharp.roll(4, -1)[..., :256]
        whole, defocused = detail_correlation(moved, image_w, sharp)
        assert defocused < 0.5
        assert 0.5 < whole < 0.8


def stub_result(flow, valid):
    return made_preprocessed(*flow.shape[-2:], flow_w_to_uw=flow, valid_w=valid)


def test_keypoints_judge_the_flow_and_what_is_called_valid():
    large = F.interpolate(texture(3, 80, 120)[None], scale_factor=4, mode="bicubic")[0].clamp(0, 1)
    image_w, image_uw = large[:, :, :460], large[:, :, 20:480]  # W x shows in UW at x - 20
    flow = torch.zeros(2, *image_w.shape[-2:])
    flow[0] = -20.0
    flow[1, 160:] = 6.0  # the lower half is off
    valid = torch.ones(1, *flow.shape[-2:], dtype=torch.bool)
    valid[:, 150:] = False
    met, met_valid = keypoint_agreement(stub_result(flow, valid), image_w, image_uw, 4.0)
    assert 0.3 < met < 0.7
    assert met_valid > 0.97
    met, _ = keypoint_agreement(stub_result(flow, valid), image_w, image_uw, 7.0)
    assert met > 0.97


def test_views_agree_where_going_there_and_back_ends_nearby():
    rows, columns, margin = 30, 60, 5
    motion = np.full((rows, columns), 5.0, dtype=np.float32)
    back = motion.copy()
    back[:10] = 5.0 + 3.0  # 3 px apart here, 6 at full size: no longer within
    there = motion.copy()
    there[10:15] = np.nan
    ones = np.ones_like(motion)
    asked = EpipolarPair(ones, ones, (-2.0, 5.0))
    image = torch.zeros(3, 2 * rows, 2 * (columns - 2 * margin))
    pair = RealPair("a", image, image, None, None, 1.0)
    share = consistent_share(asked, Match(there, back, ones, ones), pair)
    assert share == pytest.approx(15 / 30)


class TestAuthorsMap:
    def test_magma_is_undone(self):
        levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
        picture = cv2.applyColorMap(levels, cv2.COLORMAP_MAGMA)[..., ::-1].astype(np.float32) / 255
        found = levels_from_magma(torch.from_numpy(picture.copy()).permute(2, 0, 1))
        assert torch.equal((found[0] * 255).round(), torch.from_numpy(levels).float())

    def test_only_valid_pixels_are_compared_and_unit_and_size_do_not_matter(self):
        coc = torch.rand(1, 40, 60, generator=torch.Generator().manual_seed(0))
        valid = torch.ones(1, 80, 120, dtype=torch.bool)
        valid[..., :20] = False
        defocus = -30 * F.interpolate(coc[None], scale_factor=2)[0]
        defocus[..., :20] = 500.0
        result = stub_result(torch.zeros(2, 80, 120), valid)._replace(defocus_w_px=defocus)
        score = compare_maps(result, coc)
        assert score.pearson == pytest.approx(1.0, abs=1e-6)
        assert score.valid == pytest.approx(100 / 120)


def test_real_pairs_are_reduced_and_found(tmp_path):
    for scene in ("book", "staged"):
        (tmp_path / scene).mkdir()
        for name in ("wide", "ultrawide", "target"):
            write_image(texture(4, 128, 192), tmp_path / scene / f"{name}.png")
    pairs = list(RealSet(str(tmp_path), reduce=2))
    assert [p.name for p in pairs] == ["book", "staged"]
    assert pairs[0].image_w.shape == (3, 64, 96)
    assert pairs[0].all_in_focus is not None
    assert pairs[1].all_in_focus is None
    assert pairs[0].w_px_full == 2


def test_labels_are_held_against_the_map(tmp_path):
    (tmp_path / "a.txt").write_text("100 40 20 40\n\n20 40 100 40\n110 60 10 10\n90 20 30 30\n")
    labels = read_labels(tmp_path / "a.txt")
    disparity = torch.arange(64.0).expand(1, 48, 64)  # right is nearer; the map at half size
    assert agreeing_share(disparity, labels, 2.0) == 0.75
    assert agreeing_share(-disparity, labels, 2.0) == 0.25
    for text in ("1 2 3", "1 2 3 4\n5 6", "a b c d", ""):
        (tmp_path / "a.txt").write_text(text)
        with pytest.raises(InputError, match=r"a\.txt: not pairs of points"):
            read_labels(tmp_path / "a.txt")


def test_each_scene_has_its_own_labels(tmp_path):
    for scene in ("book", "staged"):
        (tmp_path / scene).mkdir()
        for name in ("wide", "ultrawide", "target"):
            write_image(texture(4, 128, 192), tmp_path / scene / f"{name}.png")
    (tmp_path / "staged.txt").write_text("1 2 3 4")
    book, staged = RealSet(str(tmp_path), labels=str(tmp_path))
    assert book.labels is None
    assert staged.labels.tolist() == [[1, 2, 3, 4]]


def test_stereo_benchmarks_pictures_are_read(tmp_path):
    """Binary PPM and PGM, as Middlebury's: 64 x 64, the first pixel red (255, 128, 0)."""
    (tmp_path / "a.ppm").write_bytes(b"P6 64 64 255\n" + bytes([255, 128, 0]) + bytes(3 * 4095))
    (tmp_path / "b.pgm").write_bytes(b"P5 64 64 255\n" + bytes([51]) + bytes(4095))
    assert read_image(tmp_path / "a.ppm")[:, 0, 0].tolist() == pytest.approx([1, 128 / 255, 0])
    assert float(read_image(tmp_path / "b.pgm")[0, 0, 0]) == pytest.approx(0.2)
