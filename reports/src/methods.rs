//! The statistical methods behind a table, each once: what its caption names and its bibliography lists.

use crate::citations::cite_method;
use crate::estimate::Basis;
use crate::metric::Estimator;
use crate::ranking::Ranking;
use crate::results::Results;

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Method {
    /// Wilson's interval of a share.
    Wilson,
    /// McNemar's exact test of two shares.
    McNemar,
    /// The bootstrap over test rows.
    Bootstrap,
    /// A paired t test over test rows.
    PairedT,
    /// Intervals and paired t tests over seeds and test rows.
    SeedsAndRows,
    /// Intervals and paired t tests with a variance that is corrected for training rows that trials share.
    CorrectedT,
    /// Holm's adjustment of the p-values of all pairs.
    Holm,
    /// The places that adjusted tests leave to a model.
    Places,
    /// The probability that a difference matters in practice.
    Equivalence,
    /// The probability of improvement over seeds.
    Improvement,
    /// Almost stochastic order.
    StochasticOrder,
    /// Mean ranks over tasks.
    Ranks,
    /// The best score that a number of search trials gives.
    Search,
    /// The expected calibration error.
    Calibration,
    /// Bounds of percentiles of latency by early stopping, and the scenarios of MLPerf Inference.
    EarlyStopping,
    /// The interval of the number of training rows at which two learning curves cross.
    Crossover,
}

impl Method {
    /// The methods behind the ranking of a setting and its table of pairs.
    pub(crate) fn of(results: &Results, ranking: &Ranking) -> Vec<Method> {
        let is_share = matches!(results.setting(ranking.setting).score().estimator, Estimator::Proportion(_));
        let mut methods = Vec::new();
        let mut add = |method: Method, is_used: bool| {
            if is_used && !methods.contains(&method) {
                methods.push(method);
            }
        };
        for found in ranking.models.iter().filter_map(|model| model.uncertainty) {
            add(interval(found.basis, is_share), found.interval.is_some());
        }
        for pair in &ranking.comparisons {
            add(test(pair.uncertainty.basis, is_share), pair.p.is_some());
            add(Method::Holm, pair.p.is_some());
            add(Method::Places, pair.p.is_some());
            add(Method::Equivalence, pair.equivalence.is_some());
            add(Method::Improvement, pair.seeds.is_some_and(|seeds| seeds.improvement.is_some()));
            add(Method::StochasticOrder, pair.seeds.is_some_and(|seeds| seeds.epsilon.is_some()));
        }
        methods
    }

    /// The words for the intervals that the method gives, in LaTeX with citations; `None` if it gives none.
    pub(crate) fn interval_words(self) -> Option<String> {
        let words = match self {
            Method::Wilson => "Wilson's score interval",
            Method::Bootstrap => "bootstrap over test rows",
            Method::SeedsAndRows => "Student's $t$ over seeds and test rows",
            Method::CorrectedT => "Student's $t$, corrected for shared training rows",
            _ => return None,
        };
        Some(format!("{words}{}", cite_method(self)))
    }

    /// The words for the test of two models that the method is; `None` if it is none.
    pub(crate) fn test_words(self) -> Option<String> {
        let words = match self {
            Method::McNemar => "McNemar's exact test",
            Method::PairedT => "a paired $t$ test over test rows",
            Method::SeedsAndRows => "a paired $t$ test over seeds and test rows",
            Method::CorrectedT => "a paired $t$ test that is corrected for shared training rows",
            _ => return None,
        };
        Some(format!("{words}{}", cite_method(self)))
    }
}

fn interval(basis: Basis, is_share: bool) -> Method {
    match basis {
        Basis::Rows if is_share => Method::Wilson,
        Basis::Rows => Method::Bootstrap,
        Basis::SeedsAndRows => Method::SeedsAndRows,
        Basis::Divisions | Basis::Folds => Method::CorrectedT,
    }
}

fn test(basis: Basis, is_share: bool) -> Method {
    match basis {
        Basis::Rows if is_share => Method::McNemar,
        Basis::Rows => Method::PairedT,
        Basis::SeedsAndRows => Method::SeedsAndRows,
        Basis::Divisions | Basis::Folds => Method::CorrectedT,
    }
}
