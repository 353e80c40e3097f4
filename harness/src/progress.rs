//! What the user sees while a run goes on: bars on a terminal, plain lines elsewhere; both on standard error.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::case::Case;
use crate::outcome::Outcome;
use crate::phase::Phase;
use crate::protocol::Event;
use crate::scoring::shown;

/// Shows the progress of a run.
pub trait Progress {
    /// A case begins.
    fn started(&mut self, index: usize, case: &Case);
    /// A case tells of itself.
    fn told(&mut self, index: usize, event: &Event);
    /// A case has ended.
    fn done(&mut self, index: usize, case: &Case, outcome: &Outcome);
    /// All cases have ended.
    fn finished(&mut self);
}

/// Bars if standard error is a terminal, else lines.
pub fn for_stderr(cases: usize, primary: BTreeMap<String, String>) -> Box<dyn Progress> {
    if io::stderr().is_terminal() {
        Box::new(Bars::new(cases, primary))
    } else {
        Box::new(Lines { done: 0, cases, primary })
    }
}

/// `ok, accuracy 0.4410, fit 31.2 s, p50 3.1 ms`, or the reason why there are no numbers. `primary` maps tasks to metrics.
fn describe(case: &Case, outcome: &Outcome, primary: &BTreeMap<String, String>) -> String {
    let mut parts = vec![outcome.status.to_string()];
    if let Some(metric) = primary.get(&case.task)
        && let Some(value) = outcome.value(Phase::Score, metric)
    {
        parts.push(format!("{metric} {}", shown(metric, value)));
    }
    if let Some(seconds) = outcome.value(Phase::Fit, "fit_s") {
        parts.push(format!("fit {seconds:.1} s"));
    }
    if let Some(seconds) = outcome.value(Phase::PredictSingle, "latency_p50_s") {
        parts.push(format!("p50 {:.2} ms", seconds * 1e3));
    }
    if !outcome.note.is_empty() {
        parts.push(outcome.note.clone());
    }
    parts.join(", ")
}

/// One line when a case begins and one when it has ended.
struct Lines {
    done: usize,
    cases: usize,
    primary: BTreeMap<String, String>,
}

impl Lines {
    fn line(&self, text: &str) {
        // Nobody who reads standard error is no reason to lose a run.
        let _ = writeln!(io::stderr(), "{text}");
    }
}

impl Progress for Lines {
    fn started(&mut self, _index: usize, case: &Case) {
        self.line(&format!("        {} …", case.id));
    }

    fn told(&mut self, _index: usize, _event: &Event) {}

    fn done(&mut self, _index: usize, case: &Case, outcome: &Outcome) {
        self.done += 1;
        let text = describe(case, outcome, &self.primary);
        self.line(&format!("[{:>2}/{}] {}: {text}", self.done, self.cases, case.id));
    }

    fn finished(&mut self) {}
}

/// Thousandths of a case, so that the bar moves while one runs.
const STEPS: u64 = 1000;
/// The part of a case's steps that its fit takes: an estimate for the bar alone.
const FIT_STEPS: u64 = 850;

/// A bar for the run and a line for each case at work.
struct Bars {
    all: MultiProgress,
    run: ProgressBar,
    at_work: BTreeMap<usize, (ProgressBar, u64)>,
    done: u64,
    primary: BTreeMap<String, String>,
    phase: BTreeMap<usize, Phase>,
}

impl Bars {
    fn new(cases: usize, primary: BTreeMap<String, String>) -> Bars {
        let all = MultiProgress::new();
        let run = all.add(ProgressBar::new(cases as u64 * STEPS));
        let style = ProgressStyle::with_template("{bar:30} {msg} · {elapsed} gone, about {eta} left")
            .expect("the template is well-formed");
        run.set_style(style);
        run.set_message(format!("0/{cases} cases"));
        run.enable_steady_tick(Duration::from_millis(200));
        Bars { all, run, at_work: BTreeMap::new(), done: 0, primary, phase: BTreeMap::new() }
    }

    fn show(&self) {
        let under_way: u64 = self.at_work.values().map(|(_, steps)| steps).sum();
        self.run.set_position(self.done * STEPS + under_way);
    }
}

impl Progress for Bars {
    fn started(&mut self, index: usize, case: &Case) {
        let bar = self.all.insert_before(&self.run, ProgressBar::new_spinner());
        bar.set_prefix(case.id.clone());
        let style = ProgressStyle::with_template("{spinner} {prefix}: {msg}").expect("the template is well-formed");
        bar.set_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        self.at_work.insert(index, (bar, 0));
    }

    fn told(&mut self, index: usize, event: &Event) {
        let Some((bar, steps)) = self.at_work.get_mut(&index) else { return };
        match event {
            Event::Phase(phase) => {
                bar.set_message(phase.name());
                if *phase == Phase::Score {
                    *steps = FIT_STEPS;
                }
                self.phase.insert(index, *phase);
            }
            Event::Progress { done, total } => {
                let phase = self.phase.get(&index).map_or("", |phase| phase.name());
                bar.set_message(format!("{phase} {done}/{total}"));
                *steps = FIT_STEPS * *done as u64 / (*total).max(1) as u64;
            }
            Event::Outcome(_) => {}
        }
        self.show();
    }

    fn done(&mut self, index: usize, case: &Case, outcome: &Outcome) {
        if let Some((bar, _)) = self.at_work.remove(&index) {
            bar.finish_and_clear();
        }
        self.phase.remove(&index);
        self.done += 1;
        self.run.set_message(format!("{}/{} cases", self.done, self.run.length().unwrap_or(0) / STEPS));
        let text = describe(case, outcome, &self.primary);
        // Only the picture is lost if the terminal is gone.
        let _ = self.all.println(format!("{}: {text}", case.id));
        self.show();
    }

    fn finished(&mut self) {
        for (bar, _) in self.at_work.values() {
            bar.finish_and_clear();
        }
        self.run.finish_and_clear();
    }
}
