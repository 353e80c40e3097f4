//! How figures look: sizes that are readable in the column of a paper, and colours that colour-blind readers can tell apart.

use plotters::style::RGBColor;

/// SVG units per millimetre. plotters draws in whole units, so the units are small.
pub(crate) const UNITS_PER_MM: f64 = 12.0;

/// Width of a panel, the column of a two-column paper, in millimetres.
pub(crate) const COLUMN_MM: f64 = 90.0;

/// The shape of a marker. Shape and colour together show which model it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// ●
    Circle,
    /// ■
    Square,
    /// ▲
    Triangle,
    /// ◆
    Diamond,
    /// ▼
    TriangleDown,
    /// ✚
    Plus,
    /// ✖
    Cross,
    /// ⬢
    Hexagon,
}

/// Colours, in figures and in the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// One per model, in the order of labels. With more models, colours come again with other markers.
    pub series: Vec<RGBColor>,
    /// Text and axes.
    pub ink: RGBColor,
    /// Secondary text.
    pub muted: RGBColor,
    /// Grid lines.
    pub grid: RGBColor,
}

impl Default for Style {
    /// Okabe and Ito's palette (2008, "Color Universal Design"), with grey in place of yellow, which cannot be
    /// seen on white paper.
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
        }
    }
}

impl Style {
    /// The colour and marker of a model, by the index of its label: the same in every figure. Unique for the first 64.
    pub fn model(&self, label: usize) -> (RGBColor, Marker) {
        const MARKERS: [Marker; 8] = [
            Marker::Circle,
            Marker::Square,
            Marker::Triangle,
            Marker::Diamond,
            Marker::TriangleDown,
            Marker::Plus,
            Marker::Cross,
            Marker::Hexagon,
        ];
        let round = label / self.series.len();
        (self.series[label % self.series.len()], MARKERS[(label + round) % MARKERS.len()])
    }
}
