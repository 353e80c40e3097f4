//! The look of figures: sizes that are readable in the column of a paper, and colours that colour-blind readers can
//! distinguish.

use plotters::style::RGBColor;

/// SVG units per millimetre. There are many of them because plotters draws in whole units.
pub(crate) const UNITS_PER_MM: f64 = 12.0;

/// The width of a panel in millimetres. It is that of a column in a two-column paper.
pub(crate) const COLUMN_MM: f64 = 90.0;

/// The shape of a marker. Shape and colour together identify the model.
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
    /// One colour per model, in the order of the labels. With more models than colours, colours repeat with other
    /// markers.
    pub series: Vec<RGBColor>,
    /// Text and axes.
    pub ink: RGBColor,
    /// Secondary text.
    pub muted: RGBColor,
    /// Grid lines.
    pub grid: RGBColor,
}

impl Default for Style {
    /// Okabe and Ito's palette (2008, "Color Universal Design"), with grey instead of yellow, which is invisible on
    /// white paper.
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
    /// The colour and the marker of a model, by the index of its label. They are the same in every figure, and unique
    /// for the first 64 models.
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
