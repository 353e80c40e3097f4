//! Figures at every size of grid: nothing clipped, nothing overlapping, nothing empty.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use bakeoff_reports::{FIGURES, Results, Style, build};
use common::{Plan, SMALL, write_run};
use resvg::tiny_skia::Rect;
use resvg::usvg::{Group, Node, Options, Tree, fontdb};

/// One model and one task, the quick suite's size, a full grid with faults, and several seeds.
const SIZES: &[(&str, Plan)] = &[
    ("1x1", Plan { tasks: 1, models: 1, seeds: 1, examples: 300, faults: false }),
    ("5x3", Plan { tasks: 3, models: 5, seeds: 1, examples: 1000, faults: false }),
    ("8x3", SMALL),
    ("8x9", Plan { tasks: 9, models: 8, seeds: 1, examples: 200, faults: true }),
    ("2x2", Plan { tasks: 2, models: 2, seeds: 3, examples: 200, faults: false }),
];

/// Keeps the pictures under the target folder, where a person can look at them.
fn run_folder(size: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("figures").join(size);
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn texts(group: &Group, found: &mut Vec<(String, Rect)>) {
    for node in group.children() {
        match node {
            Node::Group(group) => texts(group, found),
            Node::Text(text) => {
                let words = text.chunks().iter().map(|chunk| chunk.text()).collect();
                found.push((words, text.abs_bounding_box()));
            }
            _ => {}
        }
    }
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    // Boxes are as high as the font, letters are not: a fifth of the height may be shared.
    let slack = 0.2 * a.height().min(a.width()).min(b.height().min(b.width()));
    a.left() + slack < b.right()
        && b.left() + slack < a.right()
        && a.top() + slack < b.bottom()
        && b.top() + slack < a.bottom()
}

fn parse(svg: &str) -> Tree {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(include_bytes!("../fonts/DejaVuSans.ttf").to_vec());
    Tree::from_str(svg, &Options { fontdb: Arc::new(fonts), ..Options::default() }).unwrap()
}

#[test]
fn no_text_is_clipped_or_lies_on_another_at_any_size() {
    for (size, plan) in SIZES {
        let dir = write_run(&run_folder(size), plan);
        build(&dir).unwrap();
        for entry in fs::read_dir(dir.path().join("figures")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "svg") {
                continue;
            }
            let tree = parse(&fs::read_to_string(&path).unwrap());
            let mut found = Vec::new();
            texts(tree.root(), &mut found);
            assert!(!found.is_empty(), "{} has no text", path.display());
            let (width, height) = (tree.size().width(), tree.size().height());
            for (index, (text, place)) in found.iter().enumerate() {
                let inside =
                    place.left() >= 0.0 && place.top() >= 0.0 && place.right() <= width && place.bottom() <= height;
                assert!(inside, "{}: '{text}' at {place:?} is clipped", path.display());
                for (other, other_place) in &found[index + 1..] {
                    assert!(!overlap(place, other_place), "{}: '{text}' lies on '{other}'", path.display());
                }
            }
        }
    }
}

#[test]
fn every_registered_figure_draws_the_small_run_and_nothing_of_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &SMALL);
    let results = Results::load(&dir).unwrap();
    fs::remove_file(dir.records_path()).unwrap();
    let empty = Results::load(&dir).unwrap();
    for figure in FIGURES {
        let drawn = figure.draw(&results, &Style::default()).unwrap();
        assert!(!drawn.pictures.is_empty(), "{} draws nothing", figure.name());
        for picture in &drawn.pictures {
            assert!(picture.name.starts_with(figure.name()), "{}", picture.name);
            assert!(!picture.caption.is_empty(), "{}", picture.name);
        }
        assert!(
            figure.draw(&empty, &Style::default()).unwrap().pictures.is_empty(),
            "{} draws an empty panel",
            figure.name()
        );
    }
}

#[test]
fn figures_cap_their_panels_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { tasks: 14, models: 5, seeds: 1, examples: 20, faults: false };
    let built = build(&write_run(folder.path(), &plan)).unwrap();
    for figure in ["quality", "latency", "accuracy-latency", "accuracy-energy", "curves"] {
        let expected = format!("Figure {figure} shows the first 12 of 14 panels");
        assert!(built.remarks.iter().any(|remark| remark.contains(&expected)), "{figure}: {:?}", built.remarks);
    }
    assert!(
        built.remarks.iter().any(|remark| remark.contains("Confusion matrices are drawn for the first 24 cases")),
        "{:?}",
        built.remarks
    );
}

#[test]
fn a_name_with_characters_that_xml_forbids_costs_no_picture() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &Plan { tasks: 1, models: 1, seeds: 1, examples: 50, faults: false });
    let bad = "bird\u{1b}[31m\u{fffe}";
    let mut info = dir.info().unwrap();
    info.tasks[0].classes.iter_mut().filter(|class| *class == "bird").for_each(|class| *class = bad.to_owned());
    dir.write_info(&info).unwrap();
    let predictions = dir.predictions_path(&info.cases[0].case);
    fs::write(&predictions, fs::read_to_string(&predictions).unwrap().replace("bird", bad)).unwrap();
    build(&dir).unwrap();
    let figure = folder.path().join(format!("figures/confusion-{}.svg", info.cases[0].case));
    let svg = fs::read_to_string(figure).unwrap();
    assert!(
        svg.contains("bird\u{fffd}[31m\u{fffd}") && !svg.contains('\u{1b}'),
        "the name is there, without the bad ones"
    );
}
