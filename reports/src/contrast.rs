//! A sum of scores with factors, paired by seed and test row: the difference of two models has the factors 1 and -1, and the change of
//! that difference between two sizes has four terms.

use std::collections::{BTreeMap, BTreeSet};

use crate::estimate::{Basis, Scored, TrialKey, Uncertainty};
use crate::statistics::{Interval, Trials, mcnemar_p, score_p, wilson};

/// Scores with their factors, over the trials that all of them have.
#[derive(Debug, Clone)]
pub(crate) struct Contrast<'a> {
    terms: Vec<(f64, Scored<'a>)>,
}

/// Why scores cannot be paired by their test rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpaired {
    /// A trial left no answers.
    NoAnswers,
    /// The scores of one trial are of other rows.
    OtherRows,
}

impl<'a> Contrast<'a> {
    /// `None` if the scores have no trial in common.
    pub(crate) fn new(terms: Vec<(f64, Scored<'a>)>) -> Option<Contrast<'a>> {
        let mut keys: Option<BTreeSet<TrialKey>> = None;
        for (_, scored) in &terms {
            let of_term = scored.keys();
            keys = Some(keys.map_or_else(|| of_term.clone(), |keys| keys.intersection(&of_term).copied().collect()));
        }
        let keys = keys.filter(|keys| !keys.is_empty())?;
        Some(Contrast { terms: terms.into_iter().map(|(factor, scored)| (factor, scored.only(&keys))).collect() })
    }

    /// The difference of two models.
    pub(crate) fn difference(one: &Scored<'a>, other: &Scored<'a>) -> Option<Contrast<'a>> {
        Contrast::new(vec![(1.0, one.clone()), (-1.0, other.clone())])
    }

    /// The sum of the mean scores.
    pub(crate) fn value(&self) -> f64 {
        self.terms.iter().map(|(factor, scored)| factor * scored.mean().unwrap_or(f64::NAN)).sum()
    }

    /// The sum on each seed.
    pub(crate) fn by_seed(&self) -> Vec<f64> {
        let mut sums: Vec<f64> = Vec::new();
        for (factor, scored) in &self.terms {
            let scores = scored.by_seed();
            sums.resize(scores.len(), 0.0);
            sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += factor * score);
        }
        sums
    }

    fn by_fold(&self) -> BTreeMap<(usize, usize), f64> {
        let mut sums: BTreeMap<(usize, usize), f64> = BTreeMap::new();
        for (factor, scored) in &self.terms {
            for (fold, score) in scored.by_fold() {
                *sums.entry(fold).or_insert(0.0) += factor * score;
            }
        }
        sums
    }

    /// Why the scores cannot be paired by their test rows; `None` if they can.
    pub(crate) fn unpaired(&self) -> Option<Unpaired> {
        if self.terms.iter().any(|(_, scored)| scored.answers().is_none()) {
            Some(Unpaired::NoAnswers)
        } else if self.are_of_same_rows() {
            None
        } else {
            Some(Unpaired::OtherRows)
        }
    }

    fn are_of_same_rows(&self) -> bool {
        self.terms.iter().all(|(_, scored)| scored.answers_same_rows(&self.terms[0].1))
    }

    /// How the value might have come out otherwise. There is no interval and no p if answers are missing, or if the terms answer
    /// different rows.
    pub(crate) fn uncertainty(&self) -> Uncertainty {
        let first = &self.terms[0].1;
        if let [(1.0, only)] = &self.terms[..]
            && let Some(found) = only.uncertainty()
        {
            return found;
        }
        let (by_seed, by_fold) = (self.by_seed(), self.by_fold());
        let same_rows = self.are_of_same_rows();
        if let Some(found) = first.uncertainty_of_divisions(&by_seed, &by_fold) {
            if !same_rows {
                return Uncertainty { rows: 0, interval: None, inference: None, ..found };
            }
            let is_zero = by_seed.iter().chain(by_fold.values()).all(|difference| *difference == 0.0);
            let p = if is_zero { Some(1.0) } else { found.inference.map(|inference| inference.p(0.0)) };
            return Uncertainty { p, ..found };
        }
        let basis = if by_seed.len() == 1 { Basis::Rows } else { Basis::SeedsAndRows };
        let none = Uncertainty {
            basis,
            seeds: by_seed.len(),
            rows: if same_rows { first.answered_rows() } else { 0 },
            interval: None,
            inference: None,
            p: None,
            variances: None,
        };
        let Some(sums) = self.rows() else { return none };
        let inference = sums.infer(self.value());
        let p = match basis {
            _ if sums.is_zero() => Some(1.0),
            Basis::Rows if self.is_difference_of_shares() => {
                let only = |sign: f64| sums.all().filter(|difference| *difference == sign).count() as u64;
                Some(mcnemar_p(only(1.0), only(-1.0)))
            }
            _ => inference.map(|found| found.p(0.0)),
        };
        let interval = inference.map(|found| found.interval()).or_else(|| self.interval_of_same_answers(&none, &sums));
        Uncertainty { interval, inference, p, variances: first.variances(&sums), ..none }
    }

    /// The interval of the difference of two shares if no answer differs. Only the number of rows is known then, so the share of rows on
    /// which two models differ is at most the end of Wilson's interval for none, and so is the difference in either direction.
    fn interval_of_same_answers(&self, found: &Uncertainty, sums: &Trials) -> Option<Interval> {
        let most = wilson(0.0, found.rows as f64).filter(|_| sums.is_zero() && self.is_difference_of_shares())?.high;
        Some(Interval { low: -most, high: most })
    }

    /// Whether both models have the same score on every row of every trial.
    pub(crate) fn is_zero(&self) -> bool {
        self.rows().is_some_and(|sums| sums.is_zero())
    }

    /// The sum of each row in each trial; `None` unless all terms answer the same rows.
    fn rows(&self) -> Option<Trials> {
        let targets = |scored: &Scored<'_>| Some(scored.answers()?.0.first()?.targets);
        let first = targets(&self.terms[0].1)?;
        if self.terms.iter().any(|(_, scored)| targets(scored) != Some(first)) {
            return None;
        }
        let terms: Option<Vec<(f64, Trials)>> =
            self.terms.iter().map(|(factor, scored)| Some((*factor, scored.rows()?))).collect();
        Trials::combination(&terms?)
    }

    /// The two-sided p of "the value is `hypothesis`". A share that is the same for every seed and row is tested by the number of rows
    /// alone.
    pub(crate) fn p(&self, hypothesis: f64, found: &Uncertainty) -> Option<f64> {
        let alone = || (self.terms.len() == 1 && self.terms[0].1.is_proportion()).then_some(());
        match found.inference {
            Some(inference) => Some(inference.p(hypothesis)),
            None => alone().and_then(|()| score_p(self.value(), found.rows as f64, hypothesis)),
        }
    }

    fn is_difference_of_shares(&self) -> bool {
        let factors: Vec<f64> = self.terms.iter().map(|(factor, _)| *factor).collect();
        (factors == [1.0, -1.0] || factors == [-1.0, 1.0]) && self.terms[0].1.is_proportion()
    }
}
