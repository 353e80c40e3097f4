//! A suite on a user's own data that cannot be run: exit code 2, the line of the suite, and the fix.

use std::fs;

use crate::common::{Bench, exits, stderr};

/// A good task on `rows.csv`; the format is on line 5, and `label` on line 9.
const GOOD: &str = "name = \"test\"\n[[task]]\nname = \"mine\"\n[task.data]\nformat = \"csv\"\ntrain = \"rows.csv\"\n\
                    test_part = 0.2\ntext = \"review\"\nlabel = \"mood\"\n[[model]]\nname = \"nearly\"\n";

/// What the program says of the good suite with `from` replaced by `to`.
#[track_caller]
fn refused(from: &str, to: &str) -> String {
    let bench = Bench::new();
    let rows: String = (0..30).map(|n| format!("text {n},{}\n", ["good", "bad"][n % 2])).collect();
    bench.write("rows.csv", &format!("review,mood\n{rows}"));
    bench.write("few.csv", "review,mood\na,good\nb,bad\nc,bad\nd,good\n");
    bench.write("broken.csv", "review,mood\na,good\nb\n");
    assert!(GOOD.contains(from), "{from}");
    bench.write("suite.toml", &GOOD.replace(from, to));
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 2);
    assert!(!bench.path("out").exists(), "nothing is written for a suite that is refused");
    let folder = fs::canonicalize(bench.path("")).unwrap().display().to_string();
    stderr(&output).replace(&format!("{folder}/"), "")
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    let message = &without_column(message);
    for part in parts {
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
}

/// `suite.toml:8: …` for `suite.toml:8:12: …`: these tests are about the line and the words.
fn without_column(message: &str) -> String {
    let Some((before, place)) = message.split_once("suite.toml:") else { return message.to_owned() };
    let mut parts = place.splitn(3, ':');
    let (line, column, rest) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    assert!(column.parse::<usize>().is_ok_and(|column| column > 0), "no column: {message}");
    format!("{before}suite.toml:{line}:{rest}")
}

#[test]
fn the_good_suite_is_taken() {
    let bench = Bench::new();
    let rows: String = (0..30).map(|n| format!("text {n},{}\n", ["good", "bad"][n % 2])).collect();
    bench.write("rows.csv", &format!("review,mood\n{rows}"));
    bench.write("suite.toml", GOOD);
    exits(&bench.run(&["run", "suite.toml", "--list"]), 0);
}

#[test]
fn an_unknown_column_is_named_with_its_line_and_the_near_name() {
    let message = refused("\"review\"", "\"reveiw\"");
    says(&message, &["suite.toml:8: task 'mine': rows.csv has no column 'reveiw'", "did you mean 'review'?"]);
    let message = refused("\"mood\"", "7");
    says(&message, &["suite.toml:9: task 'mine': rows.csv has no column 7; it has 2: review, mood"]);
}

#[test]
fn a_class_and_a_number_or_neither_is_refused() {
    let message = refused("label = \"mood\"", "label = \"mood\"\nvalue = \"mood\"");
    says(&message, &["suite.toml:10: label and value are both given", "keep one"]);
    says(&refused("label = \"mood\"\n", ""), &["suite.toml:5: the target is missing", "label =", "value ="]);
    says(&refused("text = \"review\"\n", ""), &["suite.toml:5: text is missing"]);
}

#[test]
fn a_missing_file_is_named_with_the_line_of_the_suite() {
    let message = refused("\"rows.csv\"", "\"rosw.csv\"");
    says(&message, &["suite.toml:6: task 'mine': cannot read rosw.csv: No such file"]);
    says(&refused("\"rows.csv\"", "[]"), &["suite.toml:6: an empty list: give at least one path"]);
}

#[test]
fn a_broken_row_is_named_with_its_line_and_the_line_of_the_suite() {
    let message = refused("\"rows.csv\"", "\"broken.csv\"");
    says(&message, &["suite.toml:6: task 'mine': broken.csv, line 3: expected 2 columns, as in line 1, found 1"]);
}

#[test]
fn a_name_that_is_built_in_taken_or_not_plain_is_refused() {
    says(&refused("\"mine\"", "\"parity\""), &["suite.toml:3: task 'parity' is built in", "another name"]);
    says(&refused("\"mine\"", "\"My Task\""), &["suite.toml:3: a task's name is part of a file's name"]);
    let twice = format!("{}[[model]]", &GOOD["name = \"test\"\n".len()..GOOD.find("[[model]]").unwrap()]);
    says(&refused("[[model]]", &twice), &["suite.toml:11: two tasks are named 'mine'"]);
}

#[test]
fn too_few_training_rows_are_refused() {
    says(&refused("\"rows.csv\"", "\"few.csv\""), &["suite.toml:3: task 'mine' has 3 training rows; at least 20"]);
}

#[test]
fn an_empty_path_is_said_to_be_empty() {
    for empty in ["\"\"", "\" \"", "[\"rows.csv\", \"\"]"] {
        says(&refused("\"rows.csv\"", empty), &["suite.toml:6: train: the path is empty: name a file or a folder"]);
    }
}

#[test]
fn the_test_rows_are_said_once() {
    says(
        &refused("test_part = 0.2\n", ""),
        &["suite.toml:3: task 'mine' has no test rows", "test_part = 0.2", "folds = 5"],
    );
    let message = refused("test_part = 0.2", "test_part = 0.2\ntest = \"rows.csv\"");
    says(&message, &["suite.toml:7: test and test_part are both given"]);
    for share in ["0.0", "1.0", "nan", "-1.0"] {
        says(&refused("0.2", share), &["suite.toml:7: test_part must be a share above 0 and below 1"]);
    }
    let message = refused("test_part = 0.2", "test = \"rows.csv\"\nsplit_seed = 2");
    says(&message, &["suite.toml:8: split_seed is only used with test_part, which is not given"]);
}

#[test]
fn a_format_or_setting_that_does_not_fit_is_refused_with_those_that_do() {
    says(&refused("\"csv\"", "\"image\""), &["suite.toml:5: unknown format 'image', did you mean 'images'?", "idx"]);
    let message = refused("\"csv\"", "\"csv\"\nsize = 32");
    says(&message, &["suite.toml:6: size is not a setting of format = \"csv\", which takes delimiter, header"]);
    says(&refused("\"csv\"", "\"csv\"\ndelimiter = \"::\""), &["suite.toml:6: delimiter must be one ASCII character"]);
    says(
        &refused("\"csv\"", "\"csv\"\nsie = 32"),
        &["suite.toml:6: sie is not a setting of format = \"csv\"", "train"],
    );
    says(&refused("\"review\"", "[\"review\"]"), &["suite.toml:8: text: expected a column, a list of two"]);
    says(&refused("\"review\"", "true"), &["suite.toml:8: text: expected a column (its name, or its number from 0)"]);
    says(&refused("\"rows.csv\"", "3"), &["suite.toml:6: train: expected a path or a list of paths"]);
    says(&refused("0.2", "\"a fifth\""), &["suite.toml:7: test_part: found the text \"a fifth\", expected a number"]);
    says(&refused("format = \"csv\"\n", ""), &["suite.toml:5: format is missing: name the format"]);
    says(&refused("train = \"rows.csv\"\n", ""), &["suite.toml:5: train is missing: name the file"]);
}

#[test]
fn settings_of_other_formats_are_checked_where_they_are_written() {
    let table = "format = \"csv\"\ntrain = \"rows.csv\"\ntest_part = 0.2\ntext = \"review\"\nlabel = \"mood\"\n";
    let with = |lines: &str| refused(table, &format!("train = \"rows.csv\"\ntest_part = 0.2\n{lines}\n"));
    says(&with("format = \"images\"\nsize = 7"), &["suite.toml:8: size must be a number of pixels in 8..=512"]);
    says(&with("format = \"idx\""), &["suite.toml:5: train_labels must name a file of labels for each of the 1"]);
    says(&with("format = \"cifar\"\nshape = [2, 32, 32]"), &["suite.toml:8: shape must be [channels, height, width]"]);
    says(&with("format = \"cifar\"\nlabel_bytes = 0"), &["suite.toml:8: label_bytes must be in 1..=16"]);
    says(&with("format = \"cifar\"\nlabel_byte = 1"), &["suite.toml:8: label_byte must be below label_bytes"]);
    let message = with("format = \"cifar\"\nclasses = [\"a\", \"a\"]");
    says(&message, &["suite.toml:8: classes must be 2 to 256 different names"]);
    let message = with("format = \"cifar\"\nclasses = [\"a\", \"b\\u001b[31m\"]");
    says(
        &message,
        &[
            "suite.toml:8: classes: \"b\\u{1b}[31m\" holds a control character or no visible character: give it another name",
        ],
    );
    let message = with("format = \"images\"");
    says(
        &message,
        &["suite.toml:5: task 'mine': rows.csv: expected a folder that holds a folder of images for each class"],
    );
    let message = with("format = \"cifar\"\nclasses = [\"cafe\\u0301\", \"caf\\u00e9\"]");
    says(&message, &["suite.toml:8: classes must be 2 to 256 different names"]);
    let message = with("format = \"cifar\"\nclasses = [\"cat\", \"cat\\u200B\"]");
    says(&message, &["suite.toml:8: classes: 'cat\u{200b}' (U+0063 U+0061 U+0074 U+200B) looks like 'cat' (U+0063"]);
}

#[test]
fn columns_are_joined_only_where_there_are_several() {
    let message = refused("\"review\"", "\"review\"\njoin = true");
    says(&message, &["suite.toml:9: join = true joins several columns into one text", "text = [\"title\", \"body\"]"]);
    let message = refused("\"review\"", "[0, 1, 2]");
    says(&message, &["suite.toml:8: text names 3 columns, and a pair has two", "set join = true"]);
    let message = refused("format = \"csv\"", "format = \"images\"\njoin = true");
    says(&message, &["suite.toml:6: join is not a setting of format = \"images\", which takes size, train, test"]);
    says(
        &refused("\"review\"", "\"review\"\njoin = \"yes\""),
        &["suite.toml:9: join: found the text \"yes\", expected true or false"],
    );
    let message = refused("\"review\"", "[\"review\", \"bodi\"]\njoin = true");
    says(&message, &["suite.toml:8: task 'mine': rows.csv has no column 'bodi'"]);
}

#[test]
fn what_is_no_path_of_this_machine_is_refused_with_what_to_do() {
    for (path, hint) in [
        ("~/rows.csv", "'~' is not expanded: write the full path of the folder"),
        ("*.csv", "'*.csv' is not expanded: list the files"),
        ("https://example.org/rows.csv", "'https://example.org/rows.csv' is an address"),
        ("s3://bucket/rows.csv", "`aws s3 cp s3://bucket/rows.csv .`"),
        ("hf://datasets/x/rows.csv", "`hf download datasets/x/rows.csv`"),
    ] {
        let message = refused("\"rows.csv\"", &format!("\"{path}\""));
        says(&message, &["suite.toml:6: task 'mine': cannot read", "No such file", hint]);
    }
    // The line is that of the path at fault.
    let message = refused("test_part = 0.2", "test = [\"rows.csv\", \"more-?.csv\"]");
    says(&message, &["suite.toml:7: task 'mine': cannot read more-?.csv", "list the files"]);
}

#[test]
fn a_metric_or_unit_that_does_not_fit_is_refused_with_those_that_do() {
    let message = refused("\"mine\"", "\"mine\"\nmetric = \"acuracy\"");
    says(&message, &["suite.toml:4: task 'mine': metric 'acuracy' cannot rank here, did you mean 'accuracy'?"]);
    says(&refused("\"mine\"", "\"mine\"\nmetric = \"mse\""), &["metric 'mse' cannot rank here", "f1_macro"]);
    says(
        &refused("\"mine\"", "\"mine\"\nunit = \"kg\""),
        &["suite.toml:4: task 'mine': unit is only used with numbers"],
    );
}

#[test]
fn settings_of_own_data_on_a_built_in_task_are_refused() {
    let own = &GOOD[GOOD.find("name = \"mine\"").unwrap()..GOOD.find("[[model]]").unwrap()];
    for key in ["about", "metric", "unit"] {
        let message = refused(own, &format!("name = \"parity\"\n{key} = \"x\"\n"));
        says(&message, &[&format!("suite.toml:4: {key} is only for a task on your own data")]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_whose_name_is_not_utf8_is_refused_before_anything_runs() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new();
    let folder = bench.path("").join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&folder).unwrap();
    let rows: String = (0..30).map(|n| format!("text {n},{}\n", ["good", "bad"][n % 2])).collect();
    fs::write(folder.join("rows.csv"), format!("review,mood\n{rows}")).unwrap();
    fs::write(folder.join("suite.toml"), GOOD).unwrap();
    for command in ["check", "run"] {
        let output = bench.command(&[command, "suite.toml"]).current_dir(&folder).output().unwrap();
        exits(&output, 2);
        says(&stderr(&output), &["suite.toml:6: the path", "caf\\xE9/rows.csv\" is not UTF-8", "rename the folder"]);
    }
}
