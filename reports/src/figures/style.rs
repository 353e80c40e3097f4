//! The style of figures: colours that colour-blind readers can distinguish, markers that greyscale leaves apart, and the look for
//! which a picture is drawn.

use plotters::style::RGBColor;

use super::look::Look;
use super::marker::{MARKERS, Marker};

/// SVG units per millimetre. There are many of them because plotters draws in whole units.
pub(crate) const UNITS_PER_MM: f64 = 12.0;

/// Colours, in figures and in the report, and the look of figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// One colour per model, in the order of the labels. With more models than colours, colours repeat with other
    /// markers.
    pub series: Vec<RGBColor>,
    /// Text and axes.
    pub ink: RGBColor,
    /// Secondary text.
    pub muted: RGBColor,
    /// Grid lines.
    pub grid: RGBColor,
    /// Where the pictures are to be shown.
    pub look: Look,
}

impl Default for Style {
    /// Okabe and Ito's palette (2008, "Color Universal Design"), with grey instead of yellow, which is invisible on
    /// white paper. The look is that of the report.
    fn default() -> Style {
        Style {
            series: vec![
                RGBColor(0, 114, 178),
                RGBColor(230, 159, 0),
                RGBColor(0, 158, 115),
                RGBColor(213, 94, 0),
                RGBColor(204, 121, 167),
                RGBColor(86, 180, 233),
                RGBColor(0, 0, 0),
                RGBColor(127, 127, 127),
            ],
            ink: RGBColor(34, 34, 34),
            muted: RGBColor(100, 100, 100),
            grid: RGBColor(224, 224, 224),
            look: Look::Web,
        }
    }
}

impl Style {
    /// The style for a look.
    pub fn of(look: Look) -> Style {
        Style { look, ..Style::default() }
    }

    /// The colour and the marker of a model, by the index of its label. They are the same in every figure. The markers of the
    /// first 15 models differ in shape, so greyscale leaves these models apart; colour and marker together are unique for the
    /// first 120.
    pub fn model(&self, label: usize) -> (RGBColor, Marker) {
        (self.series[label % self.series.len()], MARKERS[label % MARKERS.len()])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn greyscale_leaves_the_first_15_models_apart_and_colour_and_marker_the_first_120() {
        let style = Style::default();
        let markers: Vec<Marker> = (0..15).map(|label| style.model(label).1).collect();
        for (index, one) in markers.iter().enumerate() {
            for other in &markers[index + 1..] {
                let shared = one.shared_area(*other);
                assert!(shared < 0.85, "{one:?} and {other:?} share {shared:.2} of their area");
            }
        }
        let pairs: HashSet<String> = (0..120).map(|label| format!("{:?}", style.model(label))).collect();
        assert_eq!(pairs.len(), 120);
    }
}
