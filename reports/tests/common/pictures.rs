//! What the tests of figures read in a picture, and the names that they change in a run.

use std::sync::Arc;

use bakeoff_reports::RunDir;
use resvg::tiny_skia::Rect;
use resvg::usvg::{Group, Node, Options, Tree, fontdb};

/// Adds the texts of a picture, each with its place.
pub(crate) fn texts(group: &Group, found: &mut Vec<(String, Rect)>) {
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

/// The picture as its renderer reads it.
pub(crate) fn parse(svg: &str) -> Tree {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(include_bytes!("../../fonts/DejaVuSans.ttf").to_vec());
    Tree::from_str(svg, &Options { fontdb: Arc::new(fonts), ..Options::default() }).unwrap()
}

/// Whether a picture has this text, whole.
pub(crate) fn has_text(svg: &str, text: &str) -> bool {
    svg.contains(&format!("\n{text}\n"))
}

/// The names that a user can set, each replaced.
pub(crate) fn rename(dir: &RunDir, renamed: &[(&str, &str)]) {
    let new = |name: &mut String| {
        if let Some((_, to)) = renamed.iter().find(|(from, _)| from == name) {
            *name = (*to).to_owned();
        }
    };
    let mut info = dir.info().unwrap();
    for task in &mut info.tasks {
        new(&mut task.name);
        new(&mut task.unit);
        task.classes.iter_mut().for_each(new);
    }
    for case in &mut info.cases {
        new(&mut case.task);
        new(&mut case.label);
        let Some(mut rows) = dir.predictions(&case.case).unwrap().map(|intact| intact.rows) else { continue };
        for row in &mut rows {
            new(&mut row.target);
            new(&mut row.prediction);
        }
        dir.write_rows(&dir.predictions_path(&case.case), &rows).unwrap();
    }
    dir.write_info(&info).unwrap();
    let mut records = dir.records().unwrap().rows;
    for record in &mut records {
        new(&mut record.task);
        new(&mut record.label);
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
}
