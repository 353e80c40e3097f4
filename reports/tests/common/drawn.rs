//! The pictures that a run has, without their files.

use bakeoff_reports::{FIGURES, Figure, Look, Results, RunDir, Style};

/// The pictures that a run has in a look, each with its name and its SVG. Nothing is written, and no pixel is rendered.
pub(crate) fn drawn(dir: &RunDir, look: Look) -> Vec<(String, String)> {
    let results = Results::load(dir).unwrap();
    let draw = |figure: &&dyn Figure| figure.draw(&results, &Style::of(look)).unwrap().pictures;
    FIGURES.iter().flat_map(draw).map(|picture| (picture.name, picture.svg)).collect()
}
