"""Figures with what they may be off by, in every form; the page, read strictly."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from made_report import ROWS, SPOT, exhibits, made_report, made_scores, row
from PIL import Image
from rich.console import Console

from dfnet.evaluation.asking import Asking
from dfnet.evaluation.intervals import bootstrap, differences, summaries
from dfnet.evaluation.plan import Plan
from dfnet.evaluation.report.columns import COLUMNS, places
from dfnet.evaluation.report.files import write_csv
from dfnet.evaluation.report.pictures import most_different
from dfnet.evaluation.report.tables import console_table, latex_rows, task_tables
from dfnet.evaluation.report.write import print_scores
from dfnet.evaluation.score import Row


def test_the_interval_is_the_spread_of_resampled_means():
    values = np.random.default_rng(1).normal(5.0, 2.0, 40)
    found = bootstrap(values)
    assert found.mean == pytest.approx(values.mean())
    standard_error = values.std() / np.sqrt(40)
    assert found.low == pytest.approx(values.mean() - 1.96 * standard_error, abs=0.08)
    assert found.high == pytest.approx(values.mean() + 1.96 * standard_error, abs=0.08)
    assert bootstrap(values) == found


def test_one_scene_has_no_interval_and_says_so():
    assert bootstrap([3.0])[1:] == (None, None, 1)
    assert COLUMNS["psnr_db"].with_interval(bootstrap([3.0])) == "3.00 (n=1)"


def test_a_paired_difference_is_clear_where_the_means_overlap():
    means = {s.method: s.interval for s in summaries(ROWS) if s.metric == "psnr_db"}
    assert means["ours"].low < means["plain & simple"].high  # scenes differ more than methods
    pair = next(d for d in differences(ROWS, "all", "psnr_db") if d.other == "ours")
    assert pair.method == "plain & simple"
    assert pair.interval.mean == pytest.approx(-1.15)
    missing = [r for r in ROWS if (r.scene, r.method) != ("s3", "ours")]
    pair = next(d for d in differences(missing, "all", "psnr_db") if d.other == "ours")
    assert pair.interval.n == 3
    assert pair.interval.mean == pytest.approx(-1.1)


def test_a_difference_is_clear_only_where_chance_seldom_makes_it():
    def verdict(gains):
        rows = [row(f"s{i}", "base", 20.0 + 3 * i) for i in range(len(gains))]
        rows += [row(f"s{i}", "new", 20.0 + 3 * i + g) for i, g in enumerate(gains)]
        (pair,) = differences(rows, "all", "psnr_db")
        return pair.verdict

    assert verdict([1.0, 1.1, 0.9, 1.0, 1.2]) == "too few scenes"  # all of 5: 1 in 16 by chance
    assert verdict([1.0, 1.1, 0.9, 1.0, 1.2, 1.0]) == "yes"
    assert verdict([1.0, -1.1, 0.9, -1.0, 1.2, -1.0]) == "no"
    assert verdict([-1.0, -1.1, -0.9, -1.0, -1.2, -1.0]) == "yes"


def test_places_go_by_the_metrics_better_end():
    values = {"a": 0.7, "b": 0.9, "c": 1.2}
    assert places("ssim", values) == {"c": 1, "b": 2}
    assert places("lpips", values) == {"a": 1, "b": 2}
    assert places("gradient_ratio", values) == {"b": 1, "c": 2}
    assert places("shift_px", values) == {}
    assert places("ssim", {"a": 0.5, "b": 0.5, "c": 0.4}) == {"a": 1, "b": 1, "c": 2}


def test_a_ceiling_stands_in_the_tables_and_takes_no_place():
    ranked = [row(f"s{i}", name, 20.0 + p + i) for i in range(2) for p, name in enumerate("abc")]
    (table,) = task_tables(summaries(ranked), ceilings={"c"})
    assert {name: cells[0].place for name, (cells, _) in table.rows.items()} == {
        "a": 2,
        "b": 1,
        "c": 0,
    }


def test_no_table_shows_a_bare_mean():
    tables = task_tables(summaries([*ROWS, row("s0", "ours", 12.0, band="occluded")]))
    cells = [cell.text for table in tables for cells, _ in table.rows.values() for cell in cells]
    assert cells
    assert all(re.fullmatch(r"[\d.]+ (\[[\d.]+, [\d.]+\]|\(n=1\))", text) for text in cells)
    console = Console(width=120, file=io.StringIO())
    console.print(console_table(tables[0]))
    assert "[26.75,34.75]" not in console.file.getvalue()
    assert "28.65" in console.file.getvalue()  # 27.5 + 1.15
    assert "PSNR [dB]" in console.file.getvalue()


def test_many_metrics_stand_below_each_other():
    names = [name for name in COLUMNS if name != "psnr_db"][:7]
    rows = [row("s0", method, mean) for method, mean in (("a", 20.0), ("b", 30.0))]
    rows = [r._replace(metrics=r.metrics | dict.fromkeys(names, 1.0)) for r in rows]
    (table,) = task_tables(summaries(rows))
    assert len(table.metrics) > 6
    console = Console(width=80, file=io.StringIO())
    console.print(console_table(table))
    lines = console.file.getvalue().splitlines()
    assert "a" in lines[2].split()
    assert "b" in lines[2].split()
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]
    assert ["PSNR [dB]", "20.00 (n=1)", "30.00 (n=1)"] in cells
    assert cells[-1] == ["scenes", "1", "1"]


def test_latex_rows_are_escaped_and_ranked():
    text = latex_rows(task_tables(summaries(ROWS)))
    ours = next(line for line in text.splitlines() if line.startswith("ours"))
    assert ours.count("\\textbf{") == 2
    assert ours.endswith(" & 4 \\\\")
    assert "plain \\& simple & \\underline{27.50 [" in text


def test_the_sheet_has_a_line_per_scene_task_method_and_part_in_full(tmp_path):
    rows = [
        row("a,b", "ours", 1 / 3, flags=("odd", "late")),
        row("c", "ours", 2.0, band="occluded"),
    ]
    write_csv(rows, tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["scene"] for line in lines] == ["a,b", "c"]
    assert float(lines[0]["psnr_db"]) == 1 / 3
    assert lines[0]["flags"] == "odd; late"
    assert lines[1]["band"] == "occluded"


def test_the_crop_lies_where_methods_differ(tmp_path):
    entries = exhibits(tmp_path)
    paths = [entries[m].picture("refocus_picture") for m in ("ours", "third")]
    spot = most_different(paths)
    box = spot.box
    assert box.left <= SPOT[1] < box.left + box.side
    assert box.top <= SPOT[0] < box.top + box.side
    assert most_different(paths[:1]) is None


def test_the_crop_lies_where_a_large_picture_is_scored(tmp_path):
    one, other = (np.full((700, 1400), 128, np.uint8) for _ in range(2))
    other[4:28] = 255  # of a picture this wide, 33 px of margin are left out
    other[300:310, 600:610] = 190
    paths = [tmp_path / "one.png", tmp_path / "other.png"]
    for pixels, path in zip((one, other), paths, strict=True):
        Image.fromarray(pixels).save(path)
    box = most_different(paths).box
    assert box.top <= 300
    assert box.top + box.side >= 310


@pytest.fixture
def scores(tmp_path):
    return made_scores(tmp_path)


@pytest.fixture
def report(scores, tmp_path):
    return made_report(scores, tmp_path)


def test_the_record_holds_every_row_and_repeats_itself(report, scores):
    record = json.loads(report[0].read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert [Row(**{**r, "flags": tuple(r["flags"])}) for r in record["rows"]] == scores.rows
    assert record["settings"]["data"] == {"root": "a & b"}
    assert {"command", "torch", "code_and_weights_sha256"} <= set(record["environment"])
    assert set(record["files_sha256"]) == {"released weights", record["settings"]["checkpoint"]}
    mean = next(m for m in record["means"] if (m["method"], m["metric"]) == ("ours", "psnr_db"))
    assert mean["mean"] == pytest.approx(28.65)
    assert mean["low"] < mean["mean"] < mean["high"]
    assert record["skipped"] == ["s3, identity: no <ultra-wide> photo"]


def test_the_page_is_well_formed_and_needs_nothing_else(report):
    text = report[-1].read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    tree = ET.fromstring(text.split("\n", 1)[1])
    name = "{http://www.w3.org/1999/xhtml}"
    sources = [image.get("src") for image in tree.iter(f"{name}img")]
    assert len(sources) > 10
    assert all(source is None or source.startswith("data:image/") for source in sources)
    assert not list(tree.iter(f"{name}link"))
    assert "http" not in text.replace("http://www.w3.org/1999/xhtml", "")
    said = " ".join(tree.itertext())
    assert "s3, identity: no <ultra-wide> photo" in said
    assert "doubtful: s1, refocus, ours: gain beyond 15 %" in said
    assert "plain & simple less ours" in said
    assert "4 scenes, a selection." in said
    first = [cell.text for cell in tree.iter(f"{name}td") if cell.get("class") == "first"]
    assert any(text.startswith("28.65 [") for text in first)


def test_what_the_terminal_says_of_doubts(scores):
    console = Console(width=120, file=io.StringIO())
    print_scores(scores, Plan({}, Asking()), console)
    text = console.file.getvalue()
    assert "left out: s3, identity: no <ultra-wide> photo" in text
    assert "doubtful: s1, refocus, ours: gain beyond 15 %" in text
