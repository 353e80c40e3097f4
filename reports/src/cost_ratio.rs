//! Costs are compared by their ratios, so by their logarithms. An estimate is not compared.

use std::collections::BTreeMap;

use crate::cell::{Cell, ESTIMATE, Trial};
use crate::estimate::TrialKey;
use crate::format::ratio;
use crate::statistics::{Interval, corrected};

/// A cost of one cell divided by that of another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CostRatio {
    /// The geometric mean of the ratios of the seeds.
    pub(crate) ratio: f64,
    /// Its 95 % interval; `None` unless there are several seeds, or several folds of one seed.
    pub(crate) interval: Option<Interval>,
    /// How many seeds, or folds of one seed, it is the mean of.
    pub(crate) count: usize,
}

impl CostRatio {
    /// The ratio of `one` to `other` over the seeds and folds that both have; `None` if one of them has no measured number of the
    /// same source.
    pub(crate) fn new(one: &Cell, other: &Cell, phase: &str, metric: &str) -> Option<CostRatio> {
        let source = one.source(phase, metric).filter(|source| *source != ESTIMATE)?;
        let logs = |cell: &Cell| -> BTreeMap<TrialKey, f64> {
            let log = |trial: &Trial| {
                let cost = trial.get_from(phase, metric, source)?.value;
                (cost > 0.0).then(|| ((trial.seed, trial.fold), cost.ln()))
            };
            cell.trials.iter().filter_map(log).collect()
        };
        let (ones, others) = (logs(one), logs(other));
        let shared = ones.into_iter().filter_map(|(key, log)| Some((key, log - others.get(&key)?)));
        let logs = of_seeds(shared);
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        (!logs.is_empty()).then(|| CostRatio {
            ratio: mean.exp(),
            interval: interval_of_logs(&logs),
            count: logs.len(),
        })
    }

    /// `× 0.980 [0.950, 1.010]`.
    pub(crate) fn text(&self) -> String {
        ratio(self.ratio, self.interval)
    }
}

/// The mean of each seed; the numbers of the folds, if there is one seed.
pub(crate) fn of_seeds(numbers: impl Iterator<Item = (TrialKey, f64)>) -> Vec<f64> {
    let mut seeds: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for ((seed, _), number) in numbers {
        seeds.entry(seed).or_default().push(number);
    }
    if seeds.len() == 1 {
        return seeds.into_values().flatten().collect();
    }
    seeds.into_values().map(|numbers| numbers.iter().sum::<f64>() / numbers.len() as f64).collect()
}

/// The 95 % interval of what these are the logarithms of, by Student's t; `None` for fewer than two.
pub(crate) fn interval_of_logs(logs: &[f64]) -> Option<Interval> {
    let found = corrected(logs, 0.0)?.interval();
    Some(Interval { low: found.low.exp(), high: found.high.exp() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_costs_is_students_over_the_logarithms_of_the_seeds() {
        // Logarithms 0, 1 and 2: mean 1, standard error 1/sqrt(3), and 4.302653 is the quantile with two degrees of freedom.
        let half = 4.302_652_729_9 / 3.0_f64.sqrt();
        let expected = [(1.0 - half).exp(), (1.0 + half).exp()];
        let is_expected = |logs: &[(u64, f64)]| {
            let keyed = logs.iter().enumerate().map(|(fold, (seed, log))| ((*seed, Some((1, fold))), *log));
            let found = interval_of_logs(&of_seeds(keyed));
            let ends = found.map_or([0.0; 2], |interval| [interval.low, interval.high]);
            ends.iter().zip(expected).all(|(one, other)| (one / other - 1.0).abs() < 1e-6)
        };
        assert!(is_expected(&[(1, 0.0), (2, 1.0), (3, 2.0)]));
        assert!(is_expected(&[(7, 0.0), (7, 1.0), (7, 2.0)]), "the folds of one seed");
        let folds_of_seeds = [(1, 0.0), (1, 0.0), (2, 0.0), (2, 2.0), (3, 2.0), (3, 2.0)];
        assert!(is_expected(&folds_of_seeds), "a seed counts once, however many folds it has");
        assert_eq!(interval_of_logs(&[1.0]), None);
        assert_eq!(interval_of_logs(&[1.0, 1.0]), None, "equal costs say nothing of their spread");
    }
}
