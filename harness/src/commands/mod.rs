//! The command line: one file per command.

mod check;
mod data;
mod doctor;
mod export_glue;
mod list;
mod report;
mod resume;
mod run;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use bakeoff_reports::Built;
use clap::{Args, Parser, Subcommand};

use crate::interrupt;
use crate::plan::{MOST_THREADS, Overrides, Plan};
use crate::program::Program;
use crate::suite::Source;
use crate::usage::{UsageError, usage};
use crate::worker;

/// Given the same data, the same rows and the same machine: which family of models should I use, and what does it cost?
#[derive(Debug, Parser)]
#[command(name = "bakeoff", version, about, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Cli {
    /// Folder with the sample files, to use in place of those inside the program
    #[arg(long, global = true, value_name = "DIR", env = "BAKEOFF_SAMPLES", hide_env_values = true)]
    samples: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Start with: bakeoff run quick

Exit codes: 0 ok, 1 unexpected, 2 usage or configuration, 3 some cases failed (the rows say which), \
5 nothing to do, 130 interrupted";

#[derive(Debug, Subcommand)]
enum Command {
    /// Train and measure the cases of a suite, and write records, figures and a report
    Run(run::Arguments),
    /// Show the tasks, models with their parameters, suites, figures and metrics
    List(list::Arguments),
    /// Plan a suite and make one tiny pass of every case, storing nothing
    Check(Selection),
    /// List, fetch and verify the full datasets
    Data(data::Arguments),
    /// Write the report of a run again, from its CSV files alone
    Report(report::Arguments),
    /// Go on with a run that was stopped, or try its failed cases again
    Resume(resume::Arguments),
    /// Tell what this machine can measure, what it lacks, and how to enable it
    Doctor,
    #[command(hide = true)]
    Worker,
}

/// Which cases: a suite and what to change of it.
#[derive(Debug, Args)]
struct Selection {
    /// A built-in suite (smoke, quick, standard, paper) or the path of a suite file
    suite: String,
    /// Only these tasks
    #[arg(short = 't', long = "task", value_name = "TASK", value_delimiter = ',')]
    tasks: Vec<String>,
    /// Not these tasks
    #[arg(short = 'T', long = "skip-task", value_name = "TASK", value_delimiter = ',')]
    skip_tasks: Vec<String>,
    /// Only these models, by name or label
    #[arg(short = 'm', long = "model", value_name = "MODEL", value_delimiter = ',')]
    models: Vec<String>,
    /// Not these models, by name or label
    #[arg(short = 'M', long = "skip-model", value_name = "MODEL", value_delimiter = ',')]
    skip_models: Vec<String>,
    /// Seeds in place of the suite's; every case runs once for each
    #[arg(long = "seed", value_name = "SEED", value_delimiter = ',')]
    seeds: Vec<u64>,
    /// Rows to learn from, validation included, in place of the suite's
    #[arg(long, value_name = "ROWS")]
    train_size: Option<usize>,
    /// Cases at a time; more than one disturbs each other's times
    #[arg(long, value_name = "N", value_parser = count)]
    jobs: Option<usize>,
    /// Processor threads of each case [default: all, shared by the jobs]
    #[arg(long, value_name = "N", value_parser = count)]
    threads: Option<usize>,
    /// Where the models compute (cpu)
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Also predict the test sets whose targets GLUE keeps to itself, for `data export-glue`
    #[arg(long)]
    predict_hidden: bool,
    /// Leave energy empty where no meter is readable
    #[arg(long)]
    no_energy_estimate: bool,
}

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=MOST_THREADS) => Ok(count),
        _ => Err(format!("expected a whole number in 1..={MOST_THREADS}")),
    }
}

impl Selection {
    fn plan(&self, program: &Program) -> anyhow::Result<Plan> {
        let source = Source::find(&self.suite).map_err(usage)?;
        let overrides = Overrides {
            tasks: self.tasks.clone(),
            skip_tasks: self.skip_tasks.clone(),
            models: self.models.clone(),
            skip_models: self.skip_models.clone(),
            seeds: self.seeds.clone(),
            train_size: self.train_size,
            device: self.device.clone(),
            jobs: self.jobs,
            threads: self.threads,
            predict_hidden: self.predict_hidden,
            no_estimate: self.no_energy_estimate,
        };
        Plan::new(program, &source, &overrides).map_err(usage)
    }
}

/// How a command that did not fail has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Ok,
    SomeCasesFailed,
    NothingToDo,
    Interrupted,
}

/// What a person is shown of a report: its table, its remarks and where it is.
fn print_report(out: &mut dyn Write, built: &Built) -> io::Result<()> {
    writeln!(out, "{}", built.terminal_table)?;
    for remark in &built.remarks {
        writeln!(out, "note: {remark}")?;
    }
    writeln!(out, "report: {}", built.report.display())
}

/// Runs the program with the command line `arguments`, the program's name first.
pub fn main(program: &Program, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to standard output, where a closed pipe is no fault.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    interrupt::report_large_files();
    let samples = cli.samples.as_ref();
    let exit = match cli.command {
        Command::Run(arguments) => run::run(program, &arguments, samples),
        Command::List(arguments) => list::run(program, &arguments),
        Command::Check(selection) => check::run(program, &selection, samples),
        Command::Data(arguments) => data::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Resume(arguments) => resume::run(program, &arguments, samples),
        Command::Doctor => doctor::run(program, samples),
        Command::Worker => worker::serve(program).map(|()| Exit::Ok),
    };
    match exit {
        Ok(Exit::Ok) => ExitCode::SUCCESS,
        Ok(Exit::SomeCasesFailed) => ExitCode::from(3),
        Ok(Exit::NothingToDo) => ExitCode::from(5),
        Ok(Exit::Interrupted) => ExitCode::from(interrupt::EXIT_CODE),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "bakeoff: {error:#}");
            ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
        }
    }
}

/// Whether the reader of standard output has left, as `| head` does: it has what it wanted.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
