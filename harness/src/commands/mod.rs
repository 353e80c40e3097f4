//! The command line: one file per command.

mod check;
mod claims;
mod compare;
mod data;
mod doctor;
mod explain;
mod export_glue;
mod generate;
mod history;
mod list;
mod nightly;
mod output;
mod rank;
mod report;
mod resume;
mod run;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use bakeoff_reports::{Built, Impute, ReportError, Results, RunDir};
use clap::{Args, Parser, Subcommand};

use crate::budget::Budget;
use crate::devices;
use crate::executor::slurm;
use crate::interrupt;
use crate::plan::{MAX_THREADS, Overrides, Plan};
use crate::program::Program;
use crate::recorder::RunLock;
use crate::suite::{ExecutorKind, Source};
use crate::usage::{UsageError, usage};
use crate::worker;

/// Trains and measures families of models on identical tasks: which one should you use, and what does it cost?
#[derive(Debug, Parser)]
#[command(name = "bakeoff", version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Cli {
    /// Read the sample files from this folder instead of the program
    #[arg(long, global = true, value_name = "DIR", env = "BAKEOFF_SAMPLES", hide_env_values = true)]
    samples: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Start with: bakeoff run quick

Exit codes: 0 success, 1 unexpected error, 2 wrong usage or input, 3 some cases failed (their rows say why), \
4 a regression is confirmed, 5 nothing to do: all cases are done, or no model can do any of them, \
6 a series has no baseline (with --require-baseline), 130 interrupted";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a suite: train and measure its models, then write records, figures and a report
    Run(run::RunArguments),
    /// List tasks, models, suites, metrics and figures, or show everything about one
    List(list::ListArguments),
    /// Check a suite: read its data and run every case on a few rows, storing nothing
    Check(check::CheckArguments),
    /// List, download and verify the full datasets
    Data(data::DataArguments),
    /// Judge the claims of the documents by the rows of runs
    Claims(claims::ClaimsArguments),
    /// Rank the models of a run by task and over tasks, as far as tests can tell
    Rank(rank::RankArguments),
    /// Compare the same cases of two runs
    Compare(compare::CompareArguments),
    /// Explain fitted models: which words or regions each uses, and attention, rules and support vectors where it has them
    Explain(explain::ExplainArguments),
    /// Rebuild the report of a run from its CSV files
    Report(report::ReportArguments),
    /// Continue an interrupted run, and retry its failed cases
    Resume(resume::ResumeArguments),
    /// Write text with a fitted model of a task of characters
    Generate(generate::GenerateArguments),
    /// Run a suite, add it to the history, judge it, and measure again at once what is suspected
    Nightly(nightly::NightlyArguments),
    /// Show and judge the history of nights, accept known changes, add runs and past commits
    History(history::HistoryArguments),
    /// Show what this machine can measure, what it cannot, and how to enable that
    Doctor(doctor::DoctorArguments),
    #[command(hide = true)]
    Worker(WorkerArguments),
}

#[derive(Debug, Args)]
struct WorkerArguments {
    /// Carry out the task of the array in this folder whose number Slurm states
    #[arg(long, value_name = "DIR")]
    array: Option<PathBuf>,
    /// Open the card of this device, and say what it is
    #[arg(long, value_name = "DEVICE", conflicts_with = "array")]
    device: Option<String>,
}

fn work(program: &Program, arguments: &WorkerArguments) -> anyhow::Result<Exit> {
    match (&arguments.array, &arguments.device) {
        (Some(folder), _) => {
            slurm::carry_out(program, folder).map(|is_done| if is_done { Exit::Ok } else { Exit::Interrupted })
        }
        (None, Some(device)) => devices::answer_with(program, device).map(|()| Exit::Ok),
        (None, None) => worker::serve(program).map(|()| Exit::Ok),
    }
}

/// Which cases to run: a suite, and what to change in it.
#[derive(Debug, Args)]
struct Selection {
    /// A built-in suite (smoke, quick, claims-quick, standard, claims, pretrained, hybrids, generative,
    /// compress, threads, paper) or the path of a suite file (.toml)
    suite: String,
    /// Run only these tasks, separated by commas
    #[arg(short = 't', long = "task", value_name = "TASK", value_delimiter = ',', value_parser = item::<String>)]
    tasks: Vec<String>,
    /// Leave out these tasks
    #[arg(short = 'T', long = "skip-task", value_name = "TASK", value_delimiter = ',', value_parser = item::<String>)]
    skip_tasks: Vec<String>,
    /// Run only these models, by name or label, separated by commas
    #[arg(short = 'm', long = "model", value_name = "MODEL", value_delimiter = ',', value_parser = item::<String>)]
    models: Vec<String>,
    /// Leave out these models, by name or label
    #[arg(short = 'M', long = "skip-model", value_name = "MODEL", value_delimiter = ',', value_parser = item::<String>)]
    skip_models: Vec<String>,
    /// Use these seeds instead of the suite's; every case runs once for each
    #[arg(long = "seed", value_name = "SEED", value_delimiter = ',', value_parser = item::<u64>)]
    seeds: Vec<u64>,
    /// Train on this many rows, validation rows included, instead of the suite's; every case runs once for each
    #[arg(long = "train-size", value_name = "ROWS", value_delimiter = ',', value_parser = item::<usize>)]
    train_sizes: Vec<usize>,
    /// Make this share of the training labels wrong, instead of the suite's; every case runs once for each
    #[arg(long, value_name = "SHARE", value_delimiter = ',', value_parser = item::<f64>)]
    label_noise: Vec<f64>,
    /// Score by cross-validation with this many folds of the training rows, instead of on the test rows
    #[arg(long, value_name = "N")]
    folds: Option<usize>,
    /// Score these folds only, by number from 1, separated by commas
    #[arg(long = "fold", value_name = "FOLD", value_delimiter = ',', value_parser = item::<usize>)]
    fold: Vec<usize>,
    /// Repeat the cross-validation this many times, with new folds each time
    #[arg(long, value_name = "N")]
    repeats: Option<usize>,
    /// What each fit may cost, such as 60s, 10min or 500J; networks and forests learn until it is used up
    #[arg(long, value_name = "BUDGET")]
    budget: Option<Budget>,
    /// Search for each model's parameters with this many search trials; the method is random unless [search] names one
    #[arg(long, value_name = "N")]
    trials: Option<usize>,
    /// Run this many cases at the same time, and one on a graphics card; they slow each other down, so their times mean little
    #[arg(long, value_name = "N", value_parser = count)]
    jobs: Option<usize>,
    /// Processor threads of each case [default: all processors, divided among the jobs]
    #[arg(long, value_name = "N", value_parser = count)]
    threads: Option<usize>,
    /// Compute on these devices (cpu) instead of the suite's; every case runs once on each
    #[arg(long = "device", value_name = "DEVICE", value_delimiter = ',', value_parser = item::<String>)]
    devices: Vec<String>,
    /// Also predict GLUE's test sets, which have no public targets; `data export-glue` needs it
    #[arg(long)]
    predict_hidden: bool,
    /// Keep every fitted model in the run's directory, as models/<case>/
    #[arg(long)]
    keep_models: bool,
    /// Score training rows too, after the fit, for the gap between training and test scores
    #[arg(long)]
    train_score: bool,
    /// Audit the latencies: compare timed answers with scored ones, and look for answers that are cached (docs/latency.md)
    #[arg(long)]
    audit: bool,
    /// Measure throughput, latency and energy of calls of so many examples each, such as 1,2,4,8
    #[arg(long, value_name = "EXAMPLES", value_delimiter = ',', value_parser = item::<usize>)]
    batch_sizes: Vec<usize>,
    /// Serve every model so often, by turns with the others, to see how well its times repeat: an odd number
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Leave energy empty where it cannot be measured, instead of estimating it
    #[arg(long)]
    no_energy_estimate: bool,
}

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=MAX_THREADS) => Ok(count),
        _ => Err(format!("expected a whole number in 1..={MAX_THREADS}")),
    }
}

/// One item of a list on the command line. Blanks around it are no part of it.
fn item<T: ListItem>(text: &str) -> Result<T, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("an item of the list is empty: write items with one comma between two, as in a,b".to_owned());
    }
    text.parse().map_err(|_| format!("expected {}", T::EXPECTED))
}

/// What the items of a list on the command line can be.
trait ListItem: FromStr {
    /// What is expected in place of an item that is none.
    const EXPECTED: &'static str;
}

impl ListItem for String {
    const EXPECTED: &'static str = "a name";
}

impl ListItem for u64 {
    const EXPECTED: &'static str = "a whole number from 0 on";
}

impl ListItem for usize {
    const EXPECTED: &'static str = "a whole number from 0 on";
}

impl ListItem for f64 {
    const EXPECTED: &'static str = "a number";
}

impl Selection {
    /// The plan of the suite with what the command line changes. `executor` carries out the cases, if the command line says so.
    fn plan(&self, program: &Program, executor: Option<ExecutorKind>) -> anyhow::Result<Plan> {
        let source = Source::find(&self.suite).map_err(usage)?;
        let overrides = Overrides {
            tasks: self.tasks.clone(),
            skip_tasks: self.skip_tasks.clone(),
            models: self.models.clone(),
            skip_models: self.skip_models.clone(),
            seeds: self.seeds.clone(),
            train_sizes: self.train_sizes.clone(),
            label_noise: self.label_noise.clone(),
            folds: self.folds,
            fold: self.fold.clone(),
            repeats: self.repeats,
            trials: self.trials,
            devices: self.devices.clone(),
            executor,
            jobs: self.jobs,
            threads: self.threads,
            budget: self.budget,
            predict_hidden: self.predict_hidden,
            keep_models: self.keep_models,
            train_score: self.train_score,
            audit: self.audit,
            batch_sizes: self.batch_sizes.clone(),
            rounds: self.rounds,
            no_estimate: self.no_energy_estimate,
        };
        Plan::new(program, &source, &overrides).map_err(usage)
    }
}

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Ok,
    SomeCasesFailed,
    /// The history has a regression that was measured again and confirmed.
    Regression,
    NothingToDo,
    /// A series cannot be judged, and the user asked that all can.
    NoBaseline,
    Interrupted,
}

/// Writes a line to standard error, which may be closed.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Reads a run. Says on standard error if another process still adds to it.
fn load(run: &Path, impute: Impute) -> anyhow::Result<Results> {
    if RunLock::is_held(run) {
        // The result matters more than a standard error that is closed.
        let _ = writeln!(
            io::stderr(),
            "note: another bakeoff works on the folder {}: only the cases that it has stored so far are read",
            run.display()
        );
    }
    Results::load_with(&RunDir::new(run), impute).map_err(of_reading)
}

/// What a user can mend in the run's files is wrong input; everything else is unexpected.
fn of_reading(error: ReportError) -> anyhow::Error {
    match error {
        ReportError::Io { .. } | ReportError::Figure { .. } => error.into(),
        of_the_files => usage(of_the_files),
    }
}

/// Prints the part of a report that the user sees on the terminal: its table, its remarks and where it is.
fn print_report(out: &mut dyn Write, built: &Built) -> io::Result<()> {
    writeln!(out, "{}", built.terminal_table)?;
    for remark in &built.remarks {
        writeln!(out, "note: {remark}")?;
    }
    writeln!(out, "report: {}", built.report.display())
}

/// Runs the program with the command line `arguments`, of which the first is the program's name.
pub fn main(program: &Program, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help is written to standard output. A reader that has closed the pipe is not a fault.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    interrupt::report_large_files();
    let samples = cli.samples.as_ref();
    let exit = match cli.command {
        Command::Run(arguments) => run::run(program, &arguments, samples),
        Command::List(arguments) => list::run(program, &arguments),
        Command::Check(arguments) => check::run(program, &arguments, samples),
        Command::Data(arguments) => data::run(&arguments),
        Command::Claims(arguments) => claims::run(program, &arguments),
        Command::Rank(arguments) => rank::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Explain(arguments) => explain::run(program, &arguments, samples),
        Command::Report(arguments) => report::run(&arguments),
        Command::Resume(arguments) => resume::run(program, &arguments, samples),
        Command::Generate(arguments) => generate::run(program, &arguments),
        Command::Doctor(arguments) => doctor::run(program, &arguments, samples),
        Command::Nightly(arguments) => nightly::run(program, &arguments, samples),
        Command::History(arguments) => history::run(program, &arguments),
        Command::Worker(arguments) => work(program, &arguments),
    };
    match exit {
        Ok(Exit::Ok) => ExitCode::SUCCESS,
        Ok(Exit::SomeCasesFailed) => ExitCode::from(3),
        Ok(Exit::Regression) => ExitCode::from(4),
        Ok(Exit::NothingToDo) => ExitCode::from(5),
        Ok(Exit::NoBaseline) => ExitCode::from(6),
        Ok(Exit::Interrupted) => ExitCode::from(interrupt::EXIT_CODE),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "bakeoff: {error:#}");
            ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
        }
    }
}

/// Whether the reader of standard output has closed it, as `| head` does when it has enough lines.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
