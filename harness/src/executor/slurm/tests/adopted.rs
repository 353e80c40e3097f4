//! What an earlier start of a run has left on the cluster.

use std::fs;

use super::made_up::{Array, Bench};
use super::{delivers, suite, takes};
use crate::executor::slurm::folder::{Place, TaskRequest};

#[test]
fn a_later_start_of_the_run_takes_what_has_ended_or_still_runs_and_submits_the_rest() {
    let bench = Bench::new(&suite(4, ""));
    // The first start is killed: 0 has delivered, 1 runs, 2 is lost, and 3 was measured with other settings.
    let place = Place::of(&bench.run_dir()).unwrap();
    let folder = place.new_array(1, "abcdef");
    let mut requests: Vec<TaskRequest> =
        bench.plan.cases.iter().map(|case| TaskRequest { case: case.clone(), samples: None }).collect();
    requests[3].case.timeout_s = 1.0;
    folder.fill(&requests).unwrap();
    // It was killed before it could store the number of the array.
    let first = Array { job: "100".to_owned(), folder, script: "--array=0-3".to_owned() };
    first.deliver(0);
    bench.arrays.lock().unwrap().push(first);
    let mut polls = 0;
    let gave = bench.run(100, takes, move |arrays| {
        polls += 1;
        let mut lines = Vec::new();
        for array in arrays {
            if array.job != "100" {
                array.deliver_all();
                lines.extend(array.lines("COMPLETED", "None"));
                continue;
            }
            if polls > 3 {
                array.deliver(1);
            }
            lines.push(array.line(1, "RUNNING", "None"));
            lines.push(array.line(3, "RUNNING", "None"));
        }
        Ok(lines)
    });
    gave.all_ok(4);
    assert_eq!(bench.sizes(), ["0-3", "0-1"]);
    assert_eq!(*bench.cancelled.lock().unwrap(), ["100_3"], "its outcome would be of no use");
    let told = "3 tasks of an earlier start of this run have ended or are still at work on Slurm: they are not submitted again";
    assert!(gave.said.iter().any(|text| text == told), "{:?}", gave.said);
}

#[test]
fn an_array_whose_cases_cannot_be_read_is_cancelled_and_its_cases_are_submitted_again() {
    let bench = Bench::new(&suite(2, ""));
    let folder = Place::of(&bench.run_dir()).unwrap().new_array(1, "abcdef");
    folder.fill(&[]).unwrap();
    folder.write_job("77", "").unwrap();
    fs::write(folder.path().join("cases.jsonl"), "{\"case\": \"of another version\"}\n").unwrap();
    let gave = bench.run(100, takes, delivers);
    gave.all_ok(2);
    assert_eq!(*bench.cancelled.lock().unwrap(), ["77"]);
    let is_told = |text: &String| text.contains("cases.jsonl") && text.contains("Array job 77 of an earlier start");
    assert!(gave.said.iter().any(is_told), "{:?}", gave.said);
    assert!(!folder.path().exists());
}
