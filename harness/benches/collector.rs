//! What the program does when a cluster has carried out 10,000 cases: it finds their outcomes, reads them and stores them. The tasks
//! themselves are made up: what they leave is written at once, and the time of that is not counted.
//!
//!     cargo bench --workspace --bench collector [CASES]

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bakeoff::case::Case;
use bakeoff::executor::slurm::{Cluster, Refusal, Report, Slurm, TaskLine};
use bakeoff::machine::{Machine, ThisMachine};
use bakeoff::outcome::{MetricValue, Outcome};
use bakeoff::phase::Phase;
use bakeoff::plan::{Overrides, Plan};
use bakeoff::program::Program;
use bakeoff::progress::Progress;
use bakeoff::protocol::Event;
use bakeoff::recorder::Recorder;
use bakeoff::runner;
use bakeoff::search::Searches;
use bakeoff::session::Session;
use bakeoff::suite::Source;
use bakeoff::tasks::TASKS;
use bakeoff_reports::{Node, PredictionRow, Reading, RunDir, Status};

/// The test rows of SST-2.
const ROWS: usize = 872;
/// Single latencies, and what the meters showed.
const READINGS: usize = 1000;
/// The numbers of a case.
const VALUES: usize = 60;

/// A cluster whose tasks have ended when they are submitted.
struct AtOnce {
    submitted: Mutex<Vec<(String, u32)>>,
    /// How long it took to write what the tasks leave.
    writing: Arc<Mutex<Duration>>,
}

impl Cluster for AtOnce {
    fn most_tasks(&self) -> Result<usize, Refusal> {
        Ok(1001)
    }

    fn check(&self, _script: &str) -> Result<(), Refusal> {
        Ok(())
    }

    fn submit(&self, script: &str, _name: &str) -> Result<String, Refusal> {
        let begun = Instant::now();
        let (_, folder) = script.trim_end().rsplit_once(" --array '").expect("the script names its folder");
        let folder = Path::new(folder.trim_end_matches('\''));
        let cases = std::fs::read_to_string(folder.join("cases.jsonl")).expect("the cases of the array");
        let mut tasks = 0;
        for (task, line) in (0..).zip(cases.lines()) {
            let mut request: serde_json::Value = serde_json::from_str(line).expect("a case");
            let case: Case = serde_json::from_value(request["case"].take()).expect("a case");
            let report = Report::new(case, node(), 12.5, outcome(task as usize));
            report.write(&folder.join("outcomes").join(format!("{task}.json"))).expect("room for the outcomes");
            tasks = task + 1;
        }
        let mut submitted = self.submitted.lock().expect("no test panics");
        let job = (submitted.len() + 1).to_string();
        submitted.push((job.clone(), tasks));
        *self.writing.lock().expect("no test panics") += begun.elapsed();
        Ok(job)
    }

    fn tasks(&self, jobs: &BTreeSet<String>) -> Result<Vec<TaskLine>, Refusal> {
        let submitted = self.submitted.lock().expect("no test panics");
        let of_run = submitted.iter().filter(|(job, _)| jobs.contains(job));
        let line = |(job, tasks): &(String, u32)| TaskLine {
            job: job.clone(),
            tasks: vec![0..=tasks - 1],
            state: "COMPLETED".to_owned(),
            reason: "None".to_owned(),
            node: "n1".to_owned(),
        };
        Ok(of_run.map(line).collect())
    }

    fn named(&self, _name: &str) -> Result<Option<String>, Refusal> {
        Ok(None)
    }

    fn accounted(&self, _tasks: &BTreeSet<String>) -> HashMap<String, String> {
        HashMap::new()
    }

    fn cancel(&self, _tasks: &BTreeSet<String>) -> Result<(), Refusal> {
        Ok(())
    }
}

fn node() -> Node {
    let machine = ThisMachine.describe();
    Node { machine, devices: Vec::new(), energy: "estimate".to_owned() }
}

/// An outcome with as many rows and numbers as a case on SST-2 has.
fn outcome(task: usize) -> Outcome {
    let number = |at: usize| ((task * 31 + at) % 997) as f64 / 997.0;
    let values = (0..VALUES).map(|at| MetricValue {
        phase: Phase::Score,
        metric: "accuracy".to_owned(),
        value: Some(number(at)),
        source: "scorer".to_owned(),
        note: String::new(),
        conditions: format!("number={at}"),
    });
    let readings = (0..READINGS).map(|index| Reading {
        phase: "predict-single".to_owned(),
        metric: "latency_s".to_owned(),
        index,
        example: Some(index % ROWS),
        value: 1e-3 * (1.0 + number(index)),
        unit: "s".to_owned(),
        source: "stopwatch".to_owned(),
    });
    let predictions = (0..ROWS).map(|example| PredictionRow {
        example,
        target: "positive".to_owned(),
        prediction: "negative".to_owned(),
        probabilities: vec![number(example) as f32, 1.0 - number(example) as f32],
    });
    Outcome {
        machine: "5e379dbb".to_owned(),
        values: values.collect(),
        readings: readings.collect(),
        predictions: predictions.collect(),
        ..Outcome::without_numbers(Status::Ok, "")
    }
}

struct Silent;

impl Progress for Silent {
    fn started(&mut self, _index: usize, _case: &Case) {}
    fn on_event(&mut self, _index: usize, _event: &Event) {}
    fn said(&mut self, _text: &str) {}
    fn done(&mut self, _index: usize, _case: &Case, _outcome: &Outcome) {}
    fn finished(&mut self) {}
}

fn main() -> anyhow::Result<()> {
    let cases: usize = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(10_000);
    let program = Program { tasks: TASKS, models: bakeoff_models::ENTRIES, machine: &ThisMachine };
    let seeds = (1..=cases).map(|seed| seed.to_string()).collect::<Vec<_>>().join(", ");
    let text = format!(
        "name = \"simulation\"\nexecutor = \"slurm\"\nthreads = 1\nseeds = [{seeds}]\n[slurm]\npoll_s = 0.1\n[[task]]\nname = \"sst2\"\n\
         train_size = 100\n[[model]]\nname = \"svm\"\n"
    );
    let source = Source { origin: "simulation".to_owned(), text, folder: PathBuf::new() };
    let plan = Plan::new(&program, &source, &Overrides::default())?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run");
    let session = Session { program: &program, samples: None, inline: false };
    let info = session.describe(&plan, Some(&path))?;
    let mut recorder = Recorder::create(&path, &info)?;
    recorder.measures_elsewhere();
    let writing = Arc::default();
    let cluster = AtOnce { submitted: Mutex::default(), writing: Arc::clone(&writing) };
    let settings = plan.slurm().expect("the suite names Slurm");
    let slurm = Slurm::new(Box::new(cluster), settings, None, RunDir::new(&path))?;
    let begun = Instant::now();
    let tally = runner::run(&plan.cases, 1, Searches::new(&plan), &slurm, &ThisMachine, &mut recorder, &mut Silent)?;
    let collected = begun.elapsed() - *writing.lock().expect("no test panics");
    let begun = Instant::now();
    recorder.finish()?;
    anyhow::ensure!(!tally.interrupted && tally.failures == 0, "{tally:?}");
    let per_case = collected.as_secs_f64() / cases as f64 * 1e3;
    println!("{cases} outcomes found, read and stored in {:.1} s, {per_case:.2} ms each", collected.as_secs_f64());
    println!("their rows sorted in {:.1} s", begun.elapsed().as_secs_f64());
    println!(
        "not counted: {:.1} s to write what the tasks leave",
        writing.lock().expect("no test panics").as_secs_f64()
    );
    Ok(())
}
