//! Measures one fit with the stopwatch and the energy meter.

use bakeoff_models::{Device, Model, ModelEntry, ModelError, Spec, prepare};
use bakeoff_reports::{Status, named_source};

use super::observer::{CheckpointSchedule, Observer};
use super::{Bench, Stop, entry_of};
use crate::budget::Budget;
use crate::checkpoint::{Checkpoint, CheckpointPlace, FitIdentity, MeasuredFit, Unusable, unusable};
use crate::phase::Phase;
use crate::protocol::Event;
use crate::rows::{Rows, listed};
use crate::stopwatch::Stopwatch;

impl Bench<'_> {
    /// Fits the model. If there is a checkpoint of this fit at `place`, goes on from there. One that cannot be used fails its case,
    /// because hours of work may be in it. A search trial begins again, because what ends it is its result.
    pub(super) fn fit(
        &mut self,
        model: &mut dyn Model,
        rows: &Rows,
        place: Option<&CheckpointPlace>,
    ) -> Result<(), Stop> {
        let earlier = self.earlier(place)?;
        (self.emit)(Event::Phase(Phase::Fit));
        self.record(Phase::Fit, "train_examples", Some(rows.learned.examples as f64), "data", "");
        if let Some(unlabelled) = &rows.unlabelled {
            self.record(Phase::Fit, "unlabelled_examples", Some(unlabelled.len() as f64), "data", "");
        }
        match self.case.budget {
            None => {}
            Some(Budget::Seconds(most)) => self.record(Phase::Fit, "budget_s", Some(most), "suite", ""),
            Some(Budget::Joules(most)) => self.record(Phase::Fit, "budget_j", Some(most), "suite", ""),
        }
        if self.case.label_noise > 0.0 {
            self.record(Phase::Fit, "noisy_labels", Some(rows.noisy_labels as f64), "data", "");
        }
        if let Some(seen) = entry_of(self.program, self.case)?.seen(&self.case.params) {
            let dataset = self.task.files().iter().map(|file| file.folder()).find(|folder| seen.contains(folder));
            let (value, note) = dataset.map_or((0.0, ""), |dataset| (1.0, dataset));
            self.record(Phase::Fit, "seen_in_pretraining", Some(value), "model", note);
        }
        if let Some(classes) = &rows.learned.classes {
            for (metric, names) in
                [("classes_without_rows", &classes.without_rows), ("classes_with_one_row", &classes.with_one_row)]
            {
                self.record(Phase::Fit, metric, Some(names.len() as f64), "data", listed(names));
            }
        }
        self.fit_from(model, rows, place, earlier)
    }

    /// Has a card compile what the fit needs, before the fit.
    pub(super) fn prepare(&mut self, entry: &dyn ModelEntry, spec: &Spec, rows: &Rows) -> Result<(), Stop> {
        // What a program of the user's compiles is its own affair.
        if spec.device == Device::Cpu || self.case.external.is_some() {
            return Ok(());
        }
        (self.emit)(Event::Phase(Phase::Fit));
        let stopwatch = Stopwatch::start(self.program.machine);
        prepare(entry, spec, &rows.train, &rows.validation)?;
        self.record(Phase::Fit, "prepare_s", Some(stopwatch.seconds()), "stopwatch", "");
        Ok(())
    }

    /// Fits the model, from a checkpoint if there is one.
    fn fit_from(
        &mut self,
        model: &mut dyn Model,
        rows: &Rows,
        place: Option<&CheckpointPlace>,
        earlier: Option<Checkpoint>,
    ) -> Result<(), Stop> {
        let mut spending = match &earlier {
            None => self.spend(),
            Some(Checkpoint { measured, .. }) => self.spend_on(measured),
        };
        let (state, earlier_parts_s) = match earlier {
            Some(Checkpoint { state, measured: MeasuredFit { parts_s, curves, .. } }) => {
                self.outcome.curves = curves;
                (Some(state), parts_s)
            }
            None => (None, Vec::new()),
        };
        if spending.before.is_err() {
            // The joules of its earlier epochs belong to no number of the fit, and a curve does not name their source.
            self.outcome.curves.iter_mut().for_each(|epoch| epoch.energy_j = None);
        }
        let epochs_before = self.outcome.curves.len();
        let case_s_left = self.case_s_left();
        spending.start = self.moment();
        let stopwatch = Stopwatch::start(self.program.machine);
        let mut watch = Observer {
            stopwatch: &stopwatch,
            checkpoints: CheckpointSchedule::new(place, state, earlier_parts_s),
            targets: &rows.validation.targets,
            primary: self.task.primary(),
            case: self.case,
            left_s: case_s_left,
            fit: self.identity(),
            start_j: spending.before.clone(),
            meter: &mut self.meter,
            emit: self.emit,
            curves: &mut self.outcome.curves,
        };
        let fitted = match &rows.unlabelled {
            None => model.fit(&rows.train, &rows.validation, &mut watch),
            Some(unlabelled) => model.fit_with_unlabelled(&rows.train, &rows.validation, unlabelled, &mut watch),
        };
        let last_part_s = stopwatch.seconds();
        let end = self.program.machine.moment().monotonic;
        let CheckpointSchedule { earlier_parts_s: mut parts_s, fault, .. } = watch.checkpoints;
        parts_s.push(last_part_s);
        if let (Err(ModelError::State(what)), Some(at)) = (&fitted, place) {
            let fault = unusable(&at.path, what);
            if self.case.trial.is_none() {
                return Err(Stop::failed(fault));
            }
            self.outcome.remark(&format!("the fit began again: {fault}"));
            self.outcome.curves.clear();
            self.meter.take_reads_j();
            return self.fit_from(model, rows, place, None);
        }
        // What a search costs includes its search trials that diverge, and a budget that was too small was used all the same.
        let failure = match fitted {
            Err(error) if self.case.trial.is_none() && !matches!(error, ModelError::OverBudget(_)) => {
                return Err(error.into());
            }
            fitted => fitted.err(),
        };
        let note = match parts_s.len() {
            1 => String::new(),
            parts => format!("in {parts} parts, the last after epoch {epochs_before}"),
        };
        let seconds = parts_s.iter().sum();
        self.record(Phase::Fit, "fit_s", Some(seconds), "stopwatch", note);
        if !self.outcome.curves.is_empty() {
            self.record(Phase::Fit, "epochs", Some(self.outcome.curves.len() as f64), "model", "");
        }
        self.keep(Phase::Fit, "fit_s", ("s", "stopwatch"), parts_s.into_iter().map(|seconds| (None, seconds)));
        self.energy_until(end, ("", "energy_j"), Phase::Fit, spending, 1);
        if let Some(error) = failure {
            return Err(error.into());
        }
        self.check_budget(seconds)?;
        if let Some(fault) = fault {
            self.outcome.remark(&format!(
                "the last checkpoint could not be written, so an interruption would have lost work: {fault}"
            ));
        }
        let cut = [&rows.train, &rows.validation].map(|split| model.truncated(&split.inputs));
        self.truncated(Phase::Fit, cut.into_iter().sum());
        let wordless = [&rows.train, &rows.validation].map(|split| model.wordless(&split.inputs));
        self.wordless(Phase::Fit, wordless.into_iter().sum());
        Ok(())
    }

    /// Stops the case if its fit, which took so many seconds, cost more than its budget allows.
    fn check_budget(&mut self, seconds: f64) -> Result<(), Stop> {
        /// The share of a budget by which a fit may exceed it, because steps, trees and validation passes are not divided.
        const TOLERANCE: f64 = 0.1;
        let Some(budget) = self.case.budget else { return Ok(()) };
        let (most, cost, unit) = match budget {
            Budget::Seconds(most) => (most, Some(seconds), "s".to_owned()),
            Budget::Joules(most) => {
                let unit = format!("J ({})", named_source(self.meter.source()));
                (most, self.outcome.value(Phase::Fit, "energy_j"), unit)
            }
        };
        match cost {
            Some(cost) if cost <= most * (1.0 + TOLERANCE) => Ok(()),
            Some(cost) => Err(Stop {
                status: Status::OverBudget,
                note: format!(
                    "the fit cost {cost:.3} {unit}, more than its budget of {budget}, and could not end earlier"
                ),
            }),
            None => Err(Stop::failed(format!("the budget is {budget}, and no meter gives joules: set one in seconds"))),
        }
    }

    fn identity(&self) -> FitIdentity {
        FitIdentity::new(self.program, self.task, self.case)
    }

    /// What the fit goes on from. `None` if it begins; the note of the case says why, if it begins again.
    fn earlier(&mut self, place: Option<&CheckpointPlace>) -> Result<Option<Checkpoint>, Stop> {
        let Some(place) = place else { return Ok(None) };
        let earlier = match Checkpoint::read(&place.path, &self.identity()) {
            Err(Unusable { why, .. }) if self.case.trial.is_some() => {
                self.outcome.remark(&format!("the fit began again: {why}"));
                return Ok(None);
            }
            // Search trials that were run again chose others.
            Err(Unusable { other_params: Some(then), .. }) if self.case.waits_for > 0 => {
                let now = &self.case.params;
                self.outcome.remark(&format!(
                    "the fit began again: the search chose '{now}', and its checkpoint was of '{then}'"
                ));
                return Ok(None);
            }
            earlier => earlier.map_err(|Unusable { why, .. }| Stop::failed(why))?,
        };
        if let (Some(Budget::Joules(_)), Some(earlier)) = (self.case.budget, &earlier)
            && let Some(two) = self.meter.other_source(&earlier.measured.joules)
        {
            self.outcome.remark(&format!(
                "the fit began again: its budget is in joules, and joules of two sources are not added up ({two})"
            ));
            return Ok(None);
        }
        Ok(earlier)
    }
}
