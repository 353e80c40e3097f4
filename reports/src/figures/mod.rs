//! Figures. Each has a file that draws results as SVG, and a line in [`FIGURES`].

mod ablation;
mod accuracy_energy;
mod accuracy_fit_time;
mod accuracy_latency;
mod accuracy_size;
mod against_axis;
mod anytime;
mod axis;
mod batch_size;
mod canvas;
mod confusion;
mod critical_difference;
mod curves;
mod devices;
mod drawing;
mod frame;
mod interpretation;
mod key;
mod latency;
mod latency_ecdf;
mod legend;
mod look;
mod marked_lines;
mod marker;
mod names;
mod panel_grid;
mod pdf;
mod png;
mod point;
mod power;
mod quality;
mod reference;
mod reliability;
mod roofline;
mod rows_chart;
mod scatter;
mod score_lines;
mod sequence_length;
mod series;
mod server;
mod spread;
mod style;
mod threads;
mod tuning;
mod verdicts;
mod wins;

pub(crate) use canvas::{allowed_in_xml, escape as xml_escape};
#[cfg(test)]
pub(crate) use confusion::contrast;
pub(crate) use interpretation::{attention_pictures, example_picture, importance_pictures};
pub use look::Look;
pub(crate) use series::{ShownPoint, ShownSegment, ShownSeries, series_picture};
pub use style::Style;

use crate::error::ReportError;
use crate::results::Results;
use crate::varied_axis::VariedAxis;

use names::NumberedNames;

/// A figure that can be drawn from results.
pub trait Figure: Sync {
    /// The name of the figure's file. If it draws several files, the beginning of their names.
    fn name(&self) -> &'static str;
    /// What the figure shows, in a line.
    fn about(&self) -> &'static str;
    /// Draws the pictures that the results have data for. There is no picture if they have none.
    ///
    /// # Errors
    /// If the drawing library fails.
    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError>;
}

/// Every figure, in the order of the report.
pub static FIGURES: &[&dyn Figure] = &[
    &verdicts::Verdicts,
    &quality::Quality,
    &wins::Wins,
    &critical_difference::CriticalDifference,
    &reliability::Reliability,
    &latency::Latency,
    &latency_ecdf::LatencyEcdf,
    &server::Server,
    &accuracy_latency::AccuracyLatency,
    &accuracy_energy::AccuracyEnergy,
    &accuracy_fit_time::AccuracyFitTime,
    &accuracy_size::AccuracySize,
    &batch_size::BatchSize,
    &devices::Devices,
    &roofline::Roofline,
    &threads::ThreadsFigure,
    &sequence_length::SequenceLength,
    &curves::Curves,
    &anytime::Anytime,
    &power::Power,
    &against_axis::AgainstAxis { axis: VariedAxis::TrainSize },
    &against_axis::AgainstAxis { axis: VariedAxis::LabelNoise },
    &ablation::Ablation,
    &tuning::Tuning,
    &confusion::ConfusionMatrices,
];

/// What a figure drew.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drawn {
    /// The pictures in the order of the report.
    pub pictures: Vec<Picture>,
    /// What was left out, and why.
    pub remarks: Vec<String>,
}

impl Drawn {
    /// Adds what was drawn next.
    fn add(&mut self, next: Drawn) {
        self.pictures.extend(next.pictures);
        self.remarks.extend(next.remarks);
    }
}

/// One picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The name of the picture's files, without the extension.
    pub name: String,
    /// What the picture is, in a few words.
    pub title: String,
    /// How to read the picture.
    pub caption: String,
    /// The SVG document; its size is in millimetres.
    pub svg: String,
    /// The names for which the picture writes numbers. It is drawn below the picture, too. Empty if there are none.
    pub key: String,
}

/// The endings of a picture's files.
pub(crate) const PICTURE_ENDINGS: [&str; 3] = ["svg", "png", "pdf"];

impl Picture {
    /// A picture that is not drawn yet.
    pub(crate) fn new(name: impl Into<String>, title: impl Into<String>, caption: impl Into<String>) -> Picture {
        Picture {
            name: name.into(),
            title: title.into(),
            caption: caption.into(),
            svg: String::new(),
            key: String::new(),
        }
    }

    /// The picture of one of `parts` parts of what it shows. The first has the name and the caption of the whole.
    pub(crate) fn part(&self, index: usize, parts: usize) -> Picture {
        let number = index + 1;
        let title = format!("{} ({number} of {parts})", self.title);
        match index {
            _ if parts == 1 => self.clone(),
            0 => Picture { title, ..self.clone() },
            _ => {
                let caption = format!("Continues the figure {} and is read in the same way.", self.name);
                Picture::new(format!("{}-{number}", self.name), title, caption)
            }
        }
    }

    /// The picture with its drawing.
    ///
    /// # Errors
    /// If the drawing library failed.
    pub(crate) fn drawn(self, svg: Result<String, String>) -> Result<Picture, ReportError> {
        match svg {
            Ok(svg) => Ok(Picture { svg, ..self }),
            Err(message) => Err(ReportError::Figure { figure: self.name, message }),
        }
    }

    /// The picture's files, each as the ending of its name and its bytes: SVG, PNG and PDF of the same drawing.
    ///
    /// # Errors
    /// If a rendering library fails.
    pub(crate) fn files(&self, look: Look) -> Result<[(&'static str, Vec<u8>); 3], ReportError> {
        let rendered = drawing::drawing(&self.svg)
            .and_then(|drawing| Ok((png::png(&drawing, look.dots_per_inch())?, pdf::pdf(&drawing, &self.title)?)));
        let (png, pdf) = rendered.map_err(|message| ReportError::Figure { figure: self.name.clone(), message })?;
        let [of_svg, of_png, of_pdf] = PICTURE_ENDINGS;
        Ok([(of_svg, self.svg.clone().into_bytes()), (of_png, png), (of_pdf, pdf)])
    }
}

/// Draws every figure.
///
/// # Errors
/// If the drawing library fails.
pub(crate) fn draw_all(results: &Results, style: &Style) -> Result<Drawn, ReportError> {
    let names = NumberedNames::new(results);
    let shown = names.shown(results);
    let mut all = Drawn { pictures: Vec::new(), remarks: names.remark().into_iter().collect() };
    for figure in FIGURES {
        let mut drawn = figure.draw(&shown, style)?;
        if let Some(first) = drawn.pictures.first_mut() {
            // Whoever includes the picture elsewhere must know it too.
            first.caption = [first.caption.as_str()]
                .into_iter()
                .chain(drawn.remarks.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join(" ");
        }
        all.add(drawn);
    }
    names.explain(&mut all.pictures, style)?;
    Ok(all)
}
