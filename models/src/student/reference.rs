//! Compares what learners learn, and the answers that follow from their numbers, with another implementation
//! (scripts/make-fixtures/student.py).

use serde::Deserialize;

use bakeoff_datasets::Targets;

use super::*;
use crate::model::Matrix;

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<FixtureCase>,
}

#[derive(Deserialize)]
struct FixtureCase {
    classes: usize,
    truth: f64,
    /// The teacher's probabilities, `rows x classes`.
    answers: Vec<f32>,
    labels: Vec<u16>,
    /// What each learner learns, a number for each row.
    learned: Vec<Vec<f64>>,
    /// What each learner predicts.
    numbers: Vec<Vec<f32>>,
    /// The answers that follow from it, `rows x classes`.
    probabilities: Vec<f64>,
}

fn assert_near<'a>(found: impl IntoIterator<Item = &'a f32>, expected: &[f64], what: &str) {
    let found: Vec<f64> = found.into_iter().map(|value| f64::from(*value)).collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{what}: {found} is not {expected}");
    }
}

#[test]
fn targets_of_learners_and_answers_of_students_are_those_of_another_implementation() {
    let fixture: Fixture = serde_json::from_str(include_str!("../../tests/fixtures/student.json")).expect("a fixture");
    assert_eq!(fixture.cases.len(), 9);
    for FixtureCase { classes, truth, answers, labels, learned, numbers, probabilities } in fixture.cases {
        let what = format!("{classes} classes, {truth} of the truth");
        let rows = labels.len();
        let probabilities_of_teacher = Some(Matrix { rows, cols: classes, data: answers });
        // The labels of the teacher count only if there are no probabilities.
        let answers = Predictions::Classes { labels: vec![0; rows], probabilities: probabilities_of_teacher };
        let names = (0..classes).map(|class| class.to_string()).collect::<Vec<_>>().into();
        let targets = Targets::Classes { labels, names };
        let found =
            soft_targets(&answers, TargetShape::Classes(classes), Some((&targets, truth))).expect("finite numbers");
        assert_eq!(found.len(), learned.len(), "{what}");
        for (found, expected) in found.iter().zip(&learned) {
            assert_near(found, expected, &what);
        }
        let Predictions::Classes { probabilities: Some(found), .. } =
            Head::Classes(classes).decode(&outputs(&numbers, classes))
        else {
            panic!("{what}: a student of classes gives probabilities");
        };
        assert_near(&found.data, &probabilities, &what);
    }
}
