//! Delimited text.

use std::io::Write;

use bakeoff_datasets::own::{Column, Layout, OwnError, TableLayout, Target};
use bakeoff_datasets::{Inputs, Targets};

use crate::common::{Folder, classes, csv, texts};

const GOOD: &str = "text,label\na,x\nb,y\n";

/// The refusal of a training file with `body` under a good header.
fn refusal(body: impl AsRef<[u8]>) -> String {
    refusal_of([b"text,label\n", body.as_ref()].concat(), csv())
}

fn refusal_of(train: impl AsRef<[u8]>, layout: TableLayout) -> String {
    let folder = Folder::new();
    folder.write("train", train);
    folder.write("test", GOOD);
    folder.refusal(Layout::Table(layout))
}

#[test]
fn quoted_fields_hold_delimiters_line_ends_and_doubled_marks() {
    let folder = Folder::new();
    folder.write("train", "label,text\nx,\"a, \"\"b\"\"\nand c\"\ny, d \n");
    folder.write("test", "text,label\ne,y\n");
    let own = folder.load(Layout::Table(csv())).unwrap();
    assert_eq!(texts(&own.splits.train), ["a, \"b\"\nand c", "d"]);
    assert_eq!((classes(&own.splits.train), classes(&own.splits.test)), (vec!["x", "y"], vec!["y"]));
    assert!(own.train_places[1].to_string().ends_with("train, line 4"), "{}", own.train_places[1]);
}

#[test]
fn without_quoting_marks_are_plain_characters() {
    let folder = Folder::new();
    folder.write("train", "\"a\tx\n5\" wide\ty\n");
    folder.write("test", "b\tx\n");
    let layout = TableLayout {
        delimiter: b'\t',
        quoting: false,
        header: false,
        text: Column::Number(0),
        target: Target::Class(Column::Number(1)),
        ..csv()
    };
    assert_eq!(texts(&folder.load(Layout::Table(layout)).unwrap().splits.train), ["\"a", "5\" wide"]);
}

#[test]
fn a_byte_order_mark_crlf_and_empty_lines_are_skipped_and_lines_counted_right() {
    let folder = Folder::new();
    folder.write("train", b"\xef\xbb\xbftext,label\r\n\r\na,x\r\n\n\nb,y\r\n\r\n");
    folder.write("test", GOOD);
    let own = folder.load(Layout::Table(csv())).unwrap();
    assert_eq!(texts(&own.splits.train), ["a", "b"]);
    let lines: Vec<String> = own.train_places.iter().map(ToString::to_string).collect();
    assert!(lines[0].ends_with("line 3") && lines[1].ends_with("line 6"), "{lines:?}");
    assert!(refusal("\r\n\r\na,x\r\nb\r\n").starts_with("train, line 5: expected 2 columns, as in line 1, found 1"));
}

#[test]
fn a_pair_and_a_number_are_read() {
    let folder = Folder::new();
    folder.write("train", "a,b,score\none,two,1.5\nthree,four,-2e1\n");
    folder.write("test", "score,b,a\n0,six,five\n");
    let layout = TableLayout {
        text: Column::Name("a".to_owned()),
        second: Some(Column::Name("b".to_owned())),
        target: Target::Value(Column::Name("score".to_owned())),
        ..csv()
    };
    let own = folder.load(Layout::Table(layout)).unwrap();
    assert_eq!(own.splits.train.targets, Targets::Values(vec![1.5, -20.0]));
    let Inputs::Texts(texts) = &own.splits.test.inputs else { panic!("not texts") };
    assert_eq!((texts[0].first.as_str(), texts[0].second.as_deref()), ("five", Some("six")));
}

#[test]
fn a_packed_file_reads_as_the_plain_one_and_a_cut_one_is_refused() {
    let folder = Folder::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(GOOD.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    folder.write("train", &packed);
    folder.write("test", GOOD);
    let own = folder.load(Layout::Table(csv())).unwrap();
    assert_eq!(own.splits.train, own.splits.test);
    assert_ne!(own.checksums["train: train"], own.checksums["test: test"], "of the bytes as stored");
    folder.write("train", &packed[..packed.len() - 3]);
    let message = folder.refusal(Layout::Table(csv()));
    assert!(message.starts_with("train: expected a whole gzip file, found"), "{message}");
}

#[test]
fn classes_that_are_whole_numbers_are_sorted_by_number_and_others_by_character() {
    for (labels, sorted) in [(["10", "9", "-1"], ["-1", "9", "10"]), (["b", "a", "B"], ["B", "a", "b"])] {
        let folder = Folder::new();
        folder.write("train", format!("text,label\na,{}\nb,{}\nc,{}\n", labels[0], labels[1], labels[2]));
        folder.write("test", format!("text,label\na,{}\n", labels[0]));
        let own = folder.load(Layout::Table(csv())).unwrap();
        let Targets::Classes { names, .. } = own.splits.train.targets else { panic!("not classes") };
        assert_eq!(*names, sorted.map(str::to_owned));
    }
}

#[test]
fn a_file_that_is_missing_empty_or_a_folder_is_refused_by_path() {
    let folder = Folder::new();
    folder.write("test", GOOD);
    assert!(folder.refusal(Layout::Table(csv())).starts_with("cannot read train: No such file"));
    folder.write("train", "");
    assert_eq!(folder.refusal(Layout::Table(csv())), "train: expected data, found an empty file");
    std::fs::remove_file(folder.path("train")).unwrap();
    std::fs::create_dir(folder.path("train")).unwrap();
    assert_eq!(folder.refusal(Layout::Table(csv())), "train: expected a file, found a folder");
}

#[test]
fn a_header_with_no_example_below_it_is_refused() {
    assert_eq!(refusal(""), "train, line 2: expected an example, found the end of the file");
    assert_eq!(refusal_of("\n\n", csv()), "train, line 3: expected a line, found the end of the file");
}

#[test]
fn a_row_with_too_few_or_too_many_columns_is_refused_by_line() {
    assert_eq!(refusal("a,x\nb\n"), "train, line 3: expected 2 columns, as in line 1, found 1");
    assert_eq!(refusal("a,x\nb,y,z\n"), "train, line 3: expected 2 columns, as in line 1, found 3");
}

#[test]
fn an_empty_text_class_or_number_is_refused_by_line() {
    assert_eq!(refusal("a,x\n  ,y\n"), "train, line 3: expected a text, found an empty one");
    assert_eq!(refusal("a,x\nb,\n"), "train, line 3: expected a class, found an empty one");
}

#[test]
fn a_class_with_a_control_character_is_refused_by_line_and_shown_without_it() {
    for (name, shown) in [("y\u{1b}[31m", r"y\u{1b}[31m"), ("y\u{fffe}", r"y\u{fffe}"), ("y\u{7}z", r"y\u{7}z")] {
        let message = refusal(format!("a,x\nb,{name}\n"));
        let expected = "train, line 3: expected the name of a class, without control characters";
        assert_eq!(message, format!("{expected}, found \"{shown}\""));
    }
    // A text is never shown, and no class is refused for its alphabet.
    let folder = Folder::new();
    folder.write("train", "text,label\na\u{1b},ä\nb,日本\n");
    folder.write("test", "text,label\nc,ä\n");
    assert_eq!(classes(&folder.load(Layout::Table(csv())).unwrap().splits.train), ["ä", "日本"]);
}

#[test]
fn bytes_that_are_not_utf8_and_nul_bytes_are_refused_by_line() {
    assert_eq!(refusal(b"ok,x\nclich\xe9,y\n"), "train, line 3: expected UTF-8, found another byte 0xe9");
    assert_eq!(refusal(b"ok,x\na\0b,y\n"), "train, line 3: expected text, found a NUL byte");
    let message = refusal_of(b"\xff\xfet\0e\0", csv());
    assert_eq!(message, "train, line 1: expected UTF-8, found UTF-16: save the file as UTF-8");
}

#[test]
fn a_line_of_ten_megabytes_is_refused_by_line() {
    let long = "a".repeat(10 << 20);
    let message = refusal(format!("ok,x\n{long},y\n"));
    assert!(message.starts_with("train, line 3: expected at most 1048576 bytes in a row, found 10485763"), "{message}");
}

#[test]
fn a_mark_that_is_not_around_a_whole_field_is_refused_and_merges_no_rows() {
    for (text, near) in [
        ("text,label\n\"good film,x\n\"bad film,y\n", "bad film,y"),
        ("text,label\nfine,x\n\"abc\"def,y\n", "def,y"),
        ("text,label\na 5\" by 7\" print,x\n", " by 7"),
    ] {
        let message = refusal(text);
        let expected = "expected quotation marks around a whole field, doubled within it (RFC 4180;";
        assert!(message.contains(expected) && message.contains(&format!("found another before \"{near}")), "{message}");
    }
}

#[test]
fn a_quotation_mark_that_is_never_closed_is_refused_where_it_opens() {
    let message = refusal("a,x\n\"b,y\nc,z\n");
    assert!(message.starts_with("train, line 3: expected quotation marks in pairs"), "{message}");
    assert!(message.contains("quoting = false"), "{message}");
}

#[test]
fn a_number_that_is_none_or_not_finite_is_refused_by_line() {
    let layout = || TableLayout { target: Target::Value(Column::Name("label".to_owned())), ..csv() };
    for (word, expected) in [
        ("nan", "a finite number"),
        ("-inf", "a finite number"),
        ("1e40", "0 or a size of 1.1754944e-38 to 3.4028235e38"),
        ("1e-60", "0 or a size of 1.1754944e-38 to 3.4028235e38"),
        ("1;5", "a number, such"),
    ] {
        let message = refusal_of(format!("text,label\na,1\nb,{word}\n"), layout());
        assert!(message.starts_with(&format!("train, line 3: expected {expected}")), "{message}");
    }
}

#[test]
fn a_column_that_is_not_there_is_refused_with_those_that_are() {
    let layout = TableLayout { text: Column::Name("txet".to_owned()), ..csv() };
    let folder = Folder::new();
    folder.write("train", GOOD);
    folder.write("test", GOOD);
    let error = folder.load(Layout::Table(layout)).unwrap_err();
    assert!(matches!(&error, OwnError::Column { known, .. } if known == &["text", "label"]), "{error}");
    assert!(error.to_string().ends_with("train has no column 'txet'; it has 2: text, label"), "{error}");
    let layout = TableLayout { text: Column::Number(2), ..csv() };
    assert!(refusal_of(GOOD, layout).contains("no column 2; it has 2"));
    let layout = TableLayout { header: false, ..csv() };
    assert!(refusal_of(GOOD, layout).contains("no column 'text'; it has 2 without names, numbered from 0"));
    let message = refusal_of("text;label\na;x\n", csv());
    assert!(message.ends_with("no column 'text'; it has 1: text;label: is the delimiter right?"), "{message}");
}

#[test]
fn a_column_named_twice_is_refused() {
    let message = refusal_of("text,text,label\na,b,x\n", csv());
    assert_eq!(message, "train, line 1: expected different names, found 'text' twice");
    let layout = TableLayout { second: Some(Column::Number(0)), ..csv() };
    assert!(refusal_of(GOOD, layout).starts_with("train, line 1: expected a column of its own for each text"));
}
