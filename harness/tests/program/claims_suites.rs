//! The suites `claims-quick` and `claims`: what they say of their own settings, without a run.

use std::collections::BTreeSet;
use std::path::Path;

use bakeoff::case::Case;
use bakeoff::machine::ThisMachine;
use bakeoff::plan::{Overrides, Plan};
use bakeoff::program::Program;
use bakeoff::suite::Source;
use bakeoff::tasks::TASKS;
use bakeoff_models::ENTRIES;

const PROGRAM: Program = Program { tasks: TASKS, models: ENTRIES, machine: &ThisMachine };

/// Each ablation, the model that it is compared with, and the parameters in which the two differ.
const ABLATIONS: [(&str, &str, &[&str]); 6] = [
    ("resnet-deep", "resnet", &["depth"]),
    ("resnet-no-augmentation", "resnet", &["flip", "crop"]),
    ("resnet-ensemble", "resnet", &["ensemble"]),
    ("transformer-wide", "transformer", &["width"]),
    ("transformer-no-dropout", "transformer", &["dropout"]),
    ("random-forest-1", "random-forest", &["trees"]),
];

/// The plan of a built-in suite, or of a file in `harness/suites`.
fn plan(suite: &str) -> Plan {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("suites").join(suite);
    let source = Source::find(if suite.ends_with(".toml") { file.to_str().unwrap() } else { suite }).unwrap();
    Plan::new(&PROGRAM, &source, &Overrides::default()).unwrap()
}

/// The names of the parameters in which two cases of one model differ.
fn differences(one: &Case, other: &Case) -> Vec<&'static str> {
    assert_eq!(one.model, other.model);
    let params = PROGRAM.model(&one.model).unwrap().params().iter();
    params.map(|param| param.name).filter(|name| one.params.get(name) != other.params.get(name)).collect()
}

fn labels(plan: &Plan) -> BTreeSet<&str> {
    plan.cases.iter().map(|case| case.label.as_str()).collect()
}

#[test]
fn claims_quick_has_three_seeds_scores_training_rows_and_needs_no_download() {
    let plan = plan("claims-quick");
    let seeds: BTreeSet<u64> = plan.cases.iter().map(|case| case.seed).collect();
    assert_eq!(seeds, BTreeSet::from([1, 2, 3]));
    assert!(plan.cases.iter().all(|case| case.train_score && case.unsupported.is_none()));
    for entry in &plan.suite.tasks {
        let task = PROGRAM.task(entry.name.as_ref()).unwrap();
        assert!(task.files().iter().all(|file| file.embedded.is_some()), "{}", task.name());
    }
}

#[test]
fn the_five_models_of_claims_quick_have_the_settings_of_quick() {
    let (claims, quick) = (plan("claims-quick"), plan("quick"));
    assert_eq!(quick.cases.len(), 15);
    for expected in &quick.cases {
        let same = |case: &&Case| {
            (&case.task, &case.label, case.train_size) == (&expected.task, &expected.label, expected.train_size)
        };
        let cases: Vec<_> = claims.cases.iter().filter(same).collect();
        assert!(!cases.is_empty(), "{}", expected.id);
        assert!(cases.iter().all(|case| case.params == expected.params), "{}", expected.id);
    }
}

#[test]
fn an_ablation_has_a_partner_on_the_same_rows_and_differs_from_it_in_one_thing() {
    for suite in ["claims-quick", "claims"] {
        let plan = plan(suite);
        for (label, partner, expected) in ABLATIONS {
            let cases: Vec<_> = plan.cases.iter().filter(|case| case.label == label).collect();
            assert!(!cases.is_empty(), "{suite}: {label}");
            for case in cases {
                let partner = plan.cases.iter().find(|other| other.id == case.id.replace(label, partner));
                assert_eq!(differences(case, partner.unwrap()), expected, "{suite}: {}", case.id);
            }
        }
    }
}

#[test]
fn the_models_on_long_range_tasks_have_the_settings_of_long_range() {
    let recipe = plan("long-range.toml");
    for (suite, saves_time) in
        [("claims-quick", vec!["embedding", "hidden", "epochs", "max_tokens"]), ("claims", vec!["max_tokens"])]
    {
        let plan = plan(suite);
        let long = |case: &&Case| case.task.starts_with("long-range-");
        let mut compared = BTreeSet::new();
        for case in plan.cases.iter().filter(long) {
            let expected = recipe.cases.iter().find(|other| other.task == case.task && other.model == case.model);
            let differing = differences(case, expected.unwrap());
            assert!(differing.iter().all(|name| saves_time.contains(name)), "{suite}: {}: {differing:?}", case.id);
            // A text of `long-range-L` has L + 28 words.
            let distance: usize = case.task["long-range-".len()..].parse().unwrap();
            assert!(case.params.int("max_tokens") >= distance + 28, "{suite}: {} reads texts whole", case.id);
            compared.insert(case.label.as_str());
        }
        assert_eq!(compared, BTreeSet::from(["lstm-long", "resnet-long", "transformer-long"]), "{suite}");
    }
}

#[test]
fn claims_has_the_labels_of_claims_quick_on_the_full_form_of_each_task() {
    let (quick, claims) = (plan("claims-quick"), plan("claims"));
    assert_eq!(labels(&quick), labels(&claims));
    let in_full = |task: &str| if task.starts_with("long-range-") { task.to_owned() } else { format!("{task}-full") };
    let cells = |plan: &Plan, name: &dyn Fn(&str) -> String| -> BTreeSet<(String, String)> {
        plan.cases.iter().map(|case| (name(&case.task), case.label.clone())).collect()
    };
    let missing: Vec<_> = cells(&quick, &in_full).difference(&cells(&claims, &str::to_owned)).cloned().collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn claims_has_all_of_glue_the_published_recipe_of_resnet_20_and_every_row() {
    let (plan, quick) = (plan("claims"), plan("quick"));
    let of_quick: BTreeSet<_> = quick.cases.iter().map(|case| &case.model).collect();
    for task in ["cola", "mrpc", "qqp", "stsb", "mnli", "qnli", "rte", "wnli", "sst2-full"] {
        let models: BTreeSet<_> = plan.cases.iter().filter(|case| case.task == task).map(|case| &case.model).collect();
        assert_eq!(models, of_quick, "{task}");
    }
    let published = published_resnet_20();
    let on_all: Vec<_> = plan.cases.iter().filter(|case| case.id.starts_with("cifar10-full.resnet.n50000.")).collect();
    assert_eq!(on_all.len(), 3);
    assert!(on_all.iter().all(|case| case.params == published.params), "{:?}", on_all[0].params);
    let most = |task: &str| plan.cases.iter().filter(|case| case.task == task).map(|case| case.train_size).max();
    for task in ["cifar10-full", "sst2-full"] {
        assert_eq!(most(task), Some(PROGRAM.task(task).unwrap().rows()), "{task}");
    }
    let unsupported = |case: &&Case| case.unsupported.is_some();
    assert!(plan.cases.iter().filter(unsupported).all(|case| case.model == "svm" && case.train_size > 16_384));
}

/// The case of `resnet-20.toml` with the whole schedule.
fn published_resnet_20() -> Case {
    let cases = plan("resnet-20.toml").cases;
    cases.into_iter().find(|case| case.label == "resnet-epochs-182").unwrap()
}
