//! The registered tasks: what each promises, and the tasks on full data where this machine has them.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::env;
use std::path::Path;

use bakeoff::scoring;
use bakeoff::tasks::{TASKS, Task};
use bakeoff_datasets::{DATASETS, FetchOptions, Inputs, Mirror, Store, Targets, fetch};
use bakeoff_reports::metric;

fn task(name: &str) -> &'static dyn Task {
    *TASKS.iter().find(|task| task.name() == name).unwrap()
}

#[test]
fn every_task_has_a_name_of_its_own_and_a_metric_of_the_catalogue() {
    let names: HashSet<&str> = TASKS.iter().map(|task| task.name()).collect();
    assert_eq!(names.len(), TASKS.len());
    for task in TASKS {
        assert!(metric(task.primary()).is_some(), "{}: {}", task.name(), task.primary());
        assert!(task.rows() > 0, "{}", task.name());
    }
}

#[test]
fn tasks_of_a_family_are_neighbours_in_the_list() {
    let mut ended: HashSet<&str> = HashSet::new();
    for pair in TASKS.windows(2) {
        let [family, next] = [pair[0].family(), pair[1].family()];
        if let (Some(family), true) = (family, family != next) {
            ended.insert(family.names);
        }
        if let Some(next) = next {
            assert!(!ended.contains(next.names), "{} is apart from its family", pair[1].name());
        }
    }
}

#[test]
fn generated_tasks_load_as_they_say_without_a_file_and_their_floor_is_a_half() {
    let generated: Vec<_> = TASKS.iter().filter(|task| task.files().is_empty()).collect();
    let names: Vec<&str> = generated.iter().map(|task| task.name()).collect();
    let expected = ["8", "16", "32", "64", "128", "256", "512"].map(|distance| format!("long-range-{distance}"));
    assert_eq!(names, [expected.as_slice(), &["xor".to_owned()]].concat());
    for task in generated {
        let splits = task.load(&Store::folder("/nowhere")).unwrap();
        assert_eq!(splits.train.len(), task.rows(), "{}", task.name());
        let Targets::Classes { names, .. } = &splits.train.targets else { panic!("not classes") };
        assert_eq!(**names, *task.classes(), "{}", task.name());
        let floor = scoring::floor(&splits.train.targets, &splits.test.targets, task.primary());
        assert_eq!(floor, 0.5, "{}", task.name());
        if let Some(distance) = task.name().strip_prefix("long-range-") {
            let Inputs::Texts(texts) = &splits.test.inputs else { panic!("not texts") };
            let words: Vec<&str> = texts[0].first.split(' ').collect();
            let markers: Vec<usize> = (0..words.len()).filter(|&at| ["ka", "ro", "tu"].contains(&words[at])).collect();
            assert_eq!((markers[1] - markers[0]).to_string(), distance, "{}", task.name());
        }
    }
}

#[test]
fn the_task_of_next_characters_loads_as_it_says_from_the_program_and_its_floor_is_the_space() {
    let task = task("sst2-next-character");
    let splits = task.load(&Store::embedded()).unwrap();
    assert_eq!(splits.train.len(), task.rows());
    let alphabet = task.characters().unwrap();
    assert_eq!(task.classes().len(), alphabet.len());
    for split in [&splits.train, &splits.test] {
        let (Inputs::Texts(texts), Targets::Classes { labels, names }) = (&split.inputs, &split.targets) else {
            panic!("not texts with classes")
        };
        assert_eq!(**names, *task.classes());
        assert!(texts.iter().all(|text| text.second.is_none() && !text.first.is_empty()));
        // What a row has is what `generate` gives a model that has read as much.
        assert!(texts.iter().all(|text| alphabet.context(&text.first) == text.first));
        assert!(labels.iter().all(|&label| usize::from(label) < alphabet.len()));
    }
    let spaces = alphabet.number(' ').unwrap();
    let Targets::Classes { labels, .. } = &splits.test.targets else { panic!("not classes") };
    let share = labels.iter().filter(|&&label| label == spaces).count() as f64 / labels.len() as f64;
    assert_eq!(scoring::floor(&splits.train.targets, &splits.test.targets, task.primary()), share);
    // No other task is of characters.
    assert_eq!(TASKS.iter().filter(|task| task.characters().is_some()).count(), 1);
}

#[test]
fn each_of_glue_s_tasks_ranks_by_its_official_metric() {
    for (name, primary) in [
        ("cola", "matthews"),
        ("sst2-full", "accuracy"),
        ("mrpc", "f1_positive"),
        ("stsb", "pearson"),
        ("qqp", "f1_positive"),
        ("mnli", "accuracy"),
        ("qnli", "accuracy"),
        ("rte", "accuracy"),
        ("wnli", "accuracy"),
    ] {
        assert_eq!(task(name).primary(), primary, "{name}");
    }
    assert!(metric("accuracy_mismatched").is_some());
    assert_eq!((task("mnli").classes().len(), task("stsb").classes().len()), (3, 0));
}

#[test]
fn every_dataset_has_a_task() {
    let read: HashSet<&str> = TASKS.iter().flat_map(|task| task.files()).map(|file| file.name).collect();
    for dataset in DATASETS {
        assert!(dataset.files().iter().all(|file| read.contains(file.name)), "{}", dataset.id());
    }
}

#[test]
fn tasks_on_full_data_load_as_they_say_and_have_a_floor() {
    let mirror = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !mirror.join("glue").exists() {
        assert!(env::var_os("CI").is_none(), "CI must have the full datasets at {}", mirror.display());
        eprintln!("not checked: no full datasets beside the repository");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Store::embedded().with_data(folder.path());
    let options = FetchOptions { mirror: Some(Mirror::Folder(mirror)), ..Default::default() };
    for (id, name) in [("glue/cola", "cola"), ("glue/sst2", "sst2-full"), ("glue/mrpc", "mrpc"), ("glue/stsb", "stsb")]
    {
        let dataset = *DATASETS.iter().find(|dataset| dataset.id() == id).unwrap();
        fetch(dataset, &store, &options, &mut |_| {}).unwrap();
        let task = task(name);
        let splits = task.load(&store).unwrap();
        assert_eq!(splits.train.len(), task.rows(), "{name}");
        match &splits.train.targets {
            Targets::Classes { names, .. } => assert_eq!(**names, *task.classes(), "{name}"),
            Targets::Values(_) => assert!(task.classes().is_empty(), "{name}"),
        }
        let Inputs::Texts(texts) = &splits.train.inputs else { panic!("not texts") };
        assert!(texts.iter().all(|text| text.second.is_some() == task.input().is_pairs()), "{name}");
        let floor = scoring::floor(&splits.train.targets, &splits.test.targets, task.primary());
        let expected = match name {
            "sst2-full" => 444.0 / 872.0,
            // Of a constant "equivalent", as published.
            "mrpc" => 2.0 * 279.0 / (408.0 + 279.0),
            _ => 0.0,
        };
        assert!((floor - expected).abs() < 1e-12, "{name}: {floor}");
    }
}
