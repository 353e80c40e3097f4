//! Files of a run that are replaced, removed or moved while it writes to them.

use std::fs;

use crate::common::{Bench, exits, stderr};
use crate::faults::{curves, start_slow_run, undisturbed, without_times};

#[test]
fn rows_that_were_replaced_or_removed_during_a_run_stop_it_and_cost_nothing_that_was_stored() {
    for file in ["records.csv", "curves.csv"] {
        let bench = Bench::new();
        undisturbed(&bench);
        let run = start_slow_run(&bench);
        let path = bench.path("out").join(file);
        let before = fs::read_to_string(&path).unwrap();
        let header = format!("{}\n", before.lines().next().unwrap());
        fs::rename(bench.write("other", &header), &path).unwrap();
        let output = run.wait_with_output().unwrap();
        exits(&output, 1);
        let said = stderr(&output);
        assert!(said.contains(&format!("out/{file} lacks rows of the stored cases ")), "{said}");
        assert!(said.contains("a file was replaced or changed while the run wrote to it"), "{said}");
        assert!(said.contains("Nothing was removed") && said.contains("then: bakeoff resume out"), "{said}");
        assert!(fs::read_dir(bench.path("out/predictions")).unwrap().count() >= 2);
        assert_eq!(fs::read_to_string(&path).unwrap(), header, "it is the other's");
        fs::write(&path, before).unwrap();
        exits(&bench.run(&["resume", "out"]), 0);
        assert_eq!(without_times(&bench.path("out")), without_times(&bench.path("whole")));
        assert_eq!(curves(&bench.path("out")), curves(&bench.path("whole")));
    }
}

#[test]
fn rows_that_were_replaced_by_the_same_rows_are_written_to_from_then_on() {
    let bench = Bench::new();
    undisturbed(&bench);
    let run = start_slow_run(&bench);
    let path = bench.path("out/records.csv");
    fs::copy(&path, bench.path("other")).unwrap();
    fs::rename(bench.path("other"), &path).unwrap();
    exits(&run.wait_with_output().unwrap(), 0);
    assert_eq!(without_times(&bench.path("out")), without_times(&bench.path("whole")));
}

#[test]
fn a_run_whose_folder_is_moved_stops_and_goes_on_where_it_is() {
    let bench = Bench::new();
    undisturbed(&bench);
    let run = start_slow_run(&bench);
    fs::rename(bench.path("out"), bench.path("moved")).unwrap();
    let output = run.wait_with_output().unwrap();
    exits(&output, 1);
    let said = stderr(&output);
    assert!(
        said.contains("the folder out was moved or removed while the run wrote to it, so the results of case"),
        "{said}"
    );
    assert!(!said.contains("the results are stored"), "{said}");
    assert!(!bench.path("out").exists(), "it is not made again");
    exits(&bench.run(&["resume", "moved"]), 0);
    assert_eq!(without_times(&bench.path("moved")).len(), without_times(&bench.path("whole")).len());
}
