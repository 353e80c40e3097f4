//! Suites in which a model is the value of another model's parameter.

use std::path::Path;

use bakeoff::case::Case;
use bakeoff::machine::ThisMachine;
use bakeoff::plan::{Overrides, Plan};
use bakeoff::program::Program;
use bakeoff::suite::Source;
use bakeoff::tasks::TASKS;
use bakeoff_models::ENTRIES;

use crate::common::Bench;

const PROGRAM: Program = Program { tasks: TASKS, models: ENTRIES, machine: &ThisMachine };

const TASKS_OF_SUITE: &str =
    "name = \"hybrids\"\n[[task]]\nname = \"cifar10\"\ntrain_size = 200\n[[task]]\nname = \"sst2\"\ntrain_size = 200\n";

fn source(models: &str) -> Source {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{TASKS_OF_SUITE}{models}"));
    Source::find(bench.path("suite.toml").to_str().unwrap()).unwrap()
}

fn planned(models: &str) -> Result<Plan, String> {
    Plan::new(&PROGRAM, &source(models), &Overrides::default()).map_err(|error| error.to_string())
}

#[test]
fn what_is_wrong_with_a_model_as_a_value_is_said_with_its_line() {
    for (params, says) in [
        (
            "features = { model = \"resnet\", epoch = 3 }",
            "parameter 'features': model 'resnet': unknown parameter 'epoch', did you mean 'epochs'?",
        ),
        ("features = { model = \"resnett\" }", "parameter 'features': unknown model 'resnett', did you mean 'resnet'?"),
        (
            "features = { model = \"resnet\", ensemble = 2 }",
            "parameter 'features' is an ensemble of 2 resnet, expected",
        ),
        ("concatenate = true", "parameter 'concatenate' is true, expected false, because features is no network"),
    ] {
        let error = planned(&format!("[[model]]\nname = \"svm\"\n[model.params]\n{params}\n")).unwrap_err();
        assert!(error.contains("suite.toml:11:"), "{params}: {error}");
        assert!(error.contains(&format!("model 'svm': {says}")), "{params}: {error}");
    }
    let error = planned("[[model]]\nname = \"student\"\nparams = { teacher = \"student\" }\n").unwrap_err();
    assert!(
        error.contains("model 'student': parameter 'teacher' is \"student\", expected one of the models"),
        "{error}"
    );
}

/// A pretrained encoder of random weights, for at most 64 tokens.
const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/fixtures/encoder");

#[test]
fn more_tokens_than_the_positions_of_a_checkpoint_are_a_fault_of_the_plan_with_its_line_and_remedy() {
    let encoder = format!("model = \"encoder\", weights = \"{TINY}\"");
    for (model, params, line) in [
        ("encoder", format!("max_tokens = 65\nweights = \"{TINY}\""), 11),
        // The default is too long for this checkpoint.
        ("encoder", format!("weights = \"{TINY}\""), 9),
        ("svm", format!("features = {{ {encoder}, max_tokens = 65 }}"), 11),
        ("fusion", format!("network = {{ {encoder} }}"), 11),
        ("student", format!("truth = 0.5\nteacher = {{ {encoder}, max_tokens = 600 }}"), 12),
    ] {
        let error = planned(&format!("[[model]]\nname = \"{model}\"\n[model.params]\n{params}\n")).unwrap_err();
        assert!(error.contains(&format!("suite.toml:{line}:")), "{error}");
        assert!(error.contains("parameter 'max_tokens' is ") && error.contains("set max_tokens = 64"), "{error}");
        assert!(error.contains("max_position_embeddings of ") && error.contains("config.json"), "{error}");
    }
    for models in [
        format!(
            "[[model]]\nname = \"encoder\"\nparams = {{ weights = \"{TINY}\" }}\n[model.grid]\nmax_tokens = [64, 65]\n"
        ),
        format!(
            "[search]\ntrials = 3\n[[model]]\nname = \"svm\"\n[model.search]\nfeatures = [\"hog\", {{ {encoder} }}]\n"
        ),
    ] {
        let error = planned(&models).unwrap_err();
        assert!(error.contains("set max_tokens = 64"), "{error}");
    }
}

#[test]
fn weights_that_a_search_chooses_from_are_checked_with_what_it_draws_beside_them() {
    let models = format!(
        "[search]\ntrials = 40\n[[model]]\nname = \"encoder\"\n[model.search]\nweights = [\"minilm\", \"{TINY}\"]\n"
    );
    // The default is too long for one of the two, and the search does not vary it.
    let error = planned(&models).unwrap_err();
    assert!(error.contains("suite.toml:13:22:") && error.contains("set max_tokens = 64"), "{error}");

    let plan = planned(&format!("{models}max_tokens = [16, 200]\n")).unwrap();
    let trials = plan.cases.iter().filter(|case| case.trial.is_some());
    let drawn: Vec<_> = trials.map(|case| (case.params.word("weights"), case.params.int("max_tokens"))).collect();
    let lengths = |of: &str| drawn.iter().filter(|(weights, _)| *weights == of).map(|(_, length)| *length).max();
    assert!(lengths("minilm").unwrap() > 64, "{drawn:?}");
    assert!(lengths(TINY).unwrap() <= 64, "{drawn:?}");
}

#[test]
fn a_search_says_which_models_inside_a_hybrid_it_leaves_as_they_are() {
    let models = "[[model]]\nname = \"svm\"\nlabel = \"svm-on-resnet\"\nparams = { features = \"resnet\" }\n\
                  [[model]]\nname = \"student\"\nparams = { teacher = \"random-forest\" }\n\
                  [[model]]\nname = \"svm\"\nlabel = \"chosen\"\n[model.search]\nfeatures = [\"hog\", \"mlp\"]\n";
    let source = source(&format!("[search]\ntrials = 2\n{models}"));
    let plan = Plan::new(&PROGRAM, &source, &Overrides::default()).unwrap();
    let remarks = plan.search_remarks();
    let inside = |models: &str, label: &str| {
        format!(
            "The search varies no parameter of {models} inside {label}: to try several values, list tables of that model in \
             [model.search]."
        )
    };
    assert_eq!(
        remarks,
        [
            "The search varies no parameter of student: the suite leaves none free that has a range, so these cases run once, as \
             they are."
                .to_owned(),
            inside("random-forest, svm", "student"),
            inside("resnet", "svm-on-resnet"),
        ]
    );
}

#[test]
fn a_network_that_cannot_read_the_inputs_of_a_task_is_unsupported_there_alone() {
    let models = "[[model]]\nname = \"svm\"\nparams = { features = \"encoder\" }\n\
                  [[model]]\nname = \"fusion\"\nparams = { network = \"encoder\" }\n\
                  [[model]]\nname = \"student\"\nparams = { teacher = \"encoder\", unlabelled = 8000 }\n";
    let plan = planned(models).unwrap();
    assert_eq!(plan.cases.len(), 6);
    for case in &plan.cases {
        let parameter = match case.model.as_str() {
            "svm" => "features",
            "fusion" => "network",
            _ => "teacher",
        };
        let expected = format!("{parameter} = encoder: a text encoder reads no images");
        let reason = case.unsupported.as_deref();
        assert_eq!(reason, (case.task == "cifar10").then_some(expected.as_str()), "{}", case.id);
    }
}

#[test]
fn a_model_as_a_value_reaches_the_process_of_a_case_and_the_file_of_a_run_as_it_is() {
    let models = "[[model]]\nname = \"student\"\n[model.params]\ntruth = 0.5\n\
                  learner = { model = \"svm\", c = 2, features = { model = \"mlp\", epochs = 3 }, concatenate = true }\n\
                  [model.params.teacher]\nmodel = \"random-forest\"\ntrees = 7\n";
    let source = source(models);
    let plan = Plan::new(&PROGRAM, &source, &Overrides::default()).unwrap();
    for case in &plan.cases {
        let params = &case.params;
        assert_eq!(params.model("teacher").unwrap().params().int("trees"), 7);
        assert_eq!(params.model("learner").unwrap().params().model("features").unwrap().params().int("epochs"), 3);
        let sent: Case = serde_json::from_str(&serde_json::to_string(case).unwrap()).unwrap();
        assert_eq!(sent, *case);
    }
    let again = Source { text: toml::to_string(&plan.suite).unwrap(), ..source };
    let again = Plan::new(&PROGRAM, &again, &Overrides::default()).unwrap();
    assert_eq!(again.cases, plan.cases);
}

#[test]
fn each_hybrid_of_the_suite_differs_from_its_baseline_in_what_makes_it_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/hybrids.toml");
    let source = Source::find(path.to_str().unwrap()).unwrap();
    let plan = Plan::new(&PROGRAM, &source, &Overrides::default()).unwrap();
    assert!(plan.cases.iter().all(|case| case.unsupported.is_none()));
    let baseline = |task: &str, label: &str| {
        plan.cases.iter().find(|case| (case.task.as_str(), case.label.as_str()) == (task, label)).unwrap()
    };
    for case in &plan.cases {
        let names = PROGRAM.model(&case.model).unwrap().params().iter().map(|param| param.name);
        match case.model.as_str() {
            "svm" | "random-forest" => {
                let plain = baseline(&case.task, &case.model);
                let differing: Vec<_> = names.filter(|name| case.params.get(name) != plain.params.get(name)).collect();
                let expected: &[&str] = match case.label.contains("-and-") {
                    true => &["concatenate", "features"],
                    false if case.label.contains("-on-") => &["features"],
                    false => &[],
                };
                let mut sorted = differing.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, expected, "{}", case.id);
            }
            "student" => {
                let learner = case.params.model("learner").unwrap();
                assert_eq!(*learner.params(), baseline(&case.task, learner.name()).params, "{}", case.id);
                let teacher = case.params.model("teacher").unwrap();
                assert_eq!(*teacher.params(), baseline(&case.task, teacher.name()).params, "{}", case.id);
            }
            "fusion" => {
                let network = case.params.model("network").unwrap();
                assert_eq!(*network.params(), baseline(&case.task, network.name()).params, "{}", case.id);
            }
            _ => {}
        }
        if case.label.ends_with("on-resnet") {
            let network = case.params.model("features").unwrap();
            assert_eq!(*network.params(), baseline(&case.task, "resnet").params, "{}", case.id);
        }
    }
}
