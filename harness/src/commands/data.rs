//! `data`: lists, fetches and verifies the datasets and the pretrained encoders.

use std::io::{Write, stderr, stdout};

use anyhow::anyhow;
use bakeoff_datasets::{
    DATASETS, FetchOptions, FetchProgress, Fetchable, Fetched, FileState, Mirror, PRETRAINED, Size, Store, fetch,
};
use bakeoff_models::unknown_name;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Exit, export_glue};
use crate::progress::can_draw;
use crate::usage::usage;

#[derive(Debug, Args)]
pub(super) struct DataArguments {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// Show every dataset and pretrained encoder: size, licence, citation, whether it is here and verified
    List,
    /// Fetch datasets and pretrained encoders into the data folder ($BAKEOFF_DATA, or the system's folder for a user's data)
    Fetch {
        /// Names, such as cifar10, glue/mrpc or minilm; glue is all nine of its tasks
        #[arg(required = true, value_name = "DATASET")]
        names: Vec<String>,
        /// A folder, or the address of one, that holds the same files, in place of the official addresses
        #[arg(long, value_name = "FOLDER|URL")]
        mirror: Option<String>,
    },
    /// Pack a run's predictions on GLUE's hidden test sets as the leaderboard takes them
    ExportGlue(export_glue::ExportGlueArguments),
    /// Hash the files in the data folder again
    Verify {
        /// Datasets; all that are here if none is given
        #[arg(value_name = "DATASET")]
        names: Vec<String>,
    },
}

pub(super) fn run(arguments: &DataArguments) -> anyhow::Result<Exit> {
    let store = Store::embedded();
    match &arguments.command {
        DataCommand::List => list(&store),
        DataCommand::Fetch { names, mirror } => {
            let mirror = mirror.as_deref().map(Mirror::parse).transpose().map_err(usage)?;
            fetch_all(&find(names)?, &store, &FetchOptions { mirror, ..FetchOptions::default() })
        }
        DataCommand::ExportGlue(arguments) => export_glue::run(arguments),
        DataCommand::Verify { names } => verify(&find(names)?, &store),
    }
}

/// Everything that the data folder can hold: the datasets, then the pretrained encoders.
pub(super) fn all() -> impl Iterator<Item = &'static dyn Fetchable> {
    let datasets = DATASETS.iter().map(|dataset| *dataset as &dyn Fetchable);
    datasets.chain(PRETRAINED.iter().map(|encoder| *encoder as &dyn Fetchable))
}

/// What has these names, each once. The name of a family stands for all of its datasets.
fn find(names: &[String]) -> anyhow::Result<Vec<&'static dyn Fetchable>> {
    let mut found: Vec<&'static dyn Fetchable> = Vec::new();
    for name in names {
        let is = |id: &str| id == name || id.split_once('/').is_some_and(|(family, _)| family == name);
        let named: Vec<_> = all().filter(|item| is(item.id())).collect();
        if named.is_empty() {
            let known: Vec<&str> = ["glue"].into_iter().chain(all().map(|item| item.id())).collect();
            return Err(usage(unknown_name("dataset", name, &known)));
        }
        let is_new = |dataset: &&dyn Fetchable| found.iter().all(|other| other.id() != dataset.id());
        let new: Vec<_> = named.into_iter().filter(is_new).collect();
        found.extend(new);
    }
    Ok(found)
}

fn list(store: &Store) -> anyhow::Result<Exit> {
    let mut out = stdout().lock();
    let folder = store.data().map_err(usage)?.display();
    writeln!(out, "DATASETS (data folder: {folder}; BAKEOFF_DATA sets another)")?;
    for dataset in DATASETS {
        let (train, test) = (thousands(dataset.train_rows()), thousands(dataset.test_rows()));
        describe(*dataset, &format!("{train} training and {test} test rows, "), store, &mut out)?;
    }
    writeln!(out, "PRETRAINED ENCODERS (for the model encoder)")?;
    for encoder in PRETRAINED {
        describe(*encoder, "", store, &mut out)?;
        if !encoder.seen().is_empty() {
            writeln!(out, "  {:<16} learned from the training rows of {}", "", encoder.seen().join(", "))?;
        }
    }
    Ok(Exit::Ok)
}

/// Writes what is to be known of an item; `rows` is the number of its rows in words.
fn describe(item: &dyn Fetchable, rows: &str, store: &Store, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "  {:<16} {rows}{}, {}", item.id(), size(item), state(item, store))?;
    for line in [item.about(), &format!("licence: {}", item.licence()), item.citation()] {
        writeln!(out, "  {:<16} {line}", "")?;
    }
    Ok(())
}

/// `50,000`.
fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).expect("digits are ASCII")).collect();
    groups.join(",")
}

/// The size of all files, in words.
fn size(dataset: &dyn Fetchable) -> String {
    let megabytes = dataset.files().iter().map(|file| file.size.most()).sum::<u64>() as f64 / 1e6;
    if dataset.files().iter().any(|file| matches!(file.size, Size::AtMost(_))) {
        format!("at most {megabytes:.0} MB (its size is not published)")
    } else {
        format!("{megabytes:.1} MB")
    }
}

/// Whether the dataset is here and verified, in words. The state is that of the file in the worst state.
fn state(dataset: &dyn Fetchable, store: &Store) -> String {
    let states: Result<Vec<FileState>, _> = dataset.files().iter().map(|file| store.state(file)).collect();
    match states {
        Err(error) => error.to_string(),
        Ok(states) if states.contains(&FileState::Missing) => format!("not here: bakeoff data fetch {}", dataset.id()),
        Ok(states) if states.contains(&FileState::Unverified) => {
            format!("here, not verified: bakeoff data verify {}", dataset.id())
        }
        Ok(states) if states.contains(&FileState::InProgram) => "in the program".to_owned(),
        Ok(_) => "here, verified".to_owned(),
    }
}

fn fetch_all(datasets: &[&dyn Fetchable], store: &Store, options: &FetchOptions) -> anyhow::Result<Exit> {
    let mut faults = Vec::new();
    for dataset in datasets {
        let mut shown = Shown::new(dataset.id());
        let done = fetch(*dataset, store, options, &mut |progress| shown.on_event(&progress));
        shown.clear();
        match done {
            Ok(fetched) => {
                let how = if fetched == Fetched::Downloaded { "fetched and verified" } else { "was here, verified" };
                writeln!(stdout(), "{}: {how}", dataset.id())?;
            }
            Err(error) => faults.push(anyhow!("{}: {error}", dataset.id())),
        }
    }
    let broken = faults.len();
    report(faults, broken, datasets.len(), "could not be fetched")
}

fn verify(datasets: &[&'static dyn Fetchable], store: &Store) -> anyhow::Result<Exit> {
    let folder = store.data().map_err(usage)?;
    if folder.exists() && !folder.is_dir() {
        let expected = "expected a folder for the datasets, found a file; set BAKEOFF_DATA to another";
        return Err(usage(format!("{}: {expected}", folder.display())));
    }
    let mut faults = Vec::new();
    let (mut count, mut broken) = (0, 0);
    let named = !datasets.is_empty();
    let all = if named { datasets.to_vec() } else { all().collect() };
    for dataset in all {
        // A dataset with some files missing is broken. A dataset with all files missing was never fetched.
        let is_missing = |file| matches!(store.state(file), Ok(FileState::Missing));
        if !named && dataset.files().iter().all(is_missing) {
            continue;
        }
        count += 1;
        let before = faults.len();
        let bad = dataset.files().iter().filter_map(|file| store.verify(file).err());
        faults.extend(bad.map(|error| anyhow!("{}: {error}", dataset.id())));
        if faults.len() > before {
            broken += 1;
        } else {
            writeln!(stdout(), "{}: verified, {} files", dataset.id(), dataset.files().len())?;
        }
    }
    report(faults, broken, count, "are missing or broken")
}

/// A single fault becomes the program's message. Several faults are written first, each on a line.
fn report(mut faults: Vec<anyhow::Error>, broken: usize, datasets: usize, what: &str) -> anyhow::Result<Exit> {
    match faults.len() {
        0 => Ok(Exit::Ok),
        1 => Err(faults.remove(0)),
        _ => {
            for fault in faults {
                // What was fetched stays, even if nobody can read the messages about the rest.
                let _ = writeln!(stderr(), "bakeoff: {fault}");
            }
            Err(anyhow!("{broken} of {datasets} datasets {what}"))
        }
    }
}

/// A bar on a terminal that can draw it, or else lines.
struct Shown {
    dataset: &'static str,
    bar: Option<ProgressBar>,
}

impl Shown {
    fn new(dataset: &'static str) -> Shown {
        let bar = can_draw().then(|| {
            let bar = ProgressBar::no_length();
            let style = "{prefix}: {msg} {bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, about {eta} left";
            bar.set_style(ProgressStyle::with_template(style).expect("the template is well-formed"));
            bar.set_prefix(dataset);
            bar
        });
        Shown { dataset, bar }
    }

    fn on_event(&mut self, progress: &FetchProgress) {
        let text = match progress {
            FetchProgress::Bytes { done, total } => {
                if let Some(bar) = &self.bar {
                    if let Some(total) = total {
                        bar.set_length(*total);
                    }
                    bar.set_position(*done);
                }
                return;
            }
            FetchProgress::Waiting { holder } => format!("{holder} is fetching it: waiting until it is done"),
            FetchProgress::Reading { place } => format!("reading {place}"),
            FetchProgress::Unpacking => "extracting and verifying the files".to_owned(),
        };
        match &self.bar {
            Some(bar) => bar.set_message(text),
            // The fetch goes on even if nobody can read standard error any more.
            None => drop(writeln!(stderr(), "{}: {text}", self.dataset)),
        }
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
