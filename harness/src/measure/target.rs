//! When a fit reached the target of its task. No stopwatch runs meanwhile.

use bakeoff_models::Model;
use bakeoff_reports::{Better, NOT_REACHED};

use super::{Bench, Stop, better};
use crate::phase::Phase;
use crate::rows::Rows;
use crate::scoring::shown;

/// A validation score, and what the fit had cost by then.
struct Scored {
    score: f64,
    seconds: Option<f64>,
    joules: Option<f64>,
}

impl Bench<'_> {
    /// Judges the fit by the target of its case, if it has one.
    pub(super) fn judge(&mut self, model: &mut dyn Model, rows: &Rows) -> Result<(), Stop> {
        let Some(target) = self.case.judged_by() else { return Ok(()) };
        self.record(Phase::Fit, "target", Some(target), "suite", "");
        let epochs = self.outcome.curves.len();
        let scored = if epochs == 0 { self.whole_fit(model, rows)? } else { self.epochs() };
        let better = better(self.task.primary());
        let is_reached = |scored: &&Scored| better.goodness(scored.score) >= better.goodness(target);
        let energy_source = self.meter.source();
        let [seconds, joules] = ["time_to_target_s", "energy_to_target_j"];
        match scored.iter().find(is_reached) {
            Some(reached) => {
                self.record(Phase::Fit, seconds, reached.seconds, "stopwatch", "");
                let missing = if reached.joules.is_none() { self.why_no_joules() } else { String::new() };
                self.record(Phase::Fit, joules, reached.joules, energy_source, missing);
            }
            None => {
                let note = self.censored(epochs, best(better, &scored));
                self.record(Phase::Fit, seconds, None, "stopwatch", note.as_str());
                self.record(Phase::Fit, joules, None, energy_source, note);
            }
        }
        Ok(())
    }

    /// The epochs that have a score.
    fn epochs(&self) -> Vec<Scored> {
        let scored = self.outcome.curves.iter().filter_map(|epoch| {
            Some(Scored { score: epoch.validation?, seconds: Some(epoch.elapsed_s), joules: epoch.energy_j })
        });
        scored.collect()
    }

    /// The end of a fit without epochs, whose validation score is recorded; empty if it is undefined.
    fn whole_fit(&mut self, model: &mut dyn Model, rows: &Rows) -> Result<Vec<Scored>, Stop> {
        let split = rows.withheld.as_ref().unwrap_or(&rows.validation);
        let score = self.primary_on(model, split)?;
        self.record(Phase::Fit, "validation", score.ok(), "scorer", score.err().unwrap_or_default());
        let [seconds, joules] = ["fit_s", "energy_j"].map(|cost| self.outcome.value(Phase::Fit, cost));
        Ok(score.ok().map(|score| Scored { score, seconds, joules }).into_iter().collect())
    }

    fn why_no_joules(&self) -> String {
        let of_fit = self.outcome.values.iter().find(|value| value.phase == Phase::Fit && value.metric == "energy_j");
        let reason = of_fit.map_or("", |value| value.note.as_str());
        if reason.is_empty() {
            "the meter could not be read at the end of the epoch".to_owned()
        } else {
            reason.to_owned()
        }
    }

    /// `not reached: best 0.7100 after 4 epochs, 3.200 s`.
    fn censored(&self, epochs: usize, best: Option<f64>) -> String {
        let best = best.map_or("no score".to_owned(), |best| format!("best {}", shown(self.task.primary(), best)));
        let epochs = match epochs {
            0 => String::new(),
            1 => "1 epoch, ".to_owned(),
            epochs => format!("{epochs} epochs, "),
        };
        let seconds = self.outcome.value(Phase::Fit, "fit_s").unwrap_or_default();
        format!("{NOT_REACHED}: {best} after {epochs}{seconds:.3} s")
    }
}

fn best(better: Better, scored: &[Scored]) -> Option<f64> {
    let goodness = |score: &f64| better.goodness(*score);
    scored.iter().map(|scored| scored.score).max_by(|one, other| goodness(one).total_cmp(&goodness(other)))
}
