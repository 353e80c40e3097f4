//! A user's own data through the whole program.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;

use bakeoff::suite::Source;
use bakeoff_reports::RunDir;
use image::{Rgb, RgbImage};

use crate::common::{Bench, endings, exits, records, stderr, stdout};

/// Rows of a number, whether it is odd, and its double.
fn numbers(rows: Range<usize>) -> String {
    let row = |n: usize| format!("{n},{},{}\n", if n % 2 == 1 { "odd" } else { "even" }, 2 * n);
    format!("text,label,double\n{}", rows.map(row).collect::<String>())
}

const TABLE: &str = "[[task]]\nname = \"mine\"\n[task.data]\nformat = \"csv\"\ntext = \"text\"\n";

/// A suite on `data/train.csv` and `data/test.csv`, which it writes.
fn table_suite(bench: &Bench, settings: &str, models: &[&str]) {
    fs::create_dir_all(bench.path("data")).unwrap();
    bench.write("data/train.csv", &numbers(0..40));
    bench.write("data/test.csv", &numbers(40..60));
    let models: String = models.iter().map(|model| format!("[[model]]\nname = \"{model}\"\n")).collect();
    bench.write("suite.toml", &format!("name = \"test\"\nthreads = 1\n{TABLE}{settings}\n{models}"));
}

const CLASSES: &str = "label = \"label\"\ntrain = \"data/train.csv\"\ntest = \"data/test.csv\"";

/// Folders of images whose first pixel is a number, by whether it is odd.
fn image_folders(bench: &Bench) {
    for (split, numbers) in [("train", 0..30), ("test", 30..50)] {
        for number in numbers {
            let folder = bench.path(&format!("pictures/{split}/{}", if number % 2 == 1 { "odd" } else { "even" }));
            fs::create_dir_all(&folder).unwrap();
            RgbImage::from_pixel(9, 12, Rgb([number, 0, 0])).save(folder.join(format!("{number:02}.png"))).unwrap();
        }
    }
}

/// IDX files of `count` grey images of 16 x 16 pixels, each of its number, which is odd or not.
fn idx_files(bench: &Bench, count: u8) {
    let header = |sizes: &[u32]| {
        let sizes_bytes: Vec<u8> = sizes.iter().flat_map(|size| size.to_be_bytes()).collect();
        [&[0, 0, 8, sizes.len() as u8][..], &sizes_bytes].concat()
    };
    let pixels = (0..count).flat_map(|number| [number; 256]);
    let images: Vec<u8> = header(&[u32::from(count), 16, 16]).into_iter().chain(pixels).collect();
    let labels: Vec<u8> = header(&[u32::from(count)]).into_iter().chain((0..count).map(|n| n % 2)).collect();
    fs::write(bench.path("images.idx"), images).unwrap();
    fs::write(bench.path("labels.idx"), labels).unwrap();
}

const PICTURES: &str = "[[task]]\nname = \"pictures\"\n[task.data]\nformat = \"images\"\nsize = 16\n\
                        train = \"pictures/train\"\ntest = \"pictures/test\"\n";
const DIGITS: &str = "[[task]]\nname = \"digits\"\n[task.data]\nformat = \"idx\"\ntrain = \"images.idx\"\n\
                      train_labels = \"labels.idx\"\ntest_part = 0.4\nclasses = [\"even\", \"odd\"]\n";

fn score(bench: &Bench, run: &str, task: &str, metric: &str) -> Option<f64> {
    let rows = records(&bench.path(run));
    rows.iter().find(|row| row.task == task && row.phase == "score" && row.metric == metric)?.value
}

fn task_version(bench: &Bench, run: &str) -> u32 {
    let versions: BTreeSet<u32> = records(&bench.path(run)).iter().map(|row| row.task_version).collect();
    assert_eq!(versions.len(), 1);
    *versions.first().unwrap()
}

#[test]
fn a_table_of_texts_is_measured_like_a_built_in_task() {
    let bench = Bench::new();
    table_suite(&bench, CLASSES, &["nearly"]);
    // From another folder: the paths are relative to the suite.
    fs::create_dir(bench.path("elsewhere")).unwrap();
    let output =
        bench.command(&["run", "../suite.toml", "--out", "out"]).current_dir(bench.path("elsewhere")).output().unwrap();
    exits(&output, 0);
    assert_eq!(endings(&bench.path("elsewhere/out"))[0].0, "mine.nearly.n40.s1.cpu");
    // Of 40..60, 49 and 59 are the tenth numbers at which the model errs.
    assert_eq!(score(&bench, "elsewhere/out", "mine", "accuracy"), Some(0.9));
    let info = RunDir::new(bench.path("elsewhere/out")).info().unwrap();
    assert_eq!(info.tasks[0].classes, ["even", "odd"]);
    let files: Vec<&str> = info.datasets.keys().map(String::as_str).collect();
    assert_eq!(files, ["mine, test: test.csv", "mine, train: train.csv"]);
    assert!(info.datasets.values().all(|sum| sum.len() == 64));
    let predictions = fs::read_to_string(bench.path("elsewhere/out/predictions/mine.nearly.n40.s1.cpu.csv")).unwrap();
    assert!(predictions.contains("\n9,odd,even,") && predictions.contains("\n1,odd,odd,"), "{predictions}");
}

#[test]
fn a_column_of_numbers_makes_a_regression_with_the_wished_metric_and_unit() {
    let bench = Bench::new();
    table_suite(&bench, "value = 2\ntrain = [\"data/train.csv\", \"data/test.csv\"]\ntest_part = 0.25", &["constant"]);
    let text = fs::read_to_string(bench.path("suite.toml")).unwrap();
    // Whatever the suite says of a task goes on one line.
    let wishes = "name = \"mine\"\nmetric = \"mae\"\nunit = \"kg\"\nabout = \"\"\"\ntwice\n  a number\\u001b\n\"\"\"";
    bench.write("suite.toml", &text.replace("name = \"mine\"", wishes));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let task = RunDir::new(bench.path("out")).info().unwrap().tasks[0].clone();
    assert_eq!((task.primary.as_str(), task.unit.as_str(), task.about.as_str()), ("mae", "kg", "twice a number"));
    assert!(task.classes.is_empty());
    assert_eq!(endings(&bench.path("out"))[0].0, "mine.constant.n45.s1.cpu");
    assert_eq!(score(&bench, "out", "mine", "examples"), Some(15.0));
}

#[test]
fn folders_of_images_and_idx_files_are_measured_like_built_in_tasks() {
    let bench = Bench::new();
    image_folders(&bench);
    idx_files(&bench, 50);
    bench.write("suite.toml", &format!("name = \"test\"\n{PICTURES}{DIGITS}[[model]]\nname = \"nearly\"\n"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    assert_eq!(score(&bench, "out", "pictures", "accuracy"), Some(0.9));
    assert!(score(&bench, "out", "digits", "accuracy").unwrap() >= 0.75);
    assert_eq!(score(&bench, "out", "digits", "examples"), Some(20.0));
}

#[test]
fn check_tells_what_was_read_before_its_pass() {
    let bench = Bench::new();
    table_suite(&bench, CLASSES, &["nearly"]);
    bench.write("data/test.csv", "text,label,double\n39,odd,0\n100,even,0\n38,odd,0\n");
    image_folders(&bench);
    let text = fs::read_to_string(bench.path("suite.toml")).unwrap();
    bench.write("suite.toml", &format!("{text}{PICTURES}"));
    let output = bench.run(&["check", "suite.toml"]);
    exits(&output, 0);
    let folder = fs::canonicalize(bench.path("")).unwrap().display().to_string();
    insta::assert_snapshot!("check_own_data", stdout(&output).replace(&format!("{folder}/"), ""));
}

#[test]
fn the_same_data_elsewhere_has_the_same_task_version_and_other_data_another() {
    let bench = Bench::new();
    table_suite(&bench, CLASSES, &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "a"]), 0);
    fs::rename(bench.path("data"), bench.path("moved")).unwrap();
    let text = fs::read_to_string(bench.path("suite.toml")).unwrap();
    bench.write("suite.toml", &text.replace("data/", "moved/"));
    exits(&bench.run(&["run", "suite.toml", "--out", "b"]), 0);
    assert_eq!(task_version(&bench, "a"), task_version(&bench, "b"));
    bench.write("moved/train.csv", &numbers(1..41));
    exits(&bench.run(&["run", "suite.toml", "--out", "c"]), 0);
    assert_ne!(task_version(&bench, "a"), task_version(&bench, "c"));
}

#[test]
fn a_run_on_own_data_resumes_from_any_folder_and_refuses_data_that_has_changed() {
    let bench = Bench::new();
    table_suite(&bench, CLASSES, &["nearly", "needs-file"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    let good = fs::read_to_string(bench.path("data/train.csv")).unwrap();
    bench.write("data/train.csv", &good.replace("\n3,odd,", "\n5,odd,"));
    let resume = |out: &str| {
        let mut command = bench.command(&["resume", out]);
        command.env("FAKE_FILE", bench.path("suite.toml")).current_dir(bench.path("data")).output().unwrap()
    };
    let output = resume("../out");
    exits(&output, 2);
    assert!(
        stderr(&output).contains("the data file mine, train: train.csv has changed; start a new run"),
        "{}",
        stderr(&output)
    );
    bench.write("data/train.csv", &good);
    exits(&resume("../out"), 0);
    assert!(endings(&bench.path("out")).iter().all(|(_, status, _)| status == "ok"));
}

#[test]
fn data_that_changes_during_a_run_fails_the_cases_that_would_read_it() {
    let bench = Bench::new();
    table_suite(&bench, CLASSES, &[]);
    let text = fs::read_to_string(bench.path("suite.toml")).unwrap();
    let slow = "[[model]]\nname = \"nearly\"\nparams = { epochs = 1, pause_s = 1.5 }\n";
    bench.write("suite.toml", &format!("{text}{slow}[[model]]\nname = \"constant\"\n"));
    let mut child = bench.command(&["run", "suite.toml", "--out", "out"]).spawn().unwrap();
    while !bench.path("out/run.json").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    bench.write("data/test.csv", &numbers(50..70));
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let (case, status, note) = endings(&bench.path("out")).pop().unwrap();
    assert_eq!((case.as_str(), status.as_str()), ("mine.constant.n40.s1.cpu", "failed"));
    assert!(note.contains("test: test.csv, has changed since the run was begun: its sha256 was"), "{note}");
}

/// Runs the program on folders of images that are removed once the run has begun: what the cases then know of the images was
/// decoded before. Gives what lay in the folder for temporary files at the end.
#[track_caller]
fn run_without_images(arguments: &[&str]) -> Vec<String> {
    let bench = Bench::new();
    image_folders(&bench);
    fs::create_dir(bench.path("tmp")).unwrap();
    let slow = "[[model]]\nname = \"nearly\"\nparams = { epochs = 1, pause_s = 1.0 }\n";
    let text =
        format!("name = \"test\"\nthreads = 1\nseeds = [1, 2]\n{PICTURES}{slow}[[model]]\nname = \"constant\"\n");
    bench.write("suite.toml", &text);
    let mut command = bench.command(&[&["run", "suite.toml", "--out", "out"], arguments].concat());
    let mut child = command.env("TMPDIR", bench.path("tmp")).spawn().unwrap();
    while !bench.path("out/run.json").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    fs::rename(bench.path("pictures"), bench.path("gone")).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(endings(&bench.path("out")).len(), 4);
    assert_eq!(score(&bench, "out", "pictures", "accuracy"), Some(0.9));
    fs::read_dir(bench.path("tmp")).unwrap().map(|entry| entry.unwrap().path().display().to_string()).collect()
}

#[test]
fn images_are_decoded_once_for_all_cases_and_nothing_of_that_is_left() {
    assert_eq!(run_without_images(&[]), Vec::<String>::new());
    assert_eq!(run_without_images(&["--inline"]), Vec::<String>::new());
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_run_leaves_no_decoded_images_behind() {
    let bench = Bench::new();
    image_folders(&bench);
    fs::create_dir(bench.path("tmp")).unwrap();
    let slow = "[[model]]\nname = \"nearly\"\nparams = { epochs = 1, pause_s = 60.0 }\n";
    bench.write("suite.toml", &format!("name = \"test\"\nthreads = 1\n{PICTURES}{slow}"));
    let mut command = bench.command(&["run", "suite.toml", "--out", "out"]);
    let mut child = command.env("TMPDIR", bench.path("tmp")).spawn().unwrap();
    while !bench.path("out/run.json").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::read_dir(bench.path("tmp")).unwrap().count(), 0);
}

#[test]
fn where_there_is_no_room_for_decoded_images_each_case_decodes_them_again() {
    let bench = Bench::new();
    image_folders(&bench);
    bench.write("suite.toml", &format!("name = \"test\"\n{PICTURES}[[model]]\nname = \"nearly\"\n"));
    let mut command = bench.command(&["run", "suite.toml", "--out", "out"]);
    exits(&command.env("TMPDIR", bench.path("no such folder")).output().unwrap(), 0);
    assert_eq!(score(&bench, "out", "pictures", "accuracy"), Some(0.9));
}

#[test]
fn joined_columns_are_one_text_and_run_as_one() {
    let bench = Bench::new();
    table_suite(&bench, CLASSES, &["nearly"]);
    let text = fs::read_to_string(bench.path("suite.toml")).unwrap();
    // The fake model reads the number that a text begins with.
    bench.write("suite.toml", &text.replace("text = \"text\"", "text = [\"text\", \"double\"]\njoin = true"));
    let output = bench.run(&["check", "suite.toml"]);
    exits(&output, 0);
    assert!(stdout(&output).contains("belongs to a text (own data)"), "{}", stdout(&output));
    assert!(stdout(&output).contains("words: 2 to 2, median 2"), "{}", stdout(&output));
    bench.write("suite.toml", &text.replace("text = \"text\"", "text = [\"text\", \"double\"]"));
    let output = bench.run(&["check", "suite.toml"]);
    assert!(stdout(&output).contains("belongs to two texts (own data)"), "{}", stdout(&output));
}

#[test]
fn a_task_that_a_filter_leaves_out_needs_no_data() {
    let bench = Bench::new();
    table_suite(&bench, CLASSES, &["nearly"]);
    let text = fs::read_to_string(bench.path("suite.toml")).unwrap();
    bench.write("suite.toml", &format!("{text}[model.on.pictures]\nepochs = 1\n{PICTURES}"));
    let output = bench.run(&["run", "suite.toml", "--list", "-T", "pictures"]);
    exits(&output, 0);
    assert_eq!(stdout(&output), "mine.nearly.n40.s1.cpu\n");
    exits(&bench.run(&["run", "suite.toml", "--list"]), 2);
}

#[test]
fn the_example_suite_and_every_example_in_the_document_are_taken() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("../docs/own-data.md")).unwrap();
    let blocks: Vec<&str> = document.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 7, "the settings in common, each format, joined columns, and tables");
    for block in blocks {
        let task = if block.starts_with("[[task]]") { "" } else { "[[task]]\nname = \"mine\"\n" };
        let text = format!("name = \"test\"\n{task}{block}");
        let source = Source { origin: "docs/own-data.md".to_owned(), text, folder: root.to_owned() };
        let suite = source.parse().unwrap_or_else(|error| panic!("{error}\n{block}"));
        suite.tasks[0].data.as_ref().unwrap().check(&source).unwrap_or_else(|error| panic!("{error}\n{block}"));
    }
    let bench = Bench::new();
    image_folders(&bench);
    fs::rename(bench.path("pictures"), bench.path("photos")).unwrap();
    let rows: String = (0..30).map(|n| format!("text {n},{}\n", ["good", "bad"][n % 2])).collect();
    bench.write("reviews.csv", &format!("review,sentiment\n{rows}"));
    fs::copy(root.join("suites/own-data.toml"), bench.path("my.toml")).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_bakeoff"))
        .args(["run", "my.toml", "--list"])
        .current_dir(bench.path(""))
        .output()
        .unwrap();
    exits(&output, 0);
    assert_eq!(stdout(&output).lines().count(), 2 * 5 * 3, "{}", stdout(&output));
}

#[test]
fn every_model_takes_own_texts_and_images_of_one_and_three_channels() {
    let bench = Bench::new();
    table_suite(&bench, CLASSES, &["transformer", "resnet", "lstm", "svm", "random-forest"]);
    // A class with a single example is a class like the others.
    bench.write("data/train.csv", &format!("{}40,lonely,80\n", numbers(0..40)));
    image_folders(&bench);
    idx_files(&bench, 50);
    let text = fs::read_to_string(bench.path("suite.toml")).unwrap();
    bench.write("suite.toml", &format!("{text}{PICTURES}{DIGITS}"));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_bakeoff"))
        .args(["check", "suite.toml"])
        .current_dir(bench.path(""))
        .output()
        .unwrap();
    exits(&output, 0);
    assert!(stdout(&output).ends_with("15 of 15 cases are ready (0 unsupported)\n"), "{}", stdout(&output));
    assert!(!stdout(&output).contains("unsupported:"), "{}", stdout(&output));
}
