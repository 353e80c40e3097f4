//! Whether the score that a case recorded is the one that its predictions give. Both files are of the run, and one of them may have been
//! changed or damaged since.

use crate::answers::Answers;
use crate::cell::{Contradiction, Trial};
use crate::metric::Metric;

/// Two computations of one score differ by less than this share of it. The same functions compute both, and every number is stored with
/// all its digits.
const TOLERANCE: f64 = 1e-9;

/// The contradiction between the recorded score by the primary metric and the predictions; `None` if they agree, and if no score was
/// recorded.
pub(crate) fn contradiction(primary: &'static Metric, trial: &Trial, answers: &Answers) -> Option<Contradiction> {
    let recorded = trial.get("score", primary.name)?.value;
    let recomputed = primary.score_of(answers.answered());
    let agrees = |recomputed: f64| {
        // Scores such as correlations can be zero but for rounding.
        (recorded - recomputed).abs() <= TOLERANCE * recorded.abs().max(recomputed.abs()) + f64::EPSILON
    };
    (!recomputed.is_some_and(agrees)).then_some(Contradiction { metric: primary.name, recorded, recomputed })
}
