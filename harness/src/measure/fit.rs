//! Measures one fit with the stopwatch and the energy meter.

use bakeoff_models::Model;

use super::observer::Observer;
use super::{Bench, Stop};
use crate::phase::Phase;
use crate::protocol::Event;
use crate::rows::{Rows, listed};
use crate::stopwatch::Stopwatch;

impl Bench<'_> {
    pub(super) fn fit(&mut self, model: &mut dyn Model, rows: &Rows) -> Result<(), Stop> {
        (self.emit)(Event::Phase(Phase::Fit));
        self.record(Phase::Fit, "train_examples", Some(rows.learned.examples as f64), "data", "");
        if self.case.label_noise > 0.0 {
            self.record(Phase::Fit, "noisy_labels", Some(rows.noisy_labels as f64), "data", "");
        }
        if let Some(classes) = &rows.learned.classes {
            for (metric, names) in
                [("classes_without_rows", &classes.without_rows), ("classes_with_one_row", &classes.with_one_row)]
            {
                self.record(Phase::Fit, metric, Some(names.len() as f64), "data", listed(names));
            }
        }
        let before = self.meter.read_j();
        let stopwatch = Stopwatch::start(self.program.machine);
        let mut watch = Observer {
            stopwatch: &stopwatch,
            targets: &rows.validation.targets,
            primary: self.task.primary(),
            case: &self.case.id,
            start_j: before.as_ref().ok().copied(),
            meter: &mut self.meter,
            emit: self.emit,
            curves: &mut self.outcome.curves,
        };
        let fitted = model.fit(&rows.train, &rows.validation, &mut watch);
        let seconds = stopwatch.seconds();
        // What a search costs includes its search trials that diverge.
        let failure = match fitted {
            Err(error) if self.case.trial.is_none() => return Err(error.into()),
            fitted => fitted.err(),
        };
        self.record(Phase::Fit, "fit_s", Some(seconds), "stopwatch", "");
        self.keep(Phase::Fit, "fit_s", ("s", "stopwatch"), [(None, seconds)]);
        self.energy(Phase::Fit, before, 1);
        if let Some(error) = failure {
            return Err(error.into());
        }
        if let Some(idle) = self.case.idle {
            let source = self.meter.source();
            self.record(Phase::Fit, "idle_w", Some(idle.watts()), source, "");
            self.keep(Phase::Fit, "idle_j", ("J", source), idle.reads_j.map(|joules| (None, joules)));
            self.keep(Phase::Fit, "idle_s", ("s", "stopwatch"), [(None, idle.seconds)]);
        }
        let cut = [&rows.train, &rows.validation].map(|split| model.truncated(&split.inputs));
        self.truncated(Phase::Fit, cut.into_iter().sum());
        let wordless = [&rows.train, &rows.validation].map(|split| model.wordless(&split.inputs));
        self.wordless(Phase::Fit, wordless.into_iter().sum());
        Ok(())
    }
}
