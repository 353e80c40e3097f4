//! What is said of a night.

use bakeoff_reports::{
    Change, EpochLine, History, NewRun, Night, NightVerdict, NotJudged, Origin, Record, Results, Rules, RunKind,
    SeriesVerdict, Status, add_epochs, add_runs, history_text, night_text,
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

/// Adds a night of one of the two models.
fn add_resnet_alone(bench: &Bench, n: usize) {
    let dir = bench.night(n, quiet(n));
    let mut info = dir.info().unwrap();
    info.cases.retain(|case| case.label == "resnet");
    dir.write_info(&info).unwrap();
    let rows: Vec<Record> = dir.records().unwrap().rows.into_iter().filter(|row| row.label == "resnet").collect();
    dir.write_rows(&dir.records_path(), &rows).unwrap();
    bench.add_run(&Results::load(&dir).unwrap(), Origin::night());
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
            NightVerdict::NotJudged(NotJudged::NoReference("the history has no reference run of this suite".to_owned()))
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
        assert_eq!(
            judged(&bench),
            format!("{} earlier night{}, and 10 are needed", n - 1, if n == 2 { "" } else { "s" })
        );
    }
    bench.add(11, quiet(11));
    assert_eq!(judged(&bench), "unchanged");
    let dir = bench.night(12, quiet(12));
    let mut info = dir.info().unwrap();
    info.machine.cpus = 64;
    dir.write_info(&info).unwrap();
    bench.add_run(&Results::load(&dir).unwrap(), Origin::night());
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
    let changed = history.changed_since(found, None, &Rules::default()).unwrap();
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
    assert_eq!(history.changed_since(found, None, &Rules::default()), None, "it is accepted");
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
    add_resnet_alone(&bench, 13);
    let night = last(&bench.read());
    let (gone, there): (Vec<&SeriesVerdict>, Vec<&SeriesVerdict>) =
        night.verdicts.iter().partition(|one| one.key.cell.label == "transformer");
    // Estimates are never judged, so they are not missed; nor are scores that are not the primary one.
    let measured = there.iter().filter(|one| !one.key.quantity.is_estimate()).count();
    assert_eq!(gone.len(), measured);
    for one in &gone {
        let NightVerdict::NotJudged(reason) = &one.verdict else { panic!("{}", one.verdict.words()) };
        assert_eq!(reason.to_string(), "the night has no such case, and run night-12 before it had");
    }
    assert!(night.without_baseline().count() >= gone.len(), "what has vanished is no pass");
    // It is said once: the night after has no other cases than the one before it.
    add_resnet_alone(&bench, 14);
    assert!(last(&bench.read()).verdicts.iter().all(|one| one.key.cell.label == "resnet"));
}

#[test]
fn a_cell_of_another_machine_is_not_missed() {
    let bench = quiet_nights(3);
    let dir = bench.night(4, quiet(4));
    let mut info = dir.info().unwrap();
    info.machine.cpus = 64;
    dir.write_info(&info).unwrap();
    bench.add_run(&Results::load(&dir).unwrap(), Origin::night());
    bench.add(5, quiet(5));
    let night = last(&bench.read());
    let is_gone = |one: &SeriesVerdict| matches!(one.verdict, NightVerdict::NotJudged(NotJudged::Gone(_)));
    assert!(!night.verdicts.iter().any(is_gone));
}

#[test]
fn a_known_change_begins_where_the_last_suspicion_does_and_not_at_an_older_change() {
    // The level rose at night 16, which the series shows as a change point, and rises again tonight.
    let bench = quiet_nights(15);
    (16..=30).for_each(|n| bench.add(n, but(n, "fit_s", 1.2)));
    let history = bench.read();
    let since = history.changed_since(series(&history, "fit_s"), None, &Rules::default()).unwrap();
    assert_eq!(history.runs[since].run, name(16));
    bench.add(31, but(31, "fit_s", 1.5));
    let history = bench.read();
    let found = series(&history, "fit_s");
    let since = history.changed_since(found, None, &Rules::default()).unwrap();
    assert_eq!(history.runs[since].run, name(31));
    let epoch = EpochLine {
        series: found.id.clone(),
        named: found.key.to_string(),
        from: name(31),
        why: "known".to_owned(),
        accepted: "2026-02-04T09:00:00Z".to_owned(),
    };
    add_epochs(&bench.history(), &[epoch]).unwrap();
    (32..=45).for_each(|n| bench.add(n, but(n, "fit_s", 1.5)));
    let history = bench.read();
    for run in 31..45 {
        let night = history.judge(run, &Rules::default());
        let verdict = of(&night, "fit_s").verdict.words();
        assert!(["not judged", "unchanged"].contains(&verdict.as_str()), "the alarm is over: {verdict}");
    }
    assert_eq!(of(&last(&history), "fit_s").verdict, NightVerdict::Unchanged);
}

#[test]
fn a_change_of_an_earlier_night_begins_at_that_night_whatever_came_later() {
    let bench = quiet_nights(15);
    (16..=19).for_each(|n| bench.add(n, but(n, "fit_s", 1.3)));
    let history = bench.read();
    let found = series(&history, "fit_s");
    for n in 16..=19 {
        let at = history.runs.iter().position(|run| run.run == name(n)).unwrap();
        let since = history.changed_since(found, Some(at), &Rules::default()).unwrap();
        assert!(since <= at, "{n}: {since}");
    }
    let at = history.runs.iter().position(|run| run.run == name(16)).unwrap();
    assert_eq!(history.changed_since(found, Some(at), &Rules::default()), Some(at));
}

#[test]
fn a_cell_that_had_failed_before_it_vanished_is_missed_too() {
    let bench = quiet_nights(3);
    bench.add(4, |record| {
        quiet(4)(record);
        if record.label == "transformer" {
            record.status = Status::Failed;
        }
    });
    add_resnet_alone(&bench, 5);
    let night = last(&bench.read());
    let is_gone = |one: &&SeriesVerdict| matches!(one.verdict, NightVerdict::NotJudged(NotJudged::Gone(_)));
    assert!(night.verdicts.iter().filter(is_gone).count() > 0);
}

#[test]
fn a_run_that_was_repaired_keeps_its_kind_its_commit_and_its_place() {
    let bench = quiet_nights(3);
    let failed = |record: &mut Record| {
        if record.label == "resnet" {
            record.status = Status::Failed;
        }
    };
    // A night whose clock was years behind, and a backfilled commit.
    let wrong = |change: &dyn Fn(&mut Record)| {
        let dir = bench.night(4, change);
        crate::rename(&dir, &name(4), "2020-01-01T02:00:00Z");
        Results::load(&dir).unwrap()
    };
    bench.add_run(&wrong(&failed), Origin::night());
    bench.add(5, quiet(5));
    let backfill = Origin {
        kind: RunKind::Backfill,
        commit: Some("abcdef012345".to_owned()),
        committed: Some("2025-12-01T10:00:00Z".to_owned()),
        ..Origin::night()
    };
    bench.add_run(&Results::load(&bench.night(6, failed)).unwrap(), backfill);
    let before = bench.read();
    let repair = |results: &Results| {
        let run = NewRun::of(results, Origin::later(&results.info), None);
        add_runs(&bench.history(), crate::PROJECT, &[run]).unwrap();
    };
    repair(&wrong(&|_| {}));
    repair(&Results::load(&bench.night(6, |_| {})).unwrap());
    let after = bench.read();
    let places = |history: &History| -> Vec<(String, RunKind, String, String)> {
        let place = |run: &bakeoff_reports::Run| (run.run.clone(), run.kind, run.commit.clone(), run.at().to_owned());
        history.runs.iter().map(place).collect()
    };
    assert_eq!(places(&after), places(&before));
    assert!(
        after.remarks.len() == 1 && after.remarks[0].contains("began at 2020-01-01T02:00:00Z"),
        "{:?}",
        after.remarks
    );
    assert!(!after.runs.iter().flat_map(|run| &run.cells).any(|cell| cell.status == Status::Failed));
}

#[test]
fn after_two_repairs_were_merged_the_next_one_counts() {
    let bench = quiet_nights(3);
    let scaled_by = |factor: f64| Results::load(&bench.night(3, but(3, "fit_s", factor))).unwrap();
    let add = |results: &Results| {
        add_runs(&bench.history(), crate::PROJECT, &[NewRun::of(results, Origin::night(), None)]).unwrap();
        std::fs::read_to_string(bench.file()).unwrap()
    };
    let begun = std::fs::read_to_string(bench.file()).unwrap();
    let one = add(&scaled_by(2.0));
    std::fs::write(bench.file(), &begun).unwrap();
    let other = add(&scaled_by(3.0));
    // The lines that the other has added go behind, as scripts/nightly merges them.
    std::fs::write(bench.file(), one + &other[begun.len()..]).unwrap();
    let value = |history: &History| series(history, "fit_s").points[2].value;
    let merged = value(&bench.read());
    add(&scaled_by(5.0));
    let repaired = value(&bench.read());
    assert!((repaired / merged - 2.5).abs() < 1e-9, "{repaired} {merged}");
}

#[test]
fn a_run_that_was_repaired_takes_its_own_place() {
    let bench = quiet_nights(3);
    let failed = |record: &mut Record| {
        quiet(4)(record);
        if record.label == "resnet" && record.seed == 2 {
            record.status = Status::Failed;
        }
    };
    bench.add(4, failed);
    let history = bench.read();
    assert!(last(&history).has_failures(&history));
    assert_eq!(series(&history, "fit_s").points.len(), 3);
    bench.add(5, quiet(5));
    bench.add(4, quiet(4));
    let history = bench.read();
    assert_eq!(history.remarks, [""; 0]);
    assert_eq!(history.runs.iter().map(|run| run.run.clone()).collect::<Vec<_>>(), [1, 2, 3, 4, 5].map(name));
    assert!(!history.judge(3, &Rules::default()).has_failures(&history));
    assert_eq!(series(&history, "fit_s").points.len(), 5);
    // The same once more, and another run of the same name, are refused.
    let add = |dir: &bakeoff_reports::RunDir| {
        let results = Results::load(dir).unwrap();
        let run = NewRun::of(&results, Origin::night(), None);
        add_runs(&bench.history(), crate::PROJECT, &[run]).unwrap_err().to_string()
    };
    let dir = bench.night(4, quiet(4));
    assert!(add(&dir).contains("is in the history already: nothing was added"));
    crate::rename(&dir, &name(4), "2030-01-01T00:00:00Z");
    assert!(add(&dir).contains("the history has another run that is called night-4"));
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
