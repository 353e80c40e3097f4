//! What is said of a night.

use bakeoff_reports::{
    Change, EpochLine, History, Night, NightVerdict, NotJudged, Record, Rules, SeriesVerdict, add_epochs, history_text,
    night_text,
};
use proptest::prelude::*;

use crate::{Bench, name, quiet, scaled, series};

/// Nights that are like each other.
fn quiet_nights(nights: usize) -> Bench {
    let bench = Bench::new();
    (1..=nights).for_each(|n| bench.add(n, quiet(n)));
    bench
}

/// A night like any other, but for one metric.
fn but(n: usize, metric: &'static str, factor: f64) -> impl Fn(&mut Record) {
    let (quiet, scaled) = (quiet(n), scaled(metric, factor));
    move |record| {
        quiet(record);
        scaled(record);
    }
}

/// The verdicts on the last night of a history.
fn last(history: &History) -> Night {
    history.judge(history.last_night().unwrap(), &Rules::default())
}

fn of<'a>(night: &'a Night, metric: &str) -> &'a SeriesVerdict {
    let is_it = |one: &&SeriesVerdict| one.key.cell.label == "resnet" && one.key.quantity.metric == metric;
    night.verdicts.iter().find(is_it).unwrap()
}

#[test]
fn a_night_like_the_others_is_unchanged_in_everything_that_is_measured() {
    let bench = quiet_nights(14);
    let night = last(&bench.read());
    for one in &night.verdicts {
        let expected = if one.key.quantity.is_estimate() {
            NightVerdict::NotJudged(NotJudged::Estimate)
        } else if one.key.quantity.is_quality() {
            NightVerdict::NotJudged(NotJudged::NoReference("the history has no reference run".to_owned()))
        } else {
            NightVerdict::Unchanged
        };
        assert_eq!(one.verdict, expected, "{}", one.key);
    }
    assert!(!night.is_regression());
    // Two models, one score each.
    assert_eq!(night.without_baseline().count(), 2);
}

#[test]
fn a_step_is_suspected_in_the_direction_that_its_metric_says() {
    for (metric, factor, change) in [
        ("fit_s", 1.2, Change::Regression),
        ("fit_s", 1.0 / 1.2, Change::Improvement),
        ("latency_p50_s", 1.2, Change::Regression),
        ("throughput", 1.2, Change::Improvement),
        ("throughput", 1.0 / 1.2, Change::Regression),
        ("peak_memory_bytes", 1.2, Change::Regression),
    ] {
        let bench = quiet_nights(14);
        bench.add(15, but(15, metric, factor));
        let night = last(&bench.read());
        let found = of(&night, metric);
        assert_eq!(found.verdict, NightVerdict::Suspected(change), "{metric} x {factor}");
        let numbers = found.numbers.as_ref().unwrap();
        assert!((numbers.change.unwrap() - (factor - 1.0)).abs() < 0.02, "{numbers:?}");
        assert_eq!(numbers.points, 14);
        let alerts = night.verdicts.iter().filter(|one| matches!(one.verdict, NightVerdict::Suspected(_))).count();
        assert_eq!(alerts, 2, "both models, and nothing else");
        assert!(!night.is_regression(), "nothing was measured again");
    }
}

#[test]
fn an_estimate_is_never_judged_whatever_it_says() {
    let bench = quiet_nights(14);
    bench.add(15, but(15, "energy_j", 3.0));
    let night = last(&bench.read());
    let energies: Vec<&SeriesVerdict> =
        night.verdicts.iter().filter(|one| one.key.quantity.metric == "energy_j").collect();
    assert!(!energies.is_empty());
    assert!(energies.iter().all(|one| one.verdict == NightVerdict::NotJudged(NotJudged::Estimate)));
}

#[test]
fn what_alerts_again_is_confirmed_and_what_does_not_is_cleared() {
    for (again, expected, is_regression) in [
        ([1.2, 1.19, 1.21], NightVerdict::Confirmed(Change::Regression), true),
        ([1.2, 1.0, 1.21], NightVerdict::Cleared(Change::Regression), false),
        ([0.8, 0.8, 0.8], NightVerdict::Cleared(Change::Regression), false),
    ] {
        let bench = quiet_nights(14);
        bench.add(15, but(15, "fit_s", 1.2));
        for (index, factor) in again.into_iter().enumerate() {
            bench.add_again(15, index + 1, but(20 + index, "fit_s", factor));
        }
        let history = bench.read();
        let night = last(&history);
        assert_eq!(of(&night, "fit_s").verdict, expected, "{again:?}");
        assert_eq!(night.is_regression(), is_regression);
        assert_eq!(of(&night, "fit_s").numbers.as_ref().unwrap().again.len(), 3);
        assert_eq!(of(&night, "throughput").verdict, NightVerdict::Unchanged);
        assert_eq!(series(&history, "fit_s").points.len(), 15, "what was measured again is no point");
    }
}

#[test]
fn the_baseline_does_not_know_what_was_measured_again() {
    let (with, without) = (quiet_nights(14), quiet_nights(14));
    for bench in [&with, &without] {
        bench.add(15, but(15, "fit_s", 1.2));
    }
    with.add_again(15, 1, but(20, "fit_s", 1.0));
    for bench in [&with, &without] {
        bench.add(16, quiet(16));
    }
    let (one, other) = (last(&with.read()), last(&without.read()));
    assert_eq!(one.verdicts, other.verdicts);
}

#[test]
fn a_series_of_one_value_for_ever_is_unchanged_and_a_step_of_it_is_suspected() {
    let bench = Bench::new();
    (1..=14).for_each(|n| bench.add(n, |_| {}));
    assert_eq!(of(&last(&bench.read()), "fit_s").verdict, NightVerdict::Unchanged);
    bench.add(15, scaled("fit_s", 1.2));
    assert_eq!(of(&last(&bench.read()), "fit_s").verdict, NightVerdict::Suspected(Change::Regression));
}

#[test]
fn a_baseline_that_is_missing_is_no_pass_and_says_why() {
    let bench = Bench::new();
    bench.add(1, quiet(1));
    let judged = |bench: &Bench| match of(&last(&bench.read()), "fit_s").verdict.clone() {
        NightVerdict::NotJudged(reason) => reason.to_string(),
        verdict => verdict.words(),
    };
    assert_eq!(judged(&bench), "the series begins with this night");
    for n in 2..=10 {
        bench.add(n, quiet(n));
        assert_eq!(judged(&bench), format!("{} earlier nights, and 10 are needed", n - 1));
    }
    bench.add(11, quiet(11));
    assert_eq!(judged(&bench), "unchanged");
    let dir = bench.night(12, quiet(12));
    let mut info = dir.info().unwrap();
    info.machine.cpus = 64;
    dir.write_info(&info).unwrap();
    bench.add_run(&bakeoff_reports::Results::load(&dir).unwrap(), bakeoff_reports::Origin::night());
    assert_eq!(
        judged(&bench),
        "this machine is new to the history, which has it on 2 x Example CPU <3 GHz> & co, 8 GiB"
    );
    bench.add(13, |record| record.params = "depth=9".to_owned());
    assert_eq!(judged(&bench), "it is measured in another way than before: other parameters than before");
    bench.add(14, |record| {
        if record.metric == "fit_s" {
            record.value = None;
        }
    });
    assert_eq!(judged(&bench), "no number of this night: its cases have none");
    bench.add(15, scaled("fit_s", 0.0));
    assert_eq!(judged(&bench), "no number of this night: 0 is no positive number");
    let night = last(&bench.read());
    assert!(night.without_baseline().any(|one| one.key.quantity.metric == "fit_s"));
}

#[test]
fn a_known_change_begins_a_new_epoch_that_is_judged_by_itself() {
    let bench = quiet_nights(14);
    (15..=24).for_each(|n| bench.add(n, but(n, "fit_s", 1.5)));
    let history = bench.read();
    let found = series(&history, "fit_s");
    let changed = history.changed_since(found, &Rules::default()).unwrap();
    assert_eq!(history.runs[changed].run, name(15), "where the change was found");
    let epoch = EpochLine {
        series: found.id.clone(),
        named: found.key.to_string(),
        from: name(15),
        why: "twice as many epochs".to_owned(),
        accepted: "2026-01-25T09:00:00Z".to_owned(),
    };
    add_epochs(&bench.history(), std::slice::from_ref(&epoch)).unwrap();
    let history = bench.read();
    let found = series(&history, "fit_s");
    let begun: Vec<(usize, Option<&str>)> =
        found.epochs.iter().map(|epoch| (epoch.first, epoch.why.as_deref())).collect();
    assert_eq!(begun, [(0, None), (14, Some("twice as many epochs"))]);
    let at = |n: usize| {
        let run = history.runs.iter().position(|run| run.run == name(n)).unwrap();
        of(&history.judge(run, &Rules::default()), "fit_s").verdict.clone()
    };
    assert_eq!(at(15), NightVerdict::NotJudged(NotJudged::NewEpoch("twice as many epochs".to_owned())));
    assert_eq!(at(20), NightVerdict::NotJudged(NotJudged::TooFewPoints { points: 5, needed: 10 }));
    assert_eq!(history.changed_since(found, &Rules::default()), None, "it is accepted");
    for (series, from, expected) in
        [("00000000", name(15), "series 00000000"), (epoch.series.0.as_str(), "night-99".to_owned(), "run night-99")]
    {
        let series = bakeoff_reports::SeriesId(series.to_owned());
        add_epochs(&bench.history(), &[EpochLine { series, from, ..epoch.clone() }]).unwrap();
        let said = bench.read().remarks.pop().unwrap();
        assert!(said.contains(&format!("from a {expected} that the history does not have")), "{said}");
    }
}

#[test]
fn a_cell_that_the_night_does_not_have_is_said_and_not_judged() {
    let bench = quiet_nights(12);
    let dir = bench.night(13, quiet(13));
    let mut info = dir.info().unwrap();
    info.cases.retain(|case| case.label == "resnet");
    dir.write_info(&info).unwrap();
    let rows: Vec<Record> = dir.records().unwrap().rows.into_iter().filter(|row| row.label == "resnet").collect();
    dir.write_rows(&dir.records_path(), &rows).unwrap();
    bench.add_run(&bakeoff_reports::Results::load(&dir).unwrap(), bakeoff_reports::Origin::night());
    let night = last(&bench.read());
    assert!(night.verdicts.iter().all(|one| one.key.cell.label == "resnet"));
    assert_eq!(
        night.remarks,
        [
            "1 cell of the run before (night-12) is not in this one, so nothing is said of it: transformer on cifar10, n = 2000."
        ]
    );
}

#[test]
fn a_night_and_a_history_on_the_terminal() {
    let bench = quiet_nights(14);
    bench.add(15, |record| {
        but(15, "fit_s", 1.2)(record);
        if record.label == "transformer" {
            scaled("throughput", 1.3)(record);
        }
    });
    for round in 1..=3 {
        bench.add_again(15, round, but(20 + round, "fit_s", 1.2));
    }
    let history = bench.read();
    insta::assert_snapshot!("night", night_text(&history, &last(&history)));
    (16..=24).for_each(|n| bench.add(n, but(n, "fit_s", 1.2)));
    let history = bench.read();
    let found = series(&history, "latency_p50_s");
    let epoch = EpochLine {
        series: found.id.clone(),
        named: found.key.to_string(),
        from: name(20),
        why: "a faster tokenizer".to_owned(),
        accepted: "2026-01-25T09:00:00Z".to_owned(),
    };
    add_epochs(&bench.history(), &[epoch]).unwrap();
    let history = bench.read();
    let text = history_text(&history, &Rules::default(), |series| series.key.cell.label == "resnet");
    insta::assert_snapshot!("history", text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn later_nights_change_nothing_that_was_said_of_a_night(step in 12_usize..18, factor in 0.7..1.4_f64) {
        let bench = Bench::new();
        let mut then = Vec::new();
        for n in 1..=18 {
            bench.add(n, but(n, "fit_s", if n >= step { factor } else { 1.0 }));
            then.push(last(&bench.read()));
        }
        let history = bench.read();
        for (run, before) in then.iter().enumerate() {
            prop_assert_eq!(&history.judge(run, &Rules::default()).verdicts, &before.verdicts);
        }
    }
}
