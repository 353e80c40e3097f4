//! The search trials of a case: how many there are, on how many rows, which wait for others, and the parameters of those
//! that are drawn at random.

use std::fmt;

use bakeoff_models::{Device, ModelEntry, Resolved, Support, TaskShape};

use super::search::{self, Space};
use crate::budget::Budget;
use crate::case::Case;
use crate::suite::{SearchEntry, Source, Suite, SuiteError};

/// Draws of one search trial before its ranges count as unusable.
pub const MOST_DRAWS: usize = 1000;

/// A rung of halving has a third of the search trials of the one before it, on three times as many rows.
const RUNG_FACTOR: usize = 3;

/// The fewest search trials of which halving can keep some and leave out others.
pub(super) const FEWEST_TO_HALVE: usize = RUNG_FACTOR;

/// The fewest rows of a rung. Fewer say little about any parameter.
const FEWEST_RUNG_ROWS: usize = 20;

/// The fewest search trials at random before others are chosen by their scores.
const FEWEST_BEFORE_CHOICE: usize = 5;

/// How the parameters of search trials are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchMethod {
    /// Each at random.
    Random,
    /// Some at random, and each of the others by the scores before it.
    Bayesian,
    /// All at random on few rows. The best go on with more rows.
    Halving,
}

impl SearchMethod {
    /// Every method.
    pub(super) const ALL: &[SearchMethod] = &[SearchMethod::Random, SearchMethod::Bayesian, SearchMethod::Halving];

    /// The word in a suite.
    pub(super) fn name(self) -> &'static str {
        match self {
            SearchMethod::Random => "random",
            SearchMethod::Bayesian => "bayesian",
            SearchMethod::Halving => "halving",
        }
    }

    /// The method of this name.
    pub(super) fn named(name: &str) -> Option<SearchMethod> {
        SearchMethod::ALL.iter().copied().find(|method| method.name() == name)
    }
}

/// The search for the parameters of a case, as it is planned.
#[derive(Clone)]
pub struct SearchPlan {
    /// The model.
    pub model: &'static dyn ModelEntry,
    /// What the model knows of the task.
    pub shape: TaskShape,
    /// The device.
    pub device: Device,
    /// What the search varies.
    pub space: Space,
    /// How parameters are chosen.
    pub method: SearchMethod,
    /// The search trials of each rung. Only halving has more than one.
    pub rungs: Vec<usize>,
    /// What the fits may use before no further search trial begins.
    pub budget: Option<Budget>,
}

impl fmt::Debug for SearchPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SearchPlan { model, space, method, rungs, budget, .. } = self;
        write!(f, "{method:?} search of {} in {space:?}, {rungs:?} search trials, budget {budget:?}", model.name())
    }
}

impl SearchPlan {
    /// The search that a suite asks for, for a case with `given` rows.
    ///
    /// # Errors
    /// If there are too few rows for a second rung of halving.
    pub(super) fn new(
        source: &Source,
        entry: &SearchEntry,
        (model, shape, device): (&'static dyn ModelEntry, TaskShape, Device),
        space: Space,
        case: &Case,
    ) -> Result<SearchPlan, SuiteError> {
        let method = SearchMethod::named(entry.method.as_ref()).expect("the method is checked");
        let mut rungs = vec![entry.most_trials()];
        if method == SearchMethod::Halving {
            // Search trials hold out the tenth that is for validation.
            let rows = case.given_rows() * 9 / 10;
            rungs = rungs_of(entry.most_trials(), rows);
            if rungs.len() == 1 {
                let least = RUNG_FACTOR * FEWEST_RUNG_ROWS;
                let message = format!(
                    "halving needs at least {least} rows for a search trial, and task '{}' leaves {rows}: raise train_size, or \
                     use method = \"random\"",
                    case.task
                );
                return Err(source.fault(&entry.method, message));
            }
        }
        let budget = entry.budget.as_ref().map(|budget| *budget.as_ref());
        Ok(SearchPlan { model, shape, device, space, method, rungs, budget })
    }

    /// How many search trials there are.
    pub fn trials(&self) -> usize {
        self.rungs.iter().sum()
    }

    /// How many search trials have parameters that are drawn at random: the first ones.
    pub fn drawn(&self) -> usize {
        match self.method {
            SearchMethod::Random => self.trials(),
            // How many a budget allows is not known.
            SearchMethod::Bayesian if self.budget.is_some() => FEWEST_BEFORE_CHOICE.min(self.trials()),
            // Hyperopt begins with 20 and Optuna with 10, which would leave little of a search of 20.
            SearchMethod::Bayesian => (self.trials() / 4).max(FEWEST_BEFORE_CHOICE).min(self.trials()),
            SearchMethod::Halving => self.rungs[0],
        }
    }

    /// The rung of a search trial, from 0, and the number of search trials in the rungs before it.
    pub fn rung_of(&self, trial: usize) -> (usize, usize) {
        let mut before = 0;
        for (rung, trials) in self.rungs.iter().enumerate() {
            if trial <= before + trials {
                return (rung, before);
            }
            before += trials;
        }
        (self.rungs.len() - 1, before)
    }

    /// The search trials that must have ended before this one: those numbered 1 up to the answer.
    fn waits_for(&self, trial: usize) -> usize {
        match self.method {
            // What is left of a budget depends on every search trial before.
            _ if self.budget.is_some() => trial - 1,
            SearchMethod::Bayesian if trial > self.drawn() => trial - 1,
            SearchMethod::Random | SearchMethod::Bayesian => 0,
            SearchMethod::Halving => self.rung_of(trial).1,
        }
    }

    fn row_divisor(&self, trial: usize) -> usize {
        let rungs_after = self.rungs.len() - 1 - self.rung_of(trial).0;
        RUNG_FACTOR.pow(u32::try_from(rungs_after).unwrap_or(u32::MAX))
    }

    /// These parameters with each value in its turn that the search may choose from a list, as far as the model takes it for the task.
    pub fn choices(&self, params: &Resolved) -> Vec<Resolved> {
        let all = search::choices(&self.space, params).into_iter().map(|choice| choice.params);
        all.filter(|params| self.fits(params)).collect()
    }

    /// Whether the model takes these parameters for the task, and the files that they name.
    pub fn fits(&self, params: &Resolved) -> bool {
        self.model.check(params).is_ok()
            && self.model.check_files(params).is_ok()
            && self.model.supports(&self.shape, params, self.device) == Support::Yes
    }

    /// The parameters of a search trial, each drawn from its range; `None` if the model takes none of many draws.
    fn draw(&self, case: &Case) -> Option<Resolved> {
        let drawn = |draw| {
            let mut params = case.params.clone();
            for (name, range) in &self.space {
                params.set(name, range.at(case.search_share(name, draw)));
            }
            params
        };
        (0..MOST_DRAWS).map(drawn).find(|params| self.fits(params))
    }

    /// The search trials of a case, in their order. The first has the parameters of the case.
    ///
    /// # Errors
    /// If the ranges hold next to no parameters that the model takes for the task.
    pub(super) fn cases(&self, source: &Source, suite: &Suite, case: &Case) -> Result<Vec<Case>, SuiteError> {
        let trial = |trial: usize| {
            let mut case = Case {
                trial: Some(trial),
                waits_for: self.waits_for(trial),
                row_divisor: self.row_divisor(trial),
                keep_model: false,
                predict_hidden: false,
                ..case.clone()
            };
            case.id = case.id_of();
            if (2..=self.drawn()).contains(&trial) {
                case.params = self.draw(&case).ok_or_else(|| {
                    let message = format!("{}: narrow them in [model.search]", self.refusal(&case));
                    let at = suite.search.as_ref().map_or(0, |search| search.span().start);
                    source.fault_at(at, message)
                })?;
            }
            Ok(case)
        };
        (1..=self.trials()).map(trial).collect()
    }

    /// What is wrong if the model takes no draw.
    pub fn refusal(&self, case: &Case) -> String {
        format!(
            "model '{}' takes none of {MOST_DRAWS} draws from its ranges on task '{}'",
            self.model.name(),
            case.task
        )
    }
}

/// The most search trials of a case: with halving, those of all rungs that enough rows allow.
pub(super) fn most(search: &SearchEntry) -> usize {
    match SearchMethod::named(search.method.as_ref()) {
        Some(SearchMethod::Halving) => rungs_of(search.most_trials(), usize::MAX).iter().sum(),
        _ => search.most_trials(),
    }
}

/// The search trials of each rung of halving. A rung has at least one search trial and enough rows; the last has all
/// `rows`.
fn rungs_of(trials: usize, rows: usize) -> Vec<usize> {
    let mut rungs = vec![trials];
    let mut divisor = RUNG_FACTOR;
    while rungs[rungs.len() - 1] >= RUNG_FACTOR && rows / divisor >= FEWEST_RUNG_ROWS {
        rungs.push(rungs[rungs.len() - 1] / RUNG_FACTOR);
        // There are at most as many rungs as 100,000 search trials have thirds.
        divisor *= RUNG_FACTOR;
    }
    rungs
}

#[cfg(test)]
mod tests {
    use super::rungs_of;

    #[test]
    fn halving_has_as_many_rungs_as_its_trials_and_its_rows_allow() {
        assert_eq!(rungs_of(27, 540), [27, 9, 3, 1]);
        assert_eq!(rungs_of(27, 539), [27, 9, 3], "a fourth rung would begin with 19 rows");
        assert_eq!(rungs_of(20, 100_000), [20, 6, 2]);
        assert_eq!(rungs_of(3, 60), [3, 1]);
        assert_eq!(rungs_of(3, 59), [3]);
        assert_eq!(rungs_of(2, 1000), [2]);
    }
}
