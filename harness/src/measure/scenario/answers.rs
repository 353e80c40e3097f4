//! Whether the answers that were timed are those that were scored. MLPerf Inference asks the same in its audit TEST01.

use bakeoff_models::Predictions;

use super::super::Stop;

/// Of so many timed answers, one may differ from the scored one, because a model may round a single row differently.
const ANSWERS_FOR_ONE_DIFFERENCE: usize = 100;
/// Two predicted numbers are the same if they differ by less than this share of the largest one.
const TOLERANCE: f32 = 1e-3;

/// Compares timed answers with those of the scoring pass.
#[derive(Debug, Clone)]
pub(super) struct Answers<'a> {
    scored: &'a Predictions,
    /// The size of the largest predicted number.
    largest: f32,
    timed: usize,
    differing: usize,
    /// The first test row whose answers differ.
    first: Option<usize>,
}

impl<'a> Answers<'a> {
    /// No timed answers yet.
    pub(super) fn of(scored: &'a Predictions) -> Answers<'a> {
        let largest = match scored {
            Predictions::Classes { .. } => 0.0,
            Predictions::Values(values) => values.iter().fold(0.0, |largest: f32, value| largest.max(value.abs())),
        };
        Answers { scored, largest, timed: 0, differing: 0, first: None }
    }

    /// Compares timed answers with the scored ones. They are the answers to `count` test rows, of which `row` is the first.
    ///
    /// # Errors
    /// If there are not `count` answers, or if they are of another kind.
    pub(super) fn check(&mut self, row: usize, count: usize, timed: &Predictions) -> Result<(), Stop> {
        self.check_rows(row..row + count, timed)
    }

    /// Compares the timed answers to these test rows.
    ///
    /// # Errors
    /// As [`Answers::check`].
    pub(super) fn check_rows(
        &mut self,
        rows: impl ExactSizeIterator<Item = usize>,
        timed: &Predictions,
    ) -> Result<(), Stop> {
        let count = rows.len();
        let found = match timed {
            Predictions::Classes { labels, .. } => labels.len(),
            Predictions::Values(values) => values.len(),
        };
        if found != count {
            return Err(Stop::failed(format!("{found} answers to {count} examples in a timed prediction")));
        }
        for (at, row) in rows.enumerate() {
            let is_same = match (self.scored, timed) {
                (Predictions::Classes { labels: scored, .. }, Predictions::Classes { labels, .. }) => {
                    scored.get(row) == labels.get(at)
                }
                (Predictions::Values(scored), Predictions::Values(values)) => {
                    let both = scored.get(row).zip(values.get(at));
                    both.is_some_and(|(one, other)| (one - other).abs() <= TOLERANCE * self.largest)
                }
                _ => return Err(Stop::failed("timed answers of another kind than the scored ones")),
            };
            self.timed += 1;
            if !is_same {
                self.differing += 1;
                self.first.get_or_insert(row);
            }
        }
        Ok(())
    }

    /// Adds what another comparison found.
    pub(super) fn add(&mut self, other: &Answers<'_>) {
        self.timed += other.timed;
        self.differing += other.differing;
        self.first = self.first.or(other.first);
    }

    /// How many answers were timed.
    pub(super) fn timed(&self) -> usize {
        self.timed
    }

    /// How many of them differ from the scored ones.
    pub(super) fn differing(&self) -> usize {
        self.differing
    }

    /// Why the times of these answers say nothing about the scored model, if too many of them differ.
    pub(super) fn fault(&self) -> Option<String> {
        let row = self.first.filter(|_| self.differing * ANSWERS_FOR_ONE_DIFFERENCE > self.timed)?;
        Some(format!(
            "{} of {} timed answers are not those of the scoring pass, first that to test row {row}",
            self.differing, self.timed
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(labels: &[u16]) -> Predictions {
        Predictions::Classes { labels: labels.to_vec(), probabilities: None }
    }

    #[test]
    fn answers_in_another_order_are_a_fault_that_names_the_first_row() {
        let scored = classes(&[0, 1, 2, 0]);
        let mut answers = Answers::of(&scored);
        for (row, label) in [(0, 0), (1, 0), (2, 1), (3, 2)] {
            assert!(answers.check(row, 1, &classes(&[label])).is_ok());
        }
        let fault = answers.fault().expect("a fault");
        assert_eq!(fault, "3 of 4 timed answers are not those of the scoring pass, first that to test row 1");
    }

    #[test]
    fn one_answer_in_a_hundred_may_round_differently() {
        let scored = classes(&[0; 200]);
        let mut answers = Answers::of(&scored);
        for row in 0..200 {
            assert!(answers.check(row, 1, &classes(&[u16::from(row >= 198)])).is_ok());
        }
        assert_eq!((answers.differing(), answers.fault()), (2, None));
        assert!(answers.check(0, 1, &classes(&[1])).is_ok());
        assert!(answers.fault().is_some());
    }

    #[test]
    fn numbers_may_differ_by_a_thousandth_of_the_largest() {
        let scored = Predictions::Values(vec![0.0, -1000.0]);
        let mut answers = Answers::of(&scored);
        assert!(answers.check(0, 2, &Predictions::Values(vec![0.9, -1000.9])).is_ok());
        assert_eq!(answers.differing(), 0);
        assert!(answers.check(0, 2, &Predictions::Values(vec![1.1, f32::NAN])).is_ok());
        assert_eq!((answers.differing(), answers.timed()), (2, 4));
    }

    #[test]
    fn too_few_answers_and_answers_of_another_kind_are_failures() {
        let scored = classes(&[0, 1]);
        let mut answers = Answers::of(&scored);
        let Err(stop) = answers.check(0, 1, &classes(&[])) else { panic!("no answer") };
        assert_eq!(stop.note, "0 answers to 1 examples in a timed prediction");
        assert!(answers.check(0, 1, &Predictions::Values(vec![0.0])).is_err());
    }
}
