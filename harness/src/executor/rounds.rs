//! What the rounds gave in which a saved model was served: the medians, and the numbers of each round.

use bakeoff_reports::{Reading, Status};

use crate::outcome::{MetricValue, Outcome};
use crate::phase::Phase;

/// The metrics of which the largest number of all rounds counts: what is too much in one round is too much.
const LARGEST_COUNTS: [&str; 5] =
    ["noise_over_limits", "temperature_c", "peak_memory_bytes", "device_memory_bytes", "differing_answers"];

/// What several rounds gave together. A number that every round has is their median, which is that of one of them because the number of
/// rounds is odd. Each round also has its own rows, with the condition `round`. If a round failed, the numbers of the rounds before are kept
/// as theirs, and the failure is the result. `None` without a round.
pub(super) fn joined(rounds: Vec<Outcome>) -> Option<Outcome> {
    if rounds.len() < 2 {
        return rounds.into_iter().next();
    }
    let mut together = Outcome::without_numbers(Status::Ok, "");
    let has_failed = rounds.iter().any(|round| round.status.is_failure());
    if !has_failed {
        together.values = keys(&rounds).into_iter().filter_map(|key| over_rounds(&rounds, key)).collect();
    }
    for (number, round) in (1..).zip(rounds) {
        let condition = format!("round={number}");
        let of_round = Outcome {
            values: round.values.into_iter().map(|value| under(&condition, value)).collect(),
            readings: round
                .readings
                .into_iter()
                .map(|reading| Reading { metric: format!("{} {condition}", reading.metric), ..reading })
                .collect(),
            note: if round.note.is_empty() || round.status.is_failure() {
                round.note
            } else {
                format!("round {number}: {}", round.note)
            },
            ..round
        };
        together.go_on_with(of_round);
    }
    Some(together)
}

/// What a number is of: phase, metric, conditions and source.
type Key<'a> = (Phase, &'a str, &'a str, &'a str);

fn key(value: &MetricValue) -> Key<'_> {
    (value.phase, &value.metric, &value.conditions, &value.source)
}

/// What the rounds measured, in the order in which it first appears.
fn keys(rounds: &[Outcome]) -> Vec<Key<'_>> {
    let mut keys = Vec::new();
    for value in rounds.iter().flat_map(|round| &round.values) {
        if !keys.contains(&key(value)) {
            keys.push(key(value));
        }
    }
    keys
}

/// The number of all rounds. Empty with the reason if one of them has none. `None` if it was measured under conditions that not every
/// round had, such as a rate that one search tried and another did not.
fn over_rounds(rounds: &[Outcome], wanted: Key<'_>) -> Option<MetricValue> {
    let of_rounds: Vec<Option<&MetricValue>> =
        rounds.iter().map(|round| round.values.iter().find(|value| key(value) == wanted)).collect();
    let (first, count) = (*of_rounds.iter().flatten().next()?, rounds.len());
    let missing = of_rounds.iter().filter(|value| value.is_none()).count();
    if missing > 0 {
        let note = format!("measured in {} of {count} rounds only", count - missing);
        return first.conditions.is_empty().then(|| MetricValue { value: None, note, ..first.clone() });
    }
    let values: Vec<&MetricValue> = of_rounds.into_iter().flatten().collect();
    if let Some(empty) = values.iter().position(|value| value.value.is_none()) {
        let is_empty_in_all = values.iter().all(|value| value.value.is_none());
        let round = if is_empty_in_all { String::new() } else { format!(" (round {} of {count})", empty + 1) };
        let note = format!("{}{round}", values[empty].note);
        return Some(MetricValue { note, ..values[empty].clone() });
    }
    let mut ascending: Vec<(f64, &MetricValue)> =
        values.into_iter().filter_map(|value| Some((value.value?, value))).collect();
    ascending.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let (least, most) = (ascending[0].0, ascending[count - 1].0);
    let is_largest = LARGEST_COUNTS.contains(&wanted.1);
    let (_, chosen) = ascending[if is_largest { count - 1 } else { count / 2 }];
    let which = if is_largest { "largest" } else { "median" };
    let of = if least == most {
        format!("the same in {count} rounds")
    } else {
        format!("the {which} of {count} rounds, {} to {}", short(least), short(most))
    };
    let note = if chosen.note.is_empty() { of } else { format!("{}; {of}", chosen.note) };
    Some(MetricValue { note, ..chosen.clone() })
}

/// A number with four significant digits.
fn short(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}

/// Adds a condition to those of a number, in the order of the names.
fn under(condition: &str, value: MetricValue) -> MetricValue {
    let mut conditions: Vec<&str> = value.conditions.split(' ').filter(|pair| !pair.is_empty()).collect();
    conditions.push(condition);
    conditions.sort_unstable();
    let conditions = conditions.join(" ");
    MetricValue { conditions, ..value }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn value(metric: &str, conditions: &str, value: Option<f64>, note: &str) -> MetricValue {
        MetricValue {
            phase: Phase::Serve,
            metric: metric.to_owned(),
            conditions: conditions.to_owned(),
            value,
            source: "stopwatch".to_owned(),
            note: note.to_owned(),
        }
    }

    fn round(values: &[MetricValue]) -> Outcome {
        let reading = Reading {
            phase: "serve".to_owned(),
            metric: "load_s".to_owned(),
            index: 0,
            example: None,
            value: 1.0,
            unit: "s".to_owned(),
            source: "stopwatch".to_owned(),
        };
        Outcome { values: values.to_vec(), readings: vec![reading], ..Outcome::without_numbers(Status::Ok, "") }
    }

    fn rows(outcome: &Outcome) -> Vec<(&str, &str, Option<f64>, &str)> {
        outcome.values.iter().map(|value| (&*value.metric, &*value.conditions, value.value, &*value.note)).collect()
    }

    #[test]
    fn a_single_round_is_left_as_it_is() {
        let only = round(&[value("load_s", "", Some(2.0), "")]);
        assert_eq!(joined(vec![only.clone()]), Some(only));
        assert_eq!(joined(Vec::new()), None);
    }

    #[test]
    fn three_rounds_are_their_median_and_each_has_its_own_rows_and_readings() {
        let rounds = [3.0, 1.0, 2.0].map(|seconds| round(&[value("load_s", "batch=8", Some(seconds), "note")]));
        let outcome = joined(rounds.to_vec()).unwrap();
        assert_eq!(
            rows(&outcome),
            [
                ("load_s", "batch=8", Some(2.0), "note; the median of 3 rounds, 1 to 3"),
                ("load_s", "batch=8 round=1", Some(3.0), "note"),
                ("load_s", "batch=8 round=2", Some(1.0), "note"),
                ("load_s", "batch=8 round=3", Some(2.0), "note"),
            ]
        );
        let names: Vec<&str> = outcome.readings.iter().map(|reading| reading.metric.as_str()).collect();
        assert_eq!(names, ["load_s round=1", "load_s round=2", "load_s round=3"]);
    }

    #[test]
    fn conditions_stay_in_the_order_of_their_names() {
        let of_rate = under("round=2", value("queries", "bound_ms=30 rate_per_s=20 workers=1", Some(1.0), ""));
        assert_eq!(of_rate.conditions, "bound_ms=30 rate_per_s=20 round=2 workers=1");
    }

    #[test]
    fn noise_in_one_round_marks_the_case() {
        let rounds = [0.0, 1.0, 0.0].map(|exceeded| {
            let note = if exceeded > 0.0 { "load 2 is above max_load = 1" } else { "" };
            round(&[value("noise_over_limits", "", Some(exceeded), note)])
        });
        let outcome = joined(rounds.to_vec()).unwrap();
        assert_eq!(outcome.values[0].value, Some(1.0));
        assert!(outcome.values[0].note.starts_with("load 2 is above max_load = 1; the largest of 3 rounds"));
    }

    #[test]
    fn a_number_that_a_round_lacks_is_empty_with_the_reason_unless_it_has_conditions() {
        let tried = |conditions| value("queries", conditions, Some(5.0), "");
        let lacks = value("frequency_hz", "", None, "not shown");
        let rounds = vec![
            round(&[value("load_cold_s", "", Some(1.0), ""), lacks.clone(), tried(""), tried("rate_per_s=20")]),
            round(&[value("load_cold_s", "", None, "not cold"), lacks.clone(), tried("rate_per_s=30")]),
            round(&[value("load_cold_s", "", Some(1.0), ""), lacks, tried("")]),
        ];
        let outcome = joined(rounds).unwrap();
        let together: Vec<_> =
            rows(&outcome).into_iter().filter(|(_, conditions, ..)| !conditions.contains("round")).collect();
        assert_eq!(
            together,
            [
                ("load_cold_s", "", None, "not cold (round 2 of 3)"),
                ("frequency_hz", "", None, "not shown"),
                ("queries", "", None, "measured in 2 of 3 rounds only"),
            ]
        );
    }

    #[test]
    fn a_round_that_fails_is_the_result_and_the_rounds_before_keep_their_rows() {
        let failed = Outcome::without_numbers(Status::Failed, "it panicked");
        let outcome = joined(vec![round(&[value("load_s", "", Some(1.0), "")]), failed]).unwrap();
        assert_eq!((outcome.status, outcome.note.as_str()), (Status::Failed, "it panicked"));
        assert_eq!(rows(&outcome), [("load_s", "round=1", Some(1.0), "")]);
    }
}
