//! Delimited text.

use std::io::Write;

use bakeoff_datasets::own::{Column, DataFormat, OwnData, OwnError, Part, TableLayout, Target, TestRows};
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
    folder.refusal(DataFormat::Table(layout))
}

#[test]
fn quoted_fields_hold_delimiters_line_ends_and_doubled_marks() {
    let folder = Folder::new();
    folder.write("train", "label,text\nx,\"a, \"\"b\"\"\nand c\"\ny, d \n");
    folder.write("test", "text,label\ne,y\n");
    let own = folder.load(DataFormat::Table(csv())).unwrap();
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
    assert_eq!(texts(&folder.load(DataFormat::Table(layout)).unwrap().splits.train), ["\"a", "5\" wide"]);
}

#[test]
fn a_byte_order_mark_crlf_and_empty_lines_are_skipped_and_lines_counted_right() {
    let folder = Folder::new();
    folder.write("train", b"\xef\xbb\xbftext,label\r\n\r\na,x\r\n\n\nb,y\r\n\r\n");
    folder.write("test", GOOD);
    let own = folder.load(DataFormat::Table(csv())).unwrap();
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
    let own = folder.load(DataFormat::Table(layout)).unwrap();
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
    let own = folder.load(DataFormat::Table(csv())).unwrap();
    assert_eq!(own.splits.train, own.splits.test);
    assert_ne!(own.checksums["train: train"], own.checksums["test: test"], "of the bytes as stored");
    folder.write("train", &packed[..packed.len() - 3]);
    let message = folder.refusal(DataFormat::Table(csv()));
    assert!(message.starts_with("train: expected a whole gzip file, found"), "{message}");
}

#[test]
fn classes_that_are_whole_numbers_are_sorted_by_number_and_others_by_character() {
    for (labels, sorted) in [(["10", "9", "-1"], ["-1", "9", "10"]), (["b", "a", "B"], ["B", "a", "b"])] {
        let folder = Folder::new();
        folder.write("train", format!("text,label\na,{}\nb,{}\nc,{}\n", labels[0], labels[1], labels[2]));
        folder.write("test", format!("text,label\na,{}\n", labels[0]));
        let own = folder.load(DataFormat::Table(csv())).unwrap();
        let Targets::Classes { names, .. } = own.splits.train.targets else { panic!("not classes") };
        assert_eq!(*names, sorted.map(str::to_owned));
    }
}

#[test]
fn a_file_that_is_missing_empty_or_a_folder_is_refused_by_path() {
    let folder = Folder::new();
    folder.write("test", GOOD);
    assert!(folder.refusal(DataFormat::Table(csv())).starts_with("cannot read train: No such file"));
    folder.write("train", "");
    assert_eq!(folder.refusal(DataFormat::Table(csv())), "train: expected data, found an empty file");
    std::fs::remove_file(folder.path("train")).unwrap();
    std::fs::create_dir(folder.path("train")).unwrap();
    let message = folder.refusal(DataFormat::Table(csv()));
    assert!(message.starts_with("train: expected a file, found a folder: name the files in it;"), "{message}");
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
    for (name, shown) in [
        ("y\u{1b}[31m", r"y\u{1b}[31m"),
        ("y\u{fffe}", r"y\u{fffe}"),
        ("y\u{7}z", r"y\u{7}z"),
        ("\u{200b}\u{feff}", r"\u{200b}\u{feff}"),
        ("\u{2800}", "\u{2800}"),
    ] {
        let message = refusal(format!("a,x\nb,{name}\n"));
        let expected = "train, line 3: expected a class name with visible characters and no control characters";
        assert_eq!(message, format!("{expected}, found \"{shown}\""));
    }
    // A text is never shown, and no class is refused for its alphabet.
    let folder = Folder::new();
    folder.write("train", "text,label\na\u{1b},ä\nb,日本\n");
    folder.write("test", "text,label\nc,ä\n");
    assert_eq!(classes(&folder.load(DataFormat::Table(csv())).unwrap().splits.train), ["ä", "日本"]);
}

#[test]
fn bytes_that_are_not_utf8_and_nul_bytes_are_refused_by_line() {
    assert_eq!(
        refusal(b"ok,x\nclich\xe9,y\n"),
        "train, line 3: expected text in UTF-8, found the byte 0xe9, which is not valid UTF-8 there"
    );
    assert_eq!(refusal(b"ok,x\na\0b,y\n"), "train, line 3: expected text, found a NUL byte");
    let message = refusal_of(b"\xff\xfet\0e\0", csv());
    assert_eq!(message, "train, line 1: expected UTF-8, found UTF-16: save the file as UTF-8");
}

#[test]
fn a_line_of_ten_megabytes_is_refused_by_line() {
    let long = "a".repeat(10 << 20);
    let message = refusal(format!("ok,x\n{long},y\n"));
    assert!(message.starts_with("train, line 3: expected at most 1048576 bytes in a row, found more"), "{message}");
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
    let error = folder.load(DataFormat::Table(layout)).unwrap_err();
    assert!(matches!(&error, OwnError::Column { known, .. } if known == &["text", "label"]), "{error}");
    assert!(error.to_string().ends_with("train has no column 'txet'; it has 2: text, label"), "{error}");
    let layout = TableLayout { text: Column::Number(2), ..csv() };
    assert!(refusal_of(GOOD, layout).contains("no column 2; it has 2"));
    let layout = TableLayout { header: false, ..csv() };
    assert!(refusal_of(GOOD, layout).contains("no column 'text'; it has 2 without names, numbered from 0"));
    let message = refusal_of("text;label\na;x\n", csv());
    let expected =
        "no column 'text'; it has 1: text;label: is ';' the delimiter (format = \"csv\", delimiter = \";\")?";
    assert!(message.ends_with(expected), "{message}");
    let message = refusal_of("text\tlabel\na\tx\n", csv());
    assert!(message.ends_with("is a tab the delimiter (format = \"tsv\")?"), "{message}");
    let message = refusal_of("words\na\n", csv());
    assert!(message.ends_with("no column 'text'; it has 1: words"), "nothing speaks for another delimiter: {message}");
}

#[test]
fn joined_columns_are_one_text_a_line_for_each_that_is_not_empty() {
    let folder = Folder::new();
    folder.write("train", "label,title,body,more\nx,A title, and a body ,\ny,,only a body,and more\n");
    folder.write("test", "label,title,body,more\nx,a,b,c\n");
    let column = |name: &str| Column::Name(name.to_owned());
    let layout = || {
        let joined = vec![column("body"), column("more")];
        DataFormat::Table(TableLayout { text: column("title"), joined, ..csv() })
    };
    let own = folder.load(layout()).unwrap();
    assert_eq!(texts(&own.splits.train), ["A title\nand a body", "only a body\nand more"]);
    assert_eq!(texts(&own.splits.test), ["a\nb\nc"]);
    let Inputs::Texts(all) = &own.splits.train.inputs else { panic!("not texts") };
    assert!(all.iter().all(|text| text.second.is_none()), "not a pair");
    folder.write("test", "label,title,body,more\nx,, ,\n");
    let expected = "test, line 2: expected a text in one of the joined columns, found none but empty ones";
    assert_eq!(folder.refusal(layout()), expected);
    let twice = TableLayout { text: column("title"), joined: vec![column("title")], ..csv() };
    assert!(
        folder.refusal(DataFormat::Table(twice)).starts_with("train, line 1: expected a column of its own for each")
    );
}

#[test]
fn composed_and_decomposed_names_are_one_class_and_one_column() {
    let folder = Folder::new();
    folder.write("train", "cafe\u{301},label\na,caf\u{e9}\nb,cafe\u{301}\nc,bar\n");
    folder.write("test", "caf\u{e9},label\nd,cafe\u{301}\n");
    for name in ["caf\u{e9}", "cafe\u{301}"] {
        let own = folder.load(DataFormat::Table(TableLayout { text: Column::Name(name.to_owned()), ..csv() })).unwrap();
        assert_eq!(classes(&own.splits.train), ["caf\u{e9}", "caf\u{e9}", "bar"]);
        assert_eq!(classes(&own.splits.test), ["caf\u{e9}"]);
    }
}

#[test]
fn classes_that_look_alike_are_refused_with_their_code_points_files_and_lines() {
    let message = refusal("a,cat\nb,dog\nc,cat\u{200b}\n");
    assert_eq!(
        message,
        "train, line 4: the class 'cat\u{200b}' (U+0063 U+0061 U+0074 U+200B) looks like 'cat' (U+0063 U+0061 U+0074) but is a \
         different name: they differ only in invisible characters or blanks; use one spelling for both (the other is in train, line 2)"
    );
    let message = refusal("a,fish\nb,dog\nc,\u{fb01}sh\n");
    assert!(message.contains("'ﬁsh' (U+FB01 U+0073 U+0068) looks like 'fish' (U+0066"), "{message}");
    assert!(message.contains("they are the same characters in another form (equal in NFKC)"), "{message}");
}

#[test]
fn a_class_of_the_test_rows_that_looks_like_one_of_the_training_rows_is_told_by_its_code_points() {
    let folder = Folder::new();
    folder.write("train", "text,label\na,caf\u{e9}\nb,bar\n");
    folder.write("test", "text,label\na,bar\nb,caf\u{e9}\u{feff}\n");
    let message = folder.refusal(DataFormat::Table(csv()));
    assert!(
        message.starts_with("test, line 3: the class 'caf\u{e9}\u{feff}' (U+0063 U+0061 U+0066 U+00E9 U+FEFF)"),
        "{message}"
    );
    assert!(
        message.contains("looks like 'caf\u{e9}' (U+0063 U+0061 U+0066 U+00E9) but is a different name"),
        "{message}"
    );
}

#[test]
fn a_column_that_looks_like_the_one_asked_for_is_told_by_its_code_points() {
    let message = refusal_of("\u{200b}text,label\na,x\n", csv());
    assert!(
        message.contains("no column 'text'; it has 2: \u{200b}text, label; '\u{200b}text' (U+200B U+0074"),
        "{message}"
    );
    assert!(
        message.contains("looks like it, but is a different name from 'text' (U+0074 U+0065 U+0078 U+0074)"),
        "{message}"
    );
    // Two marks of the byte order, as some programs write.
    assert!(refusal_of("\u{feff}\u{feff}text,label\na,x\n", csv()).contains("(U+FEFF U+0074"));
    let message = refusal_of(
        "cafe\u{301},caf\u{e9},text,label\n1,2,a,x\n",
        TableLayout { text: Column::Name("café".to_owned()), ..csv() },
    );
    assert_eq!(message, "train, line 1: expected different names, found 'café' twice");
}

#[test]
fn a_file_of_another_kind_is_named_with_what_to_do_whatever_its_name() {
    let xlsx = b"PK\x03\x04\x14\0\x06\0\x08\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml";
    let ods = b"PK\x03\x04\x14\0\0\x08\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0mimetypeapplication/vnd.oasis.opendocument.spreadsheet";
    let npz = b"PK\x03\x04\x14\0\0\0\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0x.npy";
    for (content, what, remedy) in [
        (&xlsx[..], "an Excel workbook", "save its sheet as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "an old Excel workbook or another old Office file", "as CSV UTF-8"),
        (ods, "an OpenDocument file", "soffice --headless --convert-to csv --outdir converted train"),
        (npz, "an archive of NumPy arrays", "write texts as CSV"),
        (b"PK\x03\x04\x14\0\0\0\0\0", "a zip archive", "unpack it first (`unzip train -d train-unpacked`)"),
        (b"\xfd7zXZ\0\0\x04", "an xz file", "`xz -dc train > train-unpacked`"),
        (b"\x28\xb5\x2f\xfd\x24", "a Zstandard file", "`zstd -dc train > train-unpacked`"),
        (b"BZh91AY&SY\x12", "a bzip2 file", "`bzip2 -dc train > train-unpacked`"),
        (b"7z\xbc\xaf\x27\x1c\0", "a 7z archive", "`7z x train -otrain-unpacked`"),
        (b"Rar!\x1a\x07\x01\0", "a RAR archive", "`unrar x train train-unpacked/`"),
        (b"PAR1\x15\x04\x15\0PAR1", "a Parquet file", "pandas.read_parquet('train').to_csv('train.csv'"),
        (b"ARROW1\0\0", "an Arrow (Feather) file", "pandas.read_feather('train')"),
        (b"\xff\xff\xff\xff\x10\0", "an Arrow stream, as a data set of Hugging Face is saved", "Dataset.from_file"),
        (b"\x93NUMPY\x01\0", "a NumPy array", "write texts as CSV"),
        (b"\x80\x04\x95\x0a\0", "a Python pickle", "write texts as CSV"),
        (b"\x89HDF\r\n\x1a\n\0", "an HDF5 file", "write texts as CSV"),
        (b"SQLite format 3\0", "an SQLite database", "sqlite3 -header -csv train"),
        (b"%PDF-1.4\n%\xe2", "a PDF document", "it holds no rows"),
        (b"\x89PNG\r\n\x1a\n\0", "a PNG image", "format = \"images\""),
        (b"[\n {\"text\": \"a\", \"label\": \"x\"},\n {}\n]\n", "JSON", "pandas.read_json('train')"),
        (b"{\"text\": \"a, b\", \"label\": \"x\"}\n{\"text\": \"c\"}\n", "JSON Lines", "lines=True"),
        (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "a web page", "get the file itself"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
            "a pointer of Git LFS in place of the file",
            "git lfs pull",
        ),
    ] {
        let message = refusal_of(content, csv());
        let expected =
            format!("train: expected delimited text (CSV or TSV), found {what}, which bakeoff does not read: ");
        assert!(message.starts_with(&expected) && message.contains(remedy), "{message}");
        assert!(!message.contains("delimiter"), "{message}");
    }
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&tar).unwrap();
    assert!(refusal_of(encoder.finish().unwrap(), csv()).contains("found a tar archive"), "within gzip too");
}

#[test]
fn text_that_only_begins_like_another_kind_of_file_is_delimited_text() {
    for first in ["PAR1", "ORC", "BM", "GIF89a", "[1]", "{a}", "%x", "BZh9", "PK", "\"<html>\"", "RIFF", "Obj"] {
        let folder = Folder::new();
        folder.write("train", format!("{first},x\nb,y\n"));
        folder.write("test", "c,y\n");
        let layout =
            TableLayout { header: false, text: Column::Number(0), target: Target::Class(Column::Number(1)), ..csv() };
        assert_eq!(texts(&folder.load(DataFormat::Table(layout)).unwrap().splits.train)[0], first.trim_matches('"'));
    }
}

#[test]
fn a_path_that_a_shell_would_expand_is_refused_with_what_to_write() {
    let folder = Folder::new();
    let part = |name: &str| Part { path: folder.path(name), labels: None };
    for (name, hint) in
        [("~/train.csv", "'~' is not expanded"), ("*.csv", "list the files"), ("https://x.org/a.csv", "curl")]
    {
        let data = OwnData {
            layout: DataFormat::Table(csv()),
            train: vec![part(name)],
            test: TestRows::Share { share: 0.5, seed: 1 },
        };
        let message = data.load().unwrap_err().to_string();
        assert!(message.contains("No such file") && message.contains(hint), "{message}");
    }
    // What is there is taken, whatever it is called.
    folder.write("train", GOOD);
    folder.write("~/[a] *.csv", GOOD);
    let (layout, train) = (DataFormat::Table(csv()), vec![part("~/[a] *.csv")]);
    assert!(OwnData { layout, train, test: TestRows::Parts(vec![part("train")]) }.load().is_ok());
}

#[test]
fn a_column_named_twice_is_refused() {
    let message = refusal_of("text,text,label\na,b,x\n", csv());
    assert_eq!(message, "train, line 1: expected different names, found 'text' twice");
    let layout = TableLayout { second: Some(Column::Number(0)), ..csv() };
    assert!(refusal_of(GOOD, layout).starts_with("train, line 1: expected a column of its own for each text"));
}
