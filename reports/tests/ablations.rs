//! Figures of lines against the values of a parameter: what is drawn can be seen.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "common/grids.rs"]
mod grids;
#[path = "common/mixed.rs"]
mod mixed;
#[path = "common/pictures.rs"]
mod pictures;
#[path = "common/renamed.rs"]
mod renamed;

use std::fs;

use bakeoff_reports::{Style, build};
use common::{Plan, SMALL, write_run};
use grids::make_grid;
use mixed::MIXED;
use pictures::{has_text, parse, texts};
use resvg::tiny_skia::Rect;
use resvg::usvg::{Color, Group, Node, Paint};

/// The ablation of a run of which each case is right in the share of its rows that `accuracy` gives for its seed.
fn ablation(seeds: usize, accuracy: impl Fn(u64) -> f64) -> String {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &Plan { tasks: 1, seeds, faults: false, ..SMALL });
    make_grid(&dir, MIXED);
    for case in dir.info().unwrap().cases {
        let path = dir.predictions_path(&case.case);
        let mut rows = dir.predictions(&case.case).unwrap().unwrap().rows;
        let right = (accuracy(case.seed) * rows.len() as f64).round() as usize;
        let wrong = [rows[0].target.clone(), rows[1].target.clone()];
        for (at, row) in rows.iter_mut().enumerate() {
            let is_wrong = |class: &&String| **class != row.target;
            row.prediction = if at < right { row.target.clone() } else { wrong.iter().find(is_wrong).unwrap().clone() };
        }
        dir.write_rows(&path, &rows).unwrap();
    }
    let mut records = dir.records().unwrap().rows;
    for row in records.iter_mut().filter(|row| row.metric == "accuracy") {
        let rows = SMALL.examples as f64;
        row.value = Some((accuracy(row.seed) * rows).round() / rows);
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    build(&dir).unwrap();
    fs::read_to_string(folder.path().join("figures/ablation.svg")).unwrap()
}

/// Adds what is drawn in the colour of a model: whether it is filled, and its place.
fn of_models(group: &Group, found: &mut Vec<(bool, Rect)>) {
    let is_a_models = |paint: &Paint| {
        let Paint::Color(Color { red, green, blue }) = *paint else { return false };
        Style::default().series.iter().any(|color| (color.0, color.1, color.2) == (red, green, blue))
    };
    for node in group.children() {
        match node {
            Node::Group(group) => of_models(group, found),
            Node::Path(path) => {
                let is_filled = path.fill().is_some_and(|fill| is_a_models(fill.paint()));
                if is_filled || path.stroke().is_some_and(|stroke| is_a_models(stroke.paint())) {
                    found.push((is_filled, path.abs_stroke_bounding_box()));
                }
            }
            _ => {}
        }
    }
}

#[test]
fn markers_of_equal_scores_stand_beside_each_other() {
    let mut drawn = Vec::new();
    of_models(parse(&ablation(1, |_| 0.5)).root(), &mut drawn);
    let markers: Vec<Rect> = drawn.into_iter().filter(|(is_filled, _)| *is_filled).map(|(_, place)| place).collect();
    // Panels of four, four, three and two points, and the four names of lines.
    assert_eq!(markers.len(), 17, "{markers:?}");
    let middle = |place: &Rect| (place.left() + place.width() / 2.0, place.top() + place.height() / 2.0);
    for (index, one) in markers.iter().enumerate() {
        for other in &markers[index + 1..] {
            let ((x, y), (other_x, other_y)) = (middle(one), middle(other));
            let distance = (x - other_x).hypot(y - other_y);
            assert!(distance > 0.35 * one.width(), "{one:?} hides {other:?}");
        }
    }
}

#[test]
fn numbers_are_joined_by_lines_and_words_and_switches_are_not() {
    let svg = ablation(1, |_| 0.5);
    // Two lines over two numbers and one over three; a kernel is a word, a flip is a switch.
    for title in ["crop of resnet", "c of svm", "kernel of svm", "flip of resnet", "on cifar10"] {
        assert!(has_text(&svg, title), "{title}: {svg}");
    }
    // The rims of markers are as wide as lines, and white.
    let [all, rims] =
        ["", "stroke=\"#FFFFFF\" "].map(|color| svg.matches(&format!("{color}stroke-width=\"4\"")).count());
    assert_eq!(all - rims, 2 + 2, "{svg}");
}

#[test]
fn the_word_floor_lies_on_no_marker_and_no_bar() {
    // Bars over the whole axis at each value, so that both ends of the floor's line are taken.
    let tree = parse(&ablation(2, |seed| if seed == 1 { 0.0 } else { 1.0 }));
    let (mut words, mut drawn) = (Vec::new(), Vec::new());
    texts(tree.root(), &mut words);
    of_models(tree.root(), &mut drawn);
    let floors: Vec<Rect> = words.into_iter().filter(|(text, _)| text == "floor").map(|(_, place)| place).collect();
    assert_eq!(floors.len(), 4);
    for floor in floors {
        for (_, place) in &drawn {
            assert!(floor.intersect(place).is_none(), "the floor at {floor:?} is struck through at {place:?}");
        }
    }
}
