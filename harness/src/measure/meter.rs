//! The energy meter of a case, in the process that measures it. It keeps every read that a number is made of.

use crate::checkpoint::MeasuredJoules;
use crate::machine::Machine;
use crate::meters::{self, EnergyConfig, KeptUp};

/// A counter of joules, or why there is none.
pub(super) struct Meter {
    counter: Result<KeptUp, String>,
    reads_j: Vec<f64>,
    /// Added to what the counter shows, so that a fit in several parts is counted as one.
    offset_j: f64,
}

impl Meter {
    /// `card` is the address of the graphics card that the case computes on, if any.
    pub(super) fn open(config: &EnergyConfig, machine: &'static dyn Machine, card: Option<&str>) -> Meter {
        let counter = meters::open(config, machine, card).map(|counter| KeptUp::new(counter, machine));
        Meter { counter, reads_j: Vec::new(), offset_j: 0.0 }
    }

    /// The joules counted at the beginning of a phase, or why there are none. What was lost before does not matter. Keeps the read.
    pub(super) fn begin(&mut self) -> Result<f64, String> {
        if let Ok(counter) = &self.counter {
            counter.begin();
        }
        self.read_j()
    }

    /// The joules counted so far, or why there are none. Keeps the read.
    pub(super) fn read_j(&mut self) -> Result<f64, String> {
        let joules = self.shown_j()?;
        self.reads_j.push(joules);
        Ok(joules)
    }

    /// The joules counted so far. Does not keep the read, which no number is made of.
    pub(super) fn peek_j(&mut self) -> Option<f64> {
        self.shown_j().ok()
    }

    fn shown_j(&self) -> Result<f64, String> {
        let counter = self.counter.as_ref().map_err(|reason| reason.clone())?;
        Ok(counter.read_j()? + self.offset_j)
    }

    /// Counts on from the joules that an earlier process kept, and gives the first of its reads.
    ///
    /// # Errors
    /// If there are none, if they are of another source, or if the meter cannot be read now.
    pub(super) fn count_on(&mut self, earlier: &MeasuredJoules) -> Result<f64, String> {
        let reads_j = match earlier {
            MeasuredJoules::Counted { reads_j, .. } => reads_j,
            MeasuredJoules::Missing(reason) => return Err(reason.clone()),
        };
        if let Some(two) = self.other_source(earlier) {
            return Err(format!("the joules of the fit are of two sources: {two}"));
        }
        let shown = self.begin()?;
        self.offset_j += reads_j.last().map_or(0.0, |last| last - shown);
        self.reads_j.clone_from(reads_j);
        Ok(reads_j.first().copied().unwrap_or(shown))
    }

    /// The two sources, if this meter is another one than that which counted the joules of an earlier process. Such joules are never
    /// added up.
    pub(super) fn other_source(&self, earlier: &MeasuredJoules) -> Option<String> {
        let MeasuredJoules::Counted { source, .. } = earlier else { return None };
        let now = self.counter.as_ref().ok()?.source();
        (source != now).then(|| format!("{source} before the interruption, {now} after it"))
    }

    /// The reads kept so far, in order.
    pub(super) fn reads_j(&self) -> &[f64] {
        &self.reads_j
    }

    /// The reads kept since the last call, in order.
    pub(super) fn take_reads_j(&mut self) -> Vec<f64> {
        std::mem::take(&mut self.reads_j)
    }

    /// Whether the parent takes samples of the meter, too.
    pub(super) fn is_sampled(&self) -> bool {
        self.counter.as_ref().is_ok_and(KeptUp::is_sampled)
    }

    /// The source of the joules. Empty if there are none.
    pub(super) fn source(&self) -> &'static str {
        self.counter.as_ref().map_or("", KeptUp::source)
    }
}
