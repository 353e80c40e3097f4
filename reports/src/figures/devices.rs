//! The same model on several devices: throughput and energy against the number of examples in a call, and where the lines cross.

use super::axis::AxisScale;
use super::batch_size::ticks;
use super::canvas::{Canvas, Rect};
use super::frame::{Axis, frame_at};
use super::marked_lines::{self, HOW_TO_TELL_APART, MarkedLine};
use super::panel_grid::PanelGrid;
use super::point::words;
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::device_crossovers::{DevicePair, OpenInterval};
use crate::devices::{DeviceLine, ModelOnDevices, PerPrediction, models_on_devices};
use crate::error::ReportError;
use crate::results::Results;

/// The figure `devices`. It draws a picture of the throughput, and one of the energy if there is any.
pub(crate) struct Devices;

const PANEL_HEIGHT_MM: f64 = 52.0;

/// The longest name of a device in the legend, in characters.
const LONGEST_NAME: usize = 58;

impl Figure for Devices {
    fn name(&self) -> &'static str {
        "devices"
    }

    fn about(&self) -> &'static str {
        "predictions per second and joules of each on several devices, with their crossover, per task and model"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let mut drawn = Drawn::default();
        for (quantity, name, title) in [
            (PerPrediction::Throughput, "devices", "Throughput on several devices"),
            (PerPrediction::Energy, "devices-energy", "Energy on several devices"),
        ] {
            let panels = models_on_devices(&results.grid, quantity);
            let places = places(&panels, results);
            let grid = PanelGrid {
                labels: &|panel: &ModelOnDevices<'_>| {
                    panel.lines.iter().filter_map(|line| place(&places, results, line)).collect()
                },
                dashed: &|_| None,
                rows: 4,
                height_mm: &|_| PANEL_HEIGHT_MM,
                draw: &|canvas, panel, at| draw_panel(canvas, style, results, panel, (quantity, &places, at)),
                panels,
            };
            let names: Vec<String> = places.iter().map(|place| place.name.clone()).collect();
            drawn.add(grid.drawn(&names, style, Picture::new(name, title, caption(quantity)))?);
        }
        Ok(drawn)
    }
}

fn caption(quantity: PerPrediction) -> String {
    let what = match quantity {
        PerPrediction::Throughput => {
            "Predictions per second against the number of examples in a call, by the median call of each size."
        }
        PerPrediction::Energy => {
            "Joules per prediction against the number of examples in a call, from the source that the legend names. On a card, they are \
             those of the card and of the processor that feeds it. An estimate may be 40 % off either way (Fischer 2025), and has no \
             crossover."
        }
    };
    format!(
        "{what} A panel has one model, and a line for each device, whose hardware the legend names. A ring is the crossover: the size of a \
         call from which on one device stays ahead of another. Its bar is the 95 % interval over seeds, which is open where it has no \
         stroke at its end; with fewer than three seeds there is no bar. The table of devices has the numbers. Numbers are geometric means over \
         seeds and folds. Both axes are logarithmic. Hollow markers are not ranked. {HOW_TO_TELL_APART}"
    )
}

/// A device of the machines of the run, with its name in the legend.
struct DevicePlace {
    device: String,
    machine: String,
    name: String,
}

/// The devices of all panels, each once, with the sources of its joules if these are drawn.
fn places(panels: &[ModelOnDevices<'_>], results: &Results) -> Vec<DevicePlace> {
    let mut places: Vec<DevicePlace> = Vec::new();
    for line in panels.iter().flat_map(|panel| &panel.lines) {
        if place(&places, results, line).is_some() {
            continue;
        }
        let setting = results.setting(line.setting);
        let source = if line.sources == ["stopwatch"] { String::new() } else { format!(", {}", line.origin()) };
        let name = shortened(&setting.named_device(), LONGEST_NAME.saturating_sub(source.chars().count()));
        let (device, machine) = (setting.device.clone(), setting.machine.clone());
        places.push(DevicePlace { device, machine, name: format!("{name}{source}") });
    }
    places
}

fn place(places: &[DevicePlace], results: &Results, line: &DeviceLine<'_>) -> Option<usize> {
    let setting = results.setting(line.setting);
    places.iter().position(|place| place.device == setting.device && place.machine == setting.machine)
}

fn shortened(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let start: String = name.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", start.trim_end())
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &ModelOnDevices<'_>,
    (quantity, places, at): (PerPrediction, &[DevicePlace], Rect),
) -> Result<(), String> {
    let points = || panel.lines.iter().flat_map(DeviceLine::means);
    let sizes = || points().map(|(size, _)| size as f64);
    let (Some(x), Some(y)) =
        (AxisScale::around(sizes(), true), AxisScale::around(points().map(|(_, value)| value), true))
    else {
        return Ok(());
    };
    let y_title = match quantity {
        PerPrediction::Throughput => "predictions per second (log)",
        PerPrediction::Energy => "energy per prediction (log)",
    };
    let x = Axis { scale: x, title: "examples in a call (log)".to_owned(), unit: "", reversed: false };
    let y = Axis { scale: y, title: y_title.to_owned(), unit: quantity.unit(), reversed: false };
    let title = format!("{} on {}", results.grid.labels[panel.label], panel.title);
    let (x, y) = frame_at(canvas, style, at, &title, (&x, &y), Some(&ticks(sizes())))?;
    let line = |line: &DeviceLine<'_>| {
        let (size, value) = line.means().last().unwrap_or_default();
        let measured = format!("{} at {size} examples in a call", quantity.text(value));
        MarkedLine {
            label: place(places, results, line).unwrap_or_default(),
            points: line.means().map(|(size, value)| (x.at(size as f64), y.at(value))).collect(),
            width_mm: 0.35,
            hollow: !results.is_ranked(line.setting, panel.label),
            words: words(results, line.setting, panel.label, &measured),
        }
    };
    marked_lines::draw(canvas, style, &panel.lines.iter().map(line).collect::<Vec<_>>())?;
    for pair in panel.pairs(&results.grid, quantity) {
        draw_crossover(canvas, style, results, &pair, (&x, &y))?;
    }
    Ok(())
}

/// Draws a ring where one device begins to stay ahead of another, with a bar for the interval.
fn draw_crossover(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    pair: &DevicePair,
    (x, y): (&AxisScale, &AxisScale),
) -> Result<(), String> {
    let Some(crossover) = pair.crossover else { return Ok(()) };
    let centre = (x.at(crossover.size), y.at(crossover.value));
    match crossover.interval {
        None => canvas.ring(centre, style.ink)?,
        Some(OpenInterval { low, high }) => {
            let end = |end: Option<f64>, edge: usize| (x.at(end.unwrap_or(edge as f64)), end.is_some());
            let (smallest, largest) = (pair.sizes[0], pair.sizes[pair.sizes.len() - 1]);
            canvas.ring_with_bar(centre, [end(low, smallest), end(high, largest)], style.ink)?;
        }
    }
    let device = |setting: usize| &results.setting(setting).device;
    let (winner, other) = (device(pair.winner), device(pair.other));
    canvas.point(centre, &format!("{winner} is ahead of {other}\nfrom {} examples in a call on", pair.begins_text()));
    Ok(())
}
