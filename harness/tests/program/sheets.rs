//! Sheets of images that a run keeps, from the fit to the report.

use std::fs;
use std::process::Command;

use bakeoff_reports::RunDir;

use crate::common::{Bench, exits, records};

#[test]
fn a_run_of_gan_keeps_a_sheet_and_shows_it_and_refuses_texts_and_numbers_with_the_reason() {
    let bench = Bench::new();
    let suite = "name = \"sheets\"\nthreads = 2\nlatency_examples = 1\n\
                 [[task]]\nname = \"cifar10\"\ntrain_size = 100\n\
                 [[task]]\nname = \"cifar10-rotation\"\ntrain_size = 100\n[[task]]\nname = \"sst2\"\ntrain_size = 100\n\
                 [[model]]\nname = \"gan\"\nparams = { epochs = 1, width = 4, noise = 8 }\n";
    bench.write("suite.toml", suite);
    let output = Command::new(env!("CARGO_BIN_EXE_bakeoff"))
        .args(["run", "suite.toml", "--out", "out"])
        .current_dir(bench.path(""))
        .output()
        .unwrap();
    exits(&output, 0);
    let dir = RunDir::new(bench.path("out"));
    let case = "cifar10.gan.n100.s1.cpu";
    assert!(fs::read(dir.sheet_path(case)).unwrap().starts_with(b"\x89PNG"));
    let rows = records(&bench.path("out"));
    let diversity = rows.iter().find(|row| row.metric == "generated_diversity").unwrap();
    assert_eq!((diversity.case.as_str(), diversity.phase.as_str()), (case, "case"));
    assert!(diversity.value.unwrap() > 0.0);
    let page = fs::read_to_string(dir.report_path()).unwrap();
    assert!(page.contains(&format!("generated images of {case}")) && page.contains("data:image/png;base64,"));
    for (task, reason) in [("cifar10-rotation", "a number"), ("sst2", "texts")] {
        let closing = rows.iter().find(|row| row.task == task && row.metric == "wall_s").unwrap();
        assert_eq!(closing.status.name(), "unsupported");
        assert!(closing.note.contains(reason), "{}", closing.note);
    }
    assert_eq!(fs::read_dir(bench.path("out/samples")).unwrap().count(), 1);
}
