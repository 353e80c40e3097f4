//! The roofline model: what a model achieves on the machine, beside what the machine can do at most.

use crate::cell::Cell;
use crate::extra_tables::ExtraTable;
use crate::format::{si, significant};
use crate::results::Results;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};

const RULE: &str = "The work of a prediction is counted from the shapes of the layers, and a text is taken to have the typical length. Intensity \
    is that work for each byte of weights that a prediction must read; tables of embeddings are left out. The roof over a model is the \
    smaller of the machine's peak of matrix products and of its peak of memory times the intensity (Williams, Waterman and Patterson 2009): \
    with one example at a time, a model below the ridge waits for memory. Both peaks were measured before the run, on as many threads. A cache \
    that holds all weights lets a model rise above the slope of the roof. With all rows at once, weights are read for many examples, so \
    the share is that of the peak of matrix products. Models whose work depends on the example are not shown.";

/// What a model achieves, and the roof over it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Achieved {
    /// Floating-point operations of a prediction.
    pub(crate) flops: f64,
    /// Operations for each byte of weights.
    pub(crate) intensity: f64,
    /// Operations a second, one example at a time.
    pub(crate) single_per_s: f64,
    /// Operations a second, all rows at once.
    pub(crate) batch_per_s: Option<f64>,
    /// The machine's peaks: operations a second, and bytes a second.
    pub(crate) peak: (f64, f64),
}

impl Achieved {
    /// The means over the trials of a cell. `None` if a number is missing or 0, as for a model that does no such work.
    pub(crate) fn of(cell: &Cell) -> Option<Achieved> {
        let mean = |phase: &str, metric: &str| Some(cell.mean(phase, metric)?.mean).filter(|value| *value > 0.0);
        let flops = mean("case", "flops")?;
        Some(Achieved {
            flops,
            intensity: flops / mean("case", "weight_bytes")?,
            single_per_s: flops / mean("predict-single", "latency_p50_s")?,
            batch_per_s: mean("predict-batch", "throughput").map(|per_s| flops * per_s),
            peak: (mean("case", "peak_flops_per_s")?, mean("case", "peak_bytes_per_s")?),
        })
    }

    /// The most operations a second at this intensity.
    pub(crate) fn roof_at(&self, intensity: f64) -> f64 {
        let (flops_per_s, bytes_per_s) = self.peak;
        flops_per_s.min(bytes_per_s * intensity)
    }

    /// The intensity from which on memory is no limit.
    pub(crate) fn ridge(&self) -> f64 {
        let (flops_per_s, bytes_per_s) = self.peak;
        flops_per_s / bytes_per_s
    }

    /// The share of the roof that it achieves with one example at a time.
    pub(crate) fn share_of_roof(&self) -> f64 {
        self.single_per_s / self.roof_at(self.intensity)
    }
}

/// What models achieve; `None` if the run has no such number.
pub(crate) fn roofline(results: &Results) -> Option<ExtraTable> {
    let columns = vec![
        TableColumn::new("setting", CellKind::Text),
        TableColumn::new("model", CellKind::Name),
        TableColumn::new("FLOPs per example", CellKind::Number),
        TableColumn::new("FLOPs per byte", CellKind::Number),
        TableColumn::new("one example, FLOPs per second", CellKind::Number),
        TableColumn::new("share of the roof", CellKind::Number),
        TableColumn::new("all rows, FLOPs per second", CellKind::Number),
        TableColumn::new("share of the peak", CellKind::Number),
    ];
    let mut table = Table::new("What models achieve of the machine's peak", columns);
    for setting in 0..results.grid.settings.len() {
        for (label, cell) in results.grid.row(setting) {
            let Some(found) = Achieved::of(cell) else { continue };
            let amount = |value: f64| TableCell::Written { value, text: si(value, "") };
            let share = |value: f64| TableCell::Written { value, text: format!("{} %", significant(100.0 * value, 2)) };
            let cells = vec![
                TableCell::Text(results.setting(setting).title.clone()),
                TableCell::Text(results.name_in(setting, label)),
                amount(found.flops),
                TableCell::Number(found.intensity),
                amount(found.single_per_s),
                share(found.share_of_roof()),
                found.batch_per_s.map_or(TableCell::Empty, amount),
                found.batch_per_s.map_or(TableCell::Empty, |per_s| share(per_s / found.peak.0)),
            ];
            table.push_about(results.subject(setting, label, cell.status), Emphasis::Plain, cells);
        }
    }
    let title = "Roofline";
    (!table.rows.is_empty()).then(|| ExtraTable {
        id: "roofline",
        title,
        rule: RULE.to_owned(),
        of_run: String::new(),
        table,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn achieved(intensity: f64, single_per_s: f64) -> Achieved {
        Achieved { flops: 1e6, intensity, single_per_s, batch_per_s: None, peak: (1e11, 1e10) }
    }

    #[test]
    fn the_roof_is_memory_below_the_ridge_and_the_peak_above_it() {
        let model = achieved(0.5, 2.5e9);
        assert_eq!(model.ridge(), 10.0);
        assert_eq!((model.roof_at(0.5), model.roof_at(10.0), model.roof_at(100.0)), (5e9, 1e11, 1e11));
        assert_eq!(model.share_of_roof(), 0.5);
        assert_eq!(achieved(1000.0, 2.5e10).share_of_roof(), 0.25);
    }
}
