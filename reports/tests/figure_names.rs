//! Figures of runs with names that a picture cannot write: no box in place of a glyph, and a key.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "common/pictures.rs"]
mod pictures;
#[path = "common/renamed.rs"]
mod renamed;
#[path = "common/written.rs"]
mod written;

use std::fs;

use bakeoff_reports::{RunDir, build};
use common::{Plan, SMALL, write_run};
use pictures::{has_text, parse, texts};
use proptest::prelude::*;
use renamed::rename;
use resvg::usvg::{Group, Node};
use written::pictures;

/// The texts of a picture in which a glyph is missing: glyph 0 is the box that stands for it.
fn with_boxes(group: &Group) -> Vec<String> {
    let mut found = Vec::new();
    for node in group.children() {
        match node {
            Node::Group(group) => found.extend(with_boxes(group)),
            Node::Text(text) => {
                let mut glyphs = text.layouted().iter().flat_map(|span| &span.positioned_glyphs);
                if glyphs.any(|glyph| glyph.id.0 == 0) {
                    found.push(text.chunks().iter().map(|chunk| chunk.text()).collect());
                }
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_name_with_characters_that_xml_forbids_costs_no_picture() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(
        folder.path(),
        &Plan { tasks: 1, models: 1, seeds: 1, examples: 50, faults: false, trials: 0, axes: false },
    );
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

/// Every picture of a run, by its name.
fn all_pictures(dir: &RunDir) -> Vec<(String, String)> {
    pictures(&dir.path().join("figures"))
}

#[test]
fn names_that_a_figure_would_cut_to_the_same_text_are_numbers_with_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &SMALL);
    rename(&dir, &[("airplane", "customer complaint on bills"), ("automobile", "customer complaint on billing")]);
    let built = build(&dir).unwrap();
    let matrix = fs::read_to_string(folder.path().join("figures/confusion-cifar10.resnet.n2000.s1.cpu.svg")).unwrap();
    assert!(matrix.contains("#1 = customer complaint on bills, #2 = customer complaint on billing"), "{matrix}");
    for text in ["#1 = customer complaint on bills", "#2 = customer complaint on billing"] {
        assert!(has_text(&matrix, text), "the key is in the picture: {matrix}");
    }
    let mut found = Vec::new();
    let tree = parse(&matrix);
    texts(tree.root(), &mut found);
    let top = |text: &str| found.iter().find(|(other, _)| other == text).unwrap().1.top();
    assert!(top("#1 = customer complaint on bills") > top("predicted class"), "the key is below");
    assert!(
        built.remarks.iter().any(|remark| remark.contains("would cut two names to the same text")),
        "{:?}",
        built.remarks
    );
}

#[test]
fn names_without_glyphs_are_numbers_with_a_key_and_no_picture_has_a_box() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(
        folder.path(),
        &Plan { tasks: 3, models: 3, seeds: 1, examples: 100, faults: false, trials: 0, axes: false },
    );
    let renamed = [
        ("negative", "差评"),
        ("positive", "👍 好"),
        ("bird", "cafe\u{301}"),
        ("cat", "سلام"),
        ("dog", "नमस्ते"),
        ("sst2", "影评 <1>"),
        ("°", "分"),
        ("lstm", "长短期"),
    ];
    rename(&dir, &renamed);
    let built = build(&dir).unwrap();
    for (name, svg) in all_pictures(&dir) {
        let boxes = with_boxes(parse(&svg).root());
        assert!(boxes.is_empty(), "{name}: {boxes:?}");
    }
    let picture = |wanted: &str| all_pictures(&dir).into_iter().find(|(name, _)| name == wanted).unwrap().1;
    // In the order in which the run names them: the tasks' names, units and classes, then the models.
    let matrix = picture("confusion-sst2.lstm.n2000.s1.cpu");
    assert!(matrix.contains(" Key: #2 = 影评 &lt;1&gt;, #3 = 差评, #4 = 👍 好, #6 = 长短期.</desc>"), "{matrix}");
    assert!(matrix.contains("<title>#2: #6, seed 1</title>"), "{matrix}");
    assert!(has_text(&matrix, "#2, #3, #4, #6: see the report"), "the font cannot draw them: {matrix}");
    let matrix = picture("confusion-cifar10.resnet.n2000.s1.cpu");
    assert!(matrix.contains(" Key: #1 = नमस्ते.</desc>"), "{matrix}");
    assert!(matrix.contains("cafe\u{301}") && matrix.contains("سلام"), "what the font has is written out");
    let quality = picture("quality");
    assert!(quality.contains("#2") && quality.contains("#5²") && !quality.contains("#3"), "{quality}");
    let html = fs::read_to_string(dir.report_path()).unwrap();
    assert!(html.contains("<strong>Key: </strong>#2 = 影评 &lt;1&gt;, #3 = 差评, #4 = 👍 好, #6 = 长短期."), "{html}");
    let expected = "The figures write numbers in place of some names, because their font lacks a character or because they \
                    would cut two names to the same text: #1 = नमस्ते, #2 = 影评 <1>, #3 = 差评, #4 = 👍 好, #5 = 分, #6 = 长短期. \
                    The key below a figure names those that it shows.";
    assert!(built.remarks.iter().any(|remark| remark == expected), "{:?}", built.remarks);
    assert!(built.terminal_table.contains("长短期"), "tables write the names");
}

#[test]
fn a_run_whose_names_have_glyphs_has_no_key_and_no_remark() {
    let folder = tempfile::tempdir().unwrap();
    let built = build(&write_run(folder.path(), &SMALL)).unwrap();
    assert!(!built.remarks.iter().any(|remark| remark.contains("font")), "{:?}", built.remarks);
    assert!(!fs::read_to_string(folder.path().join("report.html")).unwrap().contains("Key: "));
}

#[test]
fn a_name_that_looks_like_a_number_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(
        folder.path(),
        &Plan { tasks: 2, models: 1, seeds: 1, examples: 50, faults: false, trials: 0, axes: false },
    );
    rename(&dir, &[("negative", "#1"), ("positive", "好评")]);
    build(&dir).unwrap();
    let matrix = all_pictures(&dir).into_iter().find(|(name, _)| name.starts_with("confusion-sst2")).unwrap().1;
    assert!(matrix.contains(" Key: #2 = 好评.</desc>"), "{matrix}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn no_name_in_any_script_costs_a_picture_or_draws_a_box(names in prop::array::uniform5("\\PC{1,8}")) {
        let folder = tempfile::tempdir().unwrap();
        let dir = write_run(folder.path(), &Plan { tasks: 2, models: 2, seeds: 1, examples: 40, faults: false, trials: 0, axes: false });
        let distinct: Vec<String> = names.iter().enumerate().map(|(index, name)| format!("{name}{index}")).collect();
        let [negative, positive, task, label, bird] = [0, 1, 2, 3, 4].map(|index: usize| distinct[index].as_str());
        rename(&dir, &[("negative", negative), ("positive", positive), ("sst2", task), ("resnet", label), ("bird", bird)]);
        build(&dir).unwrap();
        for (name, svg) in all_pictures(&dir) {
            let boxes = with_boxes(parse(&svg).root());
            prop_assert!(boxes.is_empty(), "{}: {:?}", name, boxes);
        }
    }
}
