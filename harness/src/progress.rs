//! What the user sees during a run, on standard error: bars on a terminal that can draw them, plain lines elsewhere.

use std::collections::BTreeMap;
use std::io::{self, Write};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::case::Case;
use crate::outcome::Outcome;
use crate::phase::Phase;
use crate::protocol::Event;
use crate::scoring::shown;

/// Shows the progress of a run.
pub trait Progress {
    /// A case begins.
    fn started(&mut self, index: usize, case: &Case);
    /// A case reports an event.
    fn on_event(&mut self, index: usize, event: &Event);
    /// The executor says something about itself.
    fn said(&mut self, text: &str);
    /// Some time has passed without an event.
    fn tick(&mut self) {}
    /// A case has ended.
    fn done(&mut self, index: usize, case: &Case, outcome: &Outcome);
    /// All cases have ended.
    fn finished(&mut self);
}

/// Whether bars can be drawn on standard error. It must be a terminal that can move its cursor. Where `TERM` is `dumb`
/// or unset, bars would not be visible. An empty `TERM` is as good as none.
pub(crate) fn can_draw() -> bool {
    !ProgressDrawTarget::stderr().is_hidden() && std::env::var_os("TERM").is_none_or(|term| !term.is_empty())
}

/// Bars if standard error is a terminal that can draw them, or else lines.
pub fn for_stderr(cases: usize, primary: BTreeMap<String, String>) -> Box<dyn Progress> {
    if can_draw() { Box::new(Bars::new(cases, primary)) } else { Box::new(Lines { done: 0, cases, primary }) }
}

/// `ok, accuracy 0.4410, fit 31.2 s, p50 3.1 ms`, or why there are no numbers. `primary` maps each task to its metric.
fn describe(case: &Case, outcome: &Outcome, primary: &BTreeMap<String, String>) -> String {
    let mut parts = vec![outcome.status.to_string()];
    if let Some(metric) = primary.get(&case.task)
        && let Some(value) = outcome.value(Phase::Score, metric)
    {
        parts.push(format!("{metric} {}", shown(metric, value)));
    }
    if let Some(metric) = primary.get(&case.task)
        && let Some(value) = outcome.value(Phase::Validate, metric)
    {
        parts.push(format!("validation {metric} {}", shown(metric, value)));
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

/// Writes one line when a case begins and one when it has ended.
struct Lines {
    done: usize,
    cases: usize,
    primary: BTreeMap<String, String>,
}

impl Lines {
    fn line(&self, text: &str) {
        // The run goes on even if nobody can read standard error any more.
        let _ = writeln!(io::stderr(), "{text}");
    }
}

impl Progress for Lines {
    fn started(&mut self, _index: usize, case: &Case) {
        self.line(&format!("        {} …", case.id));
    }

    fn on_event(&mut self, _index: usize, _event: &Event) {}

    fn said(&mut self, text: &str) {
        self.line(&format!("note: {text}"));
    }

    fn done(&mut self, _index: usize, case: &Case, outcome: &Outcome) {
        self.done += 1;
        let text = describe(case, outcome, &self.primary);
        self.line(&format!("[{:>2}/{}] {}: {text}", self.done, self.cases, case.id));
    }

    fn finished(&mut self) {}
}

/// Steps of the bar for each case, so that the bar moves while a case runs.
const STEPS: u64 = 1000;
/// How many of these steps a fit takes. It is an estimate that only the bar uses.
const FIT_STEPS: u64 = 850;
/// At most so many running cases have a line. A cluster runs more than a terminal has lines.
const MOST_LINES: usize = 16;

/// A bar for the run and a line for each running case.
struct Bars {
    all: MultiProgress,
    run: ProgressBar,
    running: BTreeMap<usize, (ProgressBar, u64)>,
    done: u64,
    primary: BTreeMap<String, String>,
    phase: BTreeMap<usize, Phase>,
}

impl Bars {
    fn new(cases: usize, primary: BTreeMap<String, String>) -> Bars {
        let all = MultiProgress::new();
        let run = all.add(ProgressBar::new(cases as u64 * STEPS));
        let style = ProgressStyle::with_template("{bar:30} {msg} · {elapsed} elapsed, about {eta} left")
            .expect("the template is well-formed");
        run.set_style(style);
        run.set_message(format!("0/{cases} cases"));
        Bars { all, run, running: BTreeMap::new(), done: 0, primary, phase: BTreeMap::new() }
    }

    fn show(&self) {
        let steps: u64 = self.running.values().map(|(_, steps)| steps).sum();
        self.run.set_position(self.done * STEPS + steps);
    }
}

impl Progress for Bars {
    fn started(&mut self, index: usize, case: &Case) {
        if self.running.len() >= MOST_LINES {
            return;
        }
        let bar = self.all.insert_before(&self.run, ProgressBar::new_spinner());
        bar.set_prefix(case.id.clone());
        let style = ProgressStyle::with_template("{spinner} {prefix}: {msg}").expect("the template is well-formed");
        bar.set_style(style);
        self.running.insert(index, (bar, 0));
    }

    fn on_event(&mut self, index: usize, event: &Event) {
        let Some((bar, steps)) = self.running.get_mut(&index) else { return };
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
                if self.phase.get(&index) == Some(&Phase::Fit) {
                    *steps = FIT_STEPS * *done as u64 / (*total).max(1) as u64;
                }
            }
            Event::Window(_) | Event::BrokenPromise(_) | Event::Outcome(_) => {}
        }
        self.show();
    }

    fn said(&mut self, text: &str) {
        let _ = self.all.println(format!("note: {text}"));
    }

    // Bars that move by themselves would start a thread each, and would panic if the system starts no more threads.
    fn tick(&mut self) {
        self.run.tick();
        self.running.values().for_each(|(bar, _)| bar.tick());
    }

    fn done(&mut self, index: usize, case: &Case, outcome: &Outcome) {
        if let Some((bar, _)) = self.running.remove(&index) {
            bar.finish_and_clear();
        }
        self.phase.remove(&index);
        self.done += 1;
        self.run.set_message(format!("{}/{} cases", self.done, self.run.length().unwrap_or(0) / STEPS));
        let text = describe(case, outcome, &self.primary);
        // The run goes on even if the terminal is gone.
        let _ = self.all.println(format!("{}: {text}", case.id));
        self.show();
    }

    fn finished(&mut self) {
        for (bar, _) in self.running.values() {
            bar.finish_and_clear();
        }
        self.run.finish_and_clear();
    }
}
