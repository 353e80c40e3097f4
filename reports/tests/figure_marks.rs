//! What the marks of figures promise: single seeds, single latencies, calibration, and that marks stay apart where numbers are
//! nearly equal.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "common/apart.rs"]
mod apart;
mod common;
#[path = "common/drawn.rs"]
mod drawn;
#[path = "common/pictures.rs"]
mod pictures;

use std::fs;
use std::path::Path;

use apart::assert_texts_are_apart;
use bakeoff_reports::{Look, RunDir, Style, build};
use common::{Plan, SMALL, write_run};
use drawn::drawn;
use pictures::{has_text, parse};
use resvg::tiny_skia::Rect;
use resvg::usvg::{Group, Node, Paint};

const THREE_SEEDS: Plan = Plan { tasks: 1, models: 4, seeds: 3, examples: 100, faults: false, ..SMALL };

fn picture(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(format!("figures/{name}.svg"))).unwrap()
}

/// The places of the areas in the colour of a model that are as large as a marker.
fn markers(group: &Group, found: &mut Vec<Rect>) {
    let colors = Style::default().series;
    for node in group.children() {
        match node {
            Node::Group(group) => markers(group, found),
            Node::Path(path) => {
                let Some(Paint::Color(color)) = path.fill().map(|fill| fill.paint()) else { continue };
                let is_of_model = colors.iter().any(|of| (of.0, of.1, of.2) == (color.red, color.green, color.blue));
                let place = path.abs_bounding_box();
                if is_of_model && place.width().max(place.height()) > millimetres(1.5) {
                    found.push(place);
                }
            }
            _ => {}
        }
    }
}

/// Millimetres in SVG pixels.
fn millimetres(mm: f32) -> f32 {
    mm * 96.0 / 25.4
}

/// Gives every case of a task the same numbers and answers, but for less than a billionth.
fn make_nearly_equal(dir: &RunDir) {
    let mut records = dir.records().unwrap().rows;
    let first = records.clone();
    for (index, row) in records.iter_mut().enumerate() {
        let is_same = |other: &&bakeoff_reports::Record| {
            (&other.task, &other.phase, &other.metric) == (&row.task, &row.phase, &row.metric) && other.value.is_some()
        };
        if row.value.is_some() {
            let value = first.iter().find(is_same).unwrap().value.unwrap();
            row.value = Some(value * (1.0 + 1e-13 * index as f64));
        }
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    let cases = dir.info().unwrap().cases;
    for case in &cases {
        let same = cases.iter().find(|other| other.task == case.task && other.trial.is_none()).unwrap();
        if case.trial.is_none() && case.case != same.case {
            std::fs::copy(dir.predictions_path(&same.case), dir.predictions_path(&case.case)).unwrap();
        }
    }
    let mut curves = dir.curves().unwrap().unwrap().rows;
    let of_first: Vec<_> = curves.iter().take(8).cloned().collect();
    for row in &mut curves {
        let same = &of_first[row.epoch - 1];
        (row.train_loss, row.elapsed_s, row.energy_j) = (same.train_loss, same.elapsed_s, same.energy_j);
    }
    dir.write_rows(&dir.curves_path(), &curves).unwrap();
}

#[test]
fn nearly_equal_numbers_hide_no_text_and_no_marker() {
    let plan = Plan { tasks: 3, models: 8, seeds: 1, examples: 100, faults: false, trials: 3, axes: false };
    for plan in [plan.clone(), Plan { axes: true, ..plan }] {
        let folder = tempfile::tempdir().unwrap();
        let dir = write_run(folder.path(), &plan);
        make_nearly_equal(&dir);
        for look in [Look::Web, Look::PaperSingle] {
            for (name, svg) in drawn(&dir, look) {
                assert_texts_are_apart(&name, &svg);
                let mut found = Vec::new();
                markers(parse(&svg).root(), &mut found);
                let middle = |place: &Rect| (place.left() + place.width() / 2.0, place.top() + place.height() / 2.0);
                for (index, place) in found.iter().enumerate() {
                    for other in &found[index + 1..] {
                        let ((x, y), (to, end)) = (middle(place), middle(other));
                        // The middle of a triangle's box is not the middle of its corners.
                        let distance = (x - to).hypot(y - end);
                        assert!(distance > millimetres(0.9), "{look:?} {name}: a marker covers another: {distance} px");
                    }
                }
            }
        }
    }
}

#[test]
fn quality_has_a_dot_for_every_seed_and_none_for_a_single_one() {
    let dots = |seeds| {
        let folder = tempfile::tempdir().unwrap();
        build(&write_run(folder.path(), &Plan { seeds, ..THREE_SEEDS })).unwrap();
        let svg = picture(folder.path(), "quality");
        // A circle with a title says what a marker is, and is not painted.
        svg.matches("<circle").count() - svg.matches("</title></circle>").count()
    };
    assert_eq!((dots(1), dots(3), dots(5)), (0, 4 * 3, 4 * 5));
}

#[test]
fn a_scatter_has_bars_on_both_axes_if_there_are_several_seeds() {
    // Bars have the thinnest line in the colour of a model.
    let bars = |seeds| {
        let folder = tempfile::tempdir().unwrap();
        build(&write_run(folder.path(), &Plan { seeds, ..THREE_SEEDS })).unwrap();
        ["accuracy-fit-time", "accuracy-latency"].map(|name| {
            let svg = picture(folder.path(), name);
            let color = Style::default().series[0];
            let stroke = format!("stroke=\"#{:02X}{:02X}{:02X}\" stroke-width=\"2\"", color.0, color.1, color.2);
            svg.matches(&stroke).count()
        })
    };
    assert_eq!((bars(1), bars(3)), ([0, 0], [2, 2]));
}

#[test]
fn reliability_has_a_panel_for_each_task_whose_answers_have_probabilities() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &Plan { tasks: 3, ..THREE_SEEDS });
    build(&dir).unwrap();
    let svg = picture(folder.path(), "reliability");
    assert!(has_text(&svg, "cifar10") && has_text(&svg, "sst2") && !has_text(&svg, "cifar10-rotation"), "{svg}");
    assert_eq!(svg.matches(", ECE 0.").count(), 2 * 4, "each model of a panel has its error");
    for case in dir.info().unwrap().cases {
        let path = dir.predictions_path(&case.case);
        let mut rows = dir.predictions(&case.case).unwrap().unwrap().rows;
        rows.iter_mut().for_each(|row| row.probabilities.clear());
        dir.write_rows(&path, &rows).unwrap();
    }
    build(&dir).unwrap();
    assert!(!folder.path().join("figures/reliability.svg").exists(), "there are no probabilities");
}

#[test]
fn readings_that_are_missing_cost_a_figure_and_damaged_ones_a_remark() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &THREE_SEEDS);
    let cases = dir.info().unwrap().cases;
    fs::write(dir.readings_path(&cases[0].case), "no gzip").unwrap();
    let built = build(&dir).unwrap();
    let expected =
        format!("The readings of 1 case cannot be read, so the figures latency-ecdf and power lack {}.", cases[0].case);
    assert!(built.remarks.contains(&expected), "{:?}", built.remarks);
    assert!(has_text(&picture(folder.path(), "latency-ecdf"), "share of predictions"));
    fs::remove_dir_all(folder.path().join("readings")).unwrap();
    let built = build(&dir).unwrap();
    assert!(!folder.path().join("figures/latency-ecdf.svg").exists(), "a figure without its numbers must go");
    assert!(!built.remarks.iter().any(|remark| remark.contains("readings")), "{:?}", built.remarks);
}
