//! Bayesian search: the Tree-structured Parzen Estimator (Bergstra et al. 2011).
//!
//! Each parameter has an estimator of its own. It receives the position of each earlier search trial in the parameter's range, and
//! proposes the next. It is built afresh each time, so the same search trials give the same answer.

use bakeoff_models::{Resolved, SearchRange};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tpe::TpeOptimizer;

use crate::case::Case;
use crate::plan::{MOST_DRAWS, SearchPlan};

/// An earlier search trial: its parameters, and how good its score was. `None` if it failed.
pub(super) type Tried<'a> = (&'a Resolved, Option<f64>);

/// The parameters of the search trial `case` after those in `history`.
///
/// # Errors
/// If the model takes none of many answers.
pub(super) fn next(search: &SearchPlan, case: &Case, history: &[Tried<'_>]) -> Result<Resolved, String> {
    let mut estimators = Vec::new();
    for (name, range) in &search.space {
        estimators.push((*name, range, estimator(name, range, history)?));
    }
    for draw in 0..MOST_DRAWS {
        let mut params = case.params.clone();
        for (name, range, estimator) in &mut estimators {
            let mut random = ChaCha8Rng::seed_from_u64(case.choice_seed(name, draw));
            let place = estimator.ask(&mut random).map_err(|never| never.to_string())?;
            params.set(name, range.at(share(range, place)));
        }
        if search.fits(&params) {
            return Ok(params);
        }
    }
    Err(search.refusal(case))
}

/// The estimator of one parameter, which knows `history`.
fn estimator(name: &str, range: &SearchRange, history: &[Tried<'_>]) -> Result<TpeOptimizer, String> {
    let fault = |error: &dyn std::fmt::Display| format!("the search cannot use the range of '{name}': {error}");
    let mut estimator = match range {
        SearchRange::Between { .. } => {
            TpeOptimizer::new(tpe::parzen_estimator(), tpe::range(0.0, 1.0).map_err(|error| fault(&error))?)
        }
        SearchRange::OneOf(values) => {
            let places = tpe::categorical_range(values.len()).map_err(|error| fault(&error))?;
            TpeOptimizer::new(tpe::histogram_estimator(), places)
        }
    };
    // A search trial that failed counts as the worst.
    let worst = history.iter().filter_map(|(_, goodness)| *goodness).min_by(f64::total_cmp).unwrap_or(0.0);
    for (params, goodness) in history {
        // The parameters as written may be outside the range. The estimator would take a place for them among the good ones.
        let Some(share) = params.get(name).and_then(|value| range.share_of(value)) else { continue };
        // It looks for the lowest value.
        estimator.tell(share * places(range), -goodness.unwrap_or(worst)).map_err(|error| fault(&error))?;
    }
    Ok(estimator)
}

/// How long the range of an estimator's places is: 1 for numbers, one for each value of a choice.
fn places(range: &SearchRange) -> f64 {
    match range {
        SearchRange::Between { .. } => 1.0,
        SearchRange::OneOf(values) => values.len() as f64,
    }
}

/// The share of a range at an estimator's place, which for a choice is the number of the value.
fn share(range: &SearchRange, place: f64) -> f64 {
    match range {
        SearchRange::Between { .. } => place,
        SearchRange::OneOf(_) => (place.floor() + 0.5) / places(range),
    }
}
