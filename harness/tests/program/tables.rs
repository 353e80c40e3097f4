//! Tables of numbers and categories through the whole program.

use std::fs;

use bakeoff_reports::RunDir;

use crate::common::{Bench, endings, exits, records, stderr, stdout};

const SUITE: &str = r#"
name = "test"
threads = 1
[[task]]
name = "mine"
[task.data]
format = "csv"
train = "rows.csv"
test_part = 0.25
features = ["age", "income"]
categories = ["city"]
missing = ["?", ""]
label = "buys"
"#;

/// Rows that buy by their age and city. Every ninth age and every eleventh city is missing.
fn rows(count: usize) -> String {
    let row = |n: usize| {
        let (age, city) = (n * 37 % 61, ["Oslo", "Rome", "Bonn"][n / 3 % 3]);
        let buys = if (age > 30) == (city == "Rome") { "yes" } else { "no" };
        let age = if n % 9 == 4 { "?".to_owned() } else { age.to_string() };
        let city = if n % 11 == 5 { "" } else { city };
        format!("{n},{age},{}.5,{city},{buys}\n", n * 13 % 70)
    };
    format!("id,age,income,city,buys\n{}", (0..count).map(row).collect::<String>())
}

/// A bench with the rows, and the suite with `from` replaced by `to`.
fn bench(from: &str, to: &str, models: &str) -> Bench {
    let bench = Bench::new();
    bench.write("rows.csv", &rows(240));
    assert!(SUITE.contains(from), "{from}");
    bench.write("suite.toml", &format!("{}{models}", SUITE.replace(from, to)));
    bench
}

fn real(bench: &Bench, arguments: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bakeoff"));
    command.args(arguments).current_dir(bench.path("")).output().unwrap()
}

#[test]
fn every_model_that_reads_tables_learns_from_numbers_and_categories_and_the_others_say_why_not() {
    let small = |name: &str, params: &str| format!("[[model]]\nname = \"{name}\"\nparams = {{ {params} }}\n");
    let models: String = [
        ("svm", ""),
        ("random-forest", "trees = 50"),
        ("decision-tree", ""),
        ("mlp", "epochs = 60"),
        ("resnet", "epochs = 60, width = 32"),
        ("transformer", "epochs = 60, width = 32, layers = 2, heads = 4, feed_forward = 32"),
        ("lstm", ""),
        ("encoder", ""),
    ]
    .map(|(name, params)| small(name, params))
    .concat();
    let bench = bench("", "", &models);
    let output = real(&bench, &["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    let statuses = endings(&bench.path("out"));
    let with = |status: &str| statuses.iter().filter(|(_, other, _)| other == status).count();
    assert_eq!((with("ok"), with("unsupported")), (6, 2), "{statuses:?}\n{}", stderr(&output));
    let rows = records(&bench.path("out"));
    for row in rows.iter().filter(|row| row.phase == "score" && row.metric == "accuracy") {
        assert!(row.value.is_some_and(|accuracy| accuracy > 0.65), "{}: {:?}", row.model, row.value);
    }
    let reasons: Vec<&str> = statuses.iter().map(|(.., reason)| reason.as_str()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("the columns of a table have none")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("reads no tables")), "{reasons:?}");
    let info = RunDir::new(bench.path("out")).info().unwrap();
    assert_eq!(info.tasks[0].about, "which of 2 classes belongs to a row of 2 numbers and 1 category (own data)");
}

#[test]
fn check_shows_what_each_column_holds_and_what_is_missing() {
    let bench = bench("", "", "[[model]]\nname = \"decision-tree\"\n");
    let output = real(&bench, &["check", "suite.toml"]);
    exits(&output, 0);
    let text = stdout(&output);
    for part in ["columns: 3", "age: 0 to 60, median ", "city: 3 categories, the commonest '", "missing in "] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
}

#[test]
fn a_star_takes_every_other_column_but_those_to_ignore() {
    let bench = bench(
        "features = [\"age\", \"income\"]",
        "features = \"*\"\nignore = \"id\"",
        "[[model]]\nname = \"decision-tree\"\n",
    );
    let output = real(&bench, &["check", "suite.toml"]);
    exits(&output, 0);
    let text = stdout(&output);
    assert!(text.contains("columns: 3") && text.contains("income: ") && !text.contains("id: "), "{text}");
}

#[test]
fn a_table_that_cannot_be_read_is_refused_with_its_line_its_column_and_what_to_write() {
    for (from, to, parts) in [
        ("[\"?\", \"\"]", "[\"\"]", &["line 6", "in column 'age' a number", "found \"?\"", "add it to missing"][..]),
        ("[\"?\", \"\"]", "[\"?\"]", &["line 7", "a category in column 'city'", "set missing = [\"\"]"]),
        ("\"income\"]", "\"city\"]", &["column 'city' named twice"]),
        ("\"income\"]", "\"incme\"]", &["suite.toml:10", "no column 'incme'", "did you mean 'income'?"]),
        ("features = [\"age\", \"income\"]", "features = [\"age\", \"buys\"]", &["column 'buys' named twice"]),
        ("categories = [\"city\"]", "text = \"city\"", &["text and features are both given"]),
        ("missing = [\"?\", \"\"]", "ignore = \"id\"", &["ignore is for features = \"*\""]),
        (
            "features = [\"age\", \"income\"]\ncategories = [\"city\"]\n",
            "",
            &["features is missing: name the columns of numbers"],
        ),
        (
            "features = [\"age\", \"income\"]",
            "features = [\"city\"]",
            &["in column 'city' a number", "name it in categories"],
        ),
    ] {
        let bench = bench(from, to, "[[model]]\nname = \"svm\"\n");
        if to == "features = [\"city\"]" {
            let text = fs::read_to_string(bench.path("suite.toml")).unwrap();
            bench.write("suite.toml", &text.replace("categories = [\"city\"]\n", ""));
        }
        let output = real(&bench, &["run", "suite.toml", "--out", "out"]);
        exits(&output, 2);
        let message = stderr(&output);
        for part in parts {
            assert!(message.contains(part), "'{part}' is not in: {message}");
        }
    }
}

#[test]
fn columns_are_compared_between_files_and_names_must_differ() {
    let bench = bench(
        "features = [\"age\", \"income\"]\ncategories = [\"city\"]",
        "features = \"*\"\nignore = [\"id\", \"city\"]",
        "[[model]]\nname = \"decision-tree\"\n",
    );
    let text = fs::read_to_string(bench.path("suite.toml")).unwrap();
    let split = |test: &str| text.replace("test_part = 0.25", &format!("test = \"{test}\""));
    let row = "1,30,2.5,Rome,yes\n2,31,3.5,Oslo,no\n";
    bench.write("same.csv", &format!("id,age,income,city,buys\n{row}"));
    bench.write("other.csv", "id,income,age,city,buys\n1,2.5,30,Rome,yes\n2,3.5,31,Oslo,no\n");
    bench.write("twice.csv", &format!("id,age,age,city,buys\n{row}"));
    bench.write("nameless.csv", &format!("id,age,,city,buys\n{row}"));
    bench.write("suite.toml", &split("same.csv"));
    exits(&real(&bench, &["check", "suite.toml"]), 0);
    for (file, parts) in [
        ("other.csv", ["the same columns in the same order", "there 'age', found 'income'"]),
        ("twice.csv", ["a name of its own for each column", "found 'age' twice"]),
        ("nameless.csv", ["a name of its own for each column", "found none for column 2"]),
    ] {
        bench.write("suite.toml", &split(file));
        let output = real(&bench, &["check", "suite.toml"]);
        exits(&output, 2);
        for part in parts {
            assert!(stderr(&output).contains(part), "'{part}' is not in: {}", stderr(&output));
        }
    }
}

#[test]
fn a_file_without_a_header_has_columns_by_their_numbers() {
    let bench = bench(
        "features = [\"age\", \"income\"]\ncategories = [\"city\"]\nmissing = [\"?\", \"\"]\nlabel = \"buys\"",
        "header = false\nfeatures = [1, 2]\ncategories = 3\nmissing = [\"?\", \"\"]\nlabel = 4",
        "[[model]]\nname = \"decision-tree\"\n",
    );
    let rows = rows(240).split_once('\n').unwrap().1.to_owned();
    bench.write("rows.csv", &rows);
    let output = real(&bench, &["check", "suite.toml"]);
    exits(&output, 0);
    assert!(stdout(&output).contains("\n    1: 0 to 60, median "), "{}", stdout(&output));
}
