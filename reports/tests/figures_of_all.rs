//! The figures of all settings together: what they say agrees with the numbers, in every look.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "common/apart.rs"]
mod apart;
mod common;
#[path = "common/pictures.rs"]
mod pictures;

use std::fs;
use std::path::PathBuf;

use apart::assert_texts_are_apart;
use bakeoff_reports::{FIGURES, Look, OverTasks, Picture, Results, RunDir, Style, build_with, claims, judge};
use common::{Plan, SMALL, write_run};
use pictures::has_text;

/// Three tasks at three sizes and with two shares of wrong labels: 18 settings.
const PLAN: Plan = Plan { tasks: 3, models: 8, seeds: 3, examples: 200, faults: false, axes: true, ..SMALL };

/// A made-up run of a suite that measures claims.
fn run(folder: &std::path::Path, plan: &Plan) -> RunDir {
    let dir = write_run(folder, plan);
    let mut info = dir.info().unwrap();
    info.suite = "claims-quick".to_owned();
    dir.write_info(&info).unwrap();
    dir
}

fn picture(name: &str, results: &Results, look: Look) -> Option<Picture> {
    let figure = FIGURES.iter().find(|figure| figure.name() == name).unwrap();
    figure.draw(results, &Style::of(look)).unwrap().pictures.into_iter().next()
}

#[test]
fn no_text_lies_on_another_in_any_look_for_few_and_many_models() {
    for models in [2, 3, 5, 8] {
        // The pictures stay under the target folder, where a person can look at them.
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("figures-of-all/{models}"));
        let _ = fs::remove_dir_all(&folder);
        let dir = run(&folder, &Plan { models, examples: 100, ..PLAN });
        let results = Results::load(&dir).unwrap();
        for name in ["critical-difference", "wins", "verdicts"] {
            for look in Look::ALL {
                if let Some(picture) = picture(name, &results, look) {
                    assert_texts_are_apart(&format!("{models} models, {look:?}, {name}"), &picture.svg);
                }
            }
        }
        if models == 8 {
            build_with(&dir, Look::PaperSingle).unwrap();
        }
    }
}

#[test]
fn mean_ranks_are_those_of_the_tests_over_tasks_and_few_tasks_are_a_remark() {
    let folder = tempfile::tempdir().unwrap();
    let results = Results::load(&run(folder.path(), &PLAN)).unwrap();
    let over = OverTasks::new(&results).unwrap();
    let drawn = picture("critical-difference", &results, Look::Web).unwrap();
    for (label, rank) in over.labels.iter().zip(&over.mean_ranks) {
        let begins = format!("<title>{} on 3 tasks\nmean rank {rank:.2}\n", results.grid.labels[*label]);
        assert!(drawn.svg.contains(&begins), "{begins}");
    }
    let bars = over.cliques.iter().filter(|clique| clique.len() > 1).count();
    assert_eq!(drawn.svg.matches("stroke-width=\"11\"").count(), bars, "a thick bar for each group not told apart");
    assert!(has_text(&drawn.svg, &format!("CD = {:.2}", over.critical_difference)), "{}", over.critical_difference);
    assert!(drawn.caption.contains("over 3 tasks"), "settings of one task are no tasks: {}", drawn.caption);
    let few = tempfile::tempdir().unwrap();
    let few = Results::load(&run(few.path(), &Plan { axes: false, ..PLAN })).unwrap();
    assert!(picture("critical-difference", &few, Look::Web).unwrap().caption.contains("With fewer than 10 tasks"));
    let one = tempfile::tempdir().unwrap();
    let one = Results::load(&run(one.path(), &Plan { tasks: 1, axes: false, ..PLAN })).unwrap();
    assert_eq!(picture("critical-difference", &one, Look::Web), None, "one task has no mean rank");
}

#[test]
fn wins_are_counted_from_the_adjusted_tests_of_all_settings() {
    let folder = tempfile::tempdir().unwrap();
    let results = Results::load(&run(folder.path(), &PLAN)).unwrap();
    let svg = picture("wins", &results, Look::Web).unwrap().svg;
    let label = |name: &str| results.grid.labels.iter().position(|label| label == name).unwrap();
    let (mut some_won, mut some_open) = (false, false);
    for (row, column) in [("resnet", "svm"), ("svm", "resnet"), ("lstm", "transformer")] {
        let (one, other) = (label(row), label(column));
        let pairs: Vec<_> = results.rankings.iter().filter_map(|ranking| ranking.comparison(one, other)).collect();
        let better = pairs.iter().filter(|pair| pair.differs() && pair.better == one).count();
        let worse = pairs.iter().filter(|pair| pair.differs() && pair.worse == one).count();
        let open = pairs.len() - better - worse;
        (some_won, some_open) = (some_won || better + worse > 0, some_open || open > 0);
        let said = format!("{row} is significantly better on {better}, not told apart on {open}, worse on {worse}");
        assert!(svg.contains(&said), "{said}");
    }
    assert!(some_won && some_open, "the made-up run has pairs of both kinds");
}

#[test]
fn a_run_of_a_suite_that_measures_claims_has_a_row_for_each_of_them_and_other_runs_have_none() {
    let folder = tempfile::tempdir().unwrap();
    let results = Results::load(&run(folder.path(), &PLAN)).unwrap();
    let svg = picture("verdicts", &results, Look::Web).unwrap().svg;
    let mut measured = 0;
    for judged in judge(&claims(), &[&results]) {
        let is_measured = judged.findings.iter().any(|finding| finding.effect.is_some());
        assert_eq!(has_text(&svg, &judged.claim.id), is_measured, "{}", judged.claim.id);
        if is_measured {
            measured += 1;
            let said = format!("\n{}\n", judged.verdict.name());
            let words = svg.split(&format!("<title>{} ", judged.claim.id)).nth(1).unwrap().split("</title>").next();
            assert!(words.unwrap().contains(&said), "{}: {words:?}", judged.claim.id);
        }
    }
    assert!(measured > 3, "{measured}");
    let other = tempfile::tempdir().unwrap();
    let other = Results::load(&write_run(other.path(), &Plan { seeds: 1, ..SMALL })).unwrap();
    assert_eq!(picture("verdicts", &other, Look::Web), None);
}
