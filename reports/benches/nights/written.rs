//! The same series in files, for other programs to judge: scripts/nights/compare.py reads them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::made::{BEFORE, CHANGES, Shape, changing, is_up, quiet, spike, without_outliers};
use crate::noise::{Nights, one_percent, realistic};

/// Writes `quiet.jsonl`, `step.jsonl`, `drift.jsonl` and `spike.jsonl`: one series a line.
pub(crate) fn write(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let mut quiet_file = file(folder, "quiet");
    for machine in 0..10 {
        for series in quiet(machine, 110, realistic) {
            line(&mut quiet_file, machine, 10, true, &series);
        }
    }
    let change_file = |name: &str, series: &dyn Fn(u64) -> Nights| {
        let mut file = file(folder, name);
        for seed in 0..CHANGES {
            line(&mut file, seed, BEFORE, is_up(seed), &series(seed));
        }
    };
    change_file("step", &|seed| changing(seed, Shape::Step(0.05), one_percent));
    change_file("drift", &|seed| changing(seed, Shape::Drift(0.01), one_percent));
    change_file("spike", &|seed| changing(seed, spike(seed), without_outliers));
}

fn file(folder: &Path, name: &str) -> BufWriter<File> {
    BufWriter::new(File::create(folder.join(format!("{name}.jsonl"))).unwrap())
}

/// `first` is the first night that is judged, or at which the series changes.
fn line(file: &mut impl Write, machine: u64, first: usize, up: bool, series: &Nights) {
    let values = series.values();
    writeln!(file, r#"{{"machine":{machine},"first":{first},"up":{up},"values":{values:?}}}"#).unwrap();
}
