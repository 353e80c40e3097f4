//! The answers of the members of an ensemble, combined as they come in.

use crate::forest::most_probable;
use crate::model::{Matrix, Predictions};

/// What the members have answered so far.
///
/// Sums are kept in 64 bits, so that the order of the members is lost in the rounding to 32.
pub(super) enum MemberAnswers {
    /// The sums of their probabilities.
    Probabilities { rows: usize, cols: usize, sums: Vec<f64> },
    /// The classes that each of them gave, where the model has no probabilities.
    Votes(Vec<Vec<u16>>),
    /// The sums of their numbers.
    Values(Vec<f64>),
}

impl MemberAnswers {
    /// Those of the first member.
    pub(super) fn of(first: Predictions) -> MemberAnswers {
        match first {
            Predictions::Classes { probabilities: Some(Matrix { rows, cols, data }), .. } => {
                MemberAnswers::Probabilities { rows, cols, sums: data.into_iter().map(f64::from).collect() }
            }
            Predictions::Classes { labels, probabilities: None } => MemberAnswers::Votes(vec![labels]),
            Predictions::Values(values) => MemberAnswers::Values(values.into_iter().map(f64::from).collect()),
        }
    }

    /// Takes those of another member.
    ///
    /// # Errors
    /// If they are not of the form of those before: what is different about them.
    pub(super) fn add(&mut self, next: Predictions) -> Result<(), String> {
        match (self, next) {
            (
                MemberAnswers::Probabilities { rows, cols, sums },
                Predictions::Classes { probabilities: Some(matrix), .. },
            ) => {
                if (matrix.rows, matrix.cols) != (*rows, *cols) {
                    let found = format!("{} rows of {} probabilities", matrix.rows, matrix.cols);
                    return Err(format!("gave {found}, expected {rows} rows of {cols}"));
                }
                add_each(sums, &matrix.data);
            }
            (MemberAnswers::Votes(votes), Predictions::Classes { labels, probabilities: None }) => {
                check_count(votes.first().map_or(0, Vec::len), labels.len())?;
                votes.push(labels);
            }
            (MemberAnswers::Values(sums), Predictions::Values(values)) => {
                check_count(sums.len(), values.len())?;
                add_each(sums, &values);
            }
            _ => return Err("gave predictions of another kind than member 1".to_owned()),
        }
        Ok(())
    }

    /// What the ensemble of so many members answers.
    pub(super) fn combined(self, members: usize) -> Predictions {
        let mean = |sum: f64| (sum / members as f64) as f32;
        match self {
            MemberAnswers::Probabilities { rows, cols, sums } => {
                let probabilities = Matrix { rows, cols, data: sums.into_iter().map(mean).collect() };
                let labels = (0..rows).map(|row| most_probable(probabilities.row(row)) as u16).collect();
                Predictions::Classes { labels, probabilities: Some(probabilities) }
            }
            // A share of votes says how far the members agree, not how probable a class is.
            MemberAnswers::Votes(votes) => Predictions::Classes { labels: plurality(&votes), probabilities: None },
            MemberAnswers::Values(sums) => Predictions::Values(sums.into_iter().map(mean).collect()),
        }
    }
}

fn add_each(sums: &mut [f64], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += f64::from(*value);
    }
}

fn check_count(expected: usize, found: usize) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("gave {found} predictions, expected {expected}")) }
}

/// The class with most votes for each example, the lowest of several such. `votes` holds the classes that each member gave.
fn plurality(votes: &[Vec<u16>]) -> Vec<u16> {
    let mut ballot = Vec::with_capacity(votes.len());
    let winner = |example: usize| {
        ballot.clear();
        ballot.extend(votes.iter().map(|labels| labels[example]));
        ballot.sort_unstable();
        let runs = ballot.chunk_by(|one, other| one == other);
        runs.fold((0, 0), |(most, class), run| if run.len() > most { (run.len(), run[0]) } else { (most, class) }).1
    };
    (0..votes.first().map_or(0, Vec::len)).map(winner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probabilities(data: &[f32]) -> Predictions {
        let matrix = Matrix { rows: data.len() / 3, cols: 3, data: data.to_vec() };
        let labels = (0..matrix.rows).map(|row| most_probable(matrix.row(row)) as u16).collect();
        Predictions::Classes { labels, probabilities: Some(matrix) }
    }

    fn votes(labels: &[u16]) -> Predictions {
        Predictions::Classes { labels: labels.to_vec(), probabilities: None }
    }

    fn combined(members: &[Predictions]) -> Predictions {
        let mut answers = MemberAnswers::of(members[0].clone());
        for next in &members[1..] {
            answers.add(next.clone()).expect("of the same form");
        }
        answers.combined(members.len())
    }

    #[test]
    fn probabilities_are_averaged_and_the_highest_mean_wins_the_lower_class_in_a_tie() {
        // Two of three members prefer class 0, but the mean prefers class 2.
        let members = [[0.5, 0.125, 0.375], [0.5, 0.125, 0.375], [0.0, 0.0, 1.0]].map(|row| probabilities(&row));
        let mean = [1.0 / 3.0, 0.25 / 3.0, 1.75 / 3.0].map(|p: f64| p as f32).to_vec();
        let expected = Matrix { rows: 1, cols: 3, data: mean };
        assert_eq!(combined(&members), Predictions::Classes { labels: vec![2], probabilities: Some(expected) });
        let tie = combined(&[[0.0, 0.25, 0.75], [0.0, 0.75, 0.25]].map(|row| probabilities(&row)));
        assert!(matches!(tie, Predictions::Classes { labels, .. } if labels == [1]));
    }

    #[test]
    fn classes_without_probabilities_are_voted_on_the_lower_class_in_a_tie_and_stay_without() {
        let members = [votes(&[2, 1, 2, 7]), votes(&[2, 0, 1, 7]), votes(&[1, 1, 0, 7]), votes(&[0, 0, 2, 7])];
        assert_eq!(combined(&members), votes(&[2, 0, 2, 7]));
        assert_eq!(combined(&[votes(&[]), votes(&[])]), votes(&[]));
    }

    #[test]
    fn numbers_are_averaged() {
        let members = [[1.0, -2.0], [2.0, 4.0], [6.0, 1.0]].map(|values| Predictions::Values(values.to_vec()));
        assert_eq!(combined(&members), Predictions::Values(vec![3.0, 1.0]));
    }

    #[test]
    fn answers_of_another_form_are_refused() {
        let two = Predictions::Values(vec![1.0, 2.0]);
        let cases = [
            (two.clone(), Predictions::Values(vec![1.0]), "gave 1 predictions, expected 2"),
            (votes(&[1, 2]), votes(&[1]), "gave 1 predictions, expected 2"),
            (
                probabilities(&[0.0; 6]),
                probabilities(&[0.0; 3]),
                "gave 1 rows of 3 probabilities, expected 2 rows of 3",
            ),
            (two, votes(&[1, 2]), "gave predictions of another kind than member 1"),
            (votes(&[1]), probabilities(&[0.0; 3]), "gave predictions of another kind than member 1"),
        ];
        for (first, next, message) in cases {
            assert_eq!(MemberAnswers::of(first).add(next), Err(message.to_owned()));
        }
    }
}
