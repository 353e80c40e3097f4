//! How long reading takes: `cargo bench -p bakeoff-datasets --bench load`. CIFAR-10 is read from the data folder, if it
//! is there; a file of QQP's size is made on the spot. Generated texts are made, not read.

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::time::Instant;

use bakeoff_datasets::generated::GeneratedTexts;
use bakeoff_datasets::{Cifar10, Dataset, Store, fuzzing};

/// Rows and usual length of a question of QQP's training file.
const ROWS: usize = 363_846;
const QUESTION: &str = "What is the best way to learn how to bake bread at home in a small oven?";
const RUNS: usize = 5;

fn main() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = folder.path().join("train.tsv");
    let mut text = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n".to_owned();
    for row in 0..ROWS {
        text.push_str(&format!("{row}\t{row}1\t{row}2\t{row} {QUESTION}\t{QUESTION} {row}\t{}\n", row % 2));
    }
    let megabytes = text.len() / 1_000_000;
    fs::write(&path, text).expect("the folder can be written");
    let read = || fuzzing::questions(BufReader::with_capacity(1 << 18, File::open(&path).expect("it was just made")));
    show(&format!("a file of QQP's size ({ROWS} rows, {megabytes} MB)"), || assert_eq!(read(), ROWS));

    show("the texts of long-range-512 (9,000 rows)", || {
        std::hint::black_box(GeneratedTexts::LongRange { distance: 512 }.splits());
    });

    let store = Store::embedded();
    match Cifar10.load(&store) {
        Err(error) => say(&format!("not measured: {error}")),
        Ok(splits) => {
            drop(splits);
            show("CIFAR-10, 60,000 images", || {
                std::hint::black_box(Cifar10.load(&store).expect("it was just read"));
            });
        }
    }
}

/// Runs `work` a few times and shows the shortest and the longest.
fn show(what: &str, work: impl Fn()) {
    let seconds = (0..RUNS).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    });
    let mut seconds: Vec<f64> = seconds.collect();
    seconds.sort_by(f64::total_cmp);
    say(&format!("{what}: {:.3} to {:.3} s; largest resident set so far {}", seconds[0], seconds[RUNS - 1], peak()));
}

/// As Linux tells it.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map_or("unknown".to_owned(), |kb| kb.trim().to_owned())
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("standard output can be written");
}
