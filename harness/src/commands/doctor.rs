//! `doctor`: what this machine can measure, what it cannot, and how to enable that.

mod noise;

use std::fs;
use std::io::{self, Write, stdout};
use std::iter;
use std::path::{Path, PathBuf};

use bakeoff_datasets::{FileState, Store};
use bakeoff_models::Device;
use clap::Args;

use super::Exit;
use crate::devices;
use crate::forecast::gib;
use crate::interrupt;
use crate::machine::Machine;
use crate::meters::{self, EnergyConfig, MeterKind};
use crate::noise::Look;
use crate::program::Program;
use crate::stopwatch::Stopwatch;
use crate::worker;

#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// Study the machine's noise: repeat fixed work and say which differences of times it can resolve
    #[arg(long)]
    noise: bool,
    /// Study it for so many seconds
    #[arg(long, value_name = "SECONDS", requires = "noise", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
}

/// One finding.
enum Finding {
    Good(String),
    /// Something that is known, and not as it should be.
    Poor(String),
    Lacking(String),
    /// And ways to enable it.
    LackingWith(String, Vec<String>),
}

use Finding::{Good, Lacking, LackingWith, Poor};

pub(super) fn run(program: &Program, arguments: &DoctorArguments, samples: Option<&PathBuf>) -> anyhow::Result<Exit> {
    let machine = program.machine;
    let info = machine.describe();
    let mut out = stdout().lock();
    writeln!(out, "bakeoff {} ({}), {}", env!("CARGO_PKG_VERSION"), crate::COMMIT, crate::TOOLCHAIN)?;
    writeln!(
        out,
        "machine {}: {}, {} cpus, {:.1} GiB of memory, {}, {}",
        info.fingerprint,
        info.cpu,
        info.cpus,
        gib(info.memory_bytes),
        info.os,
        info.arch
    )?;
    write_devices(&mut out, machine)?;
    for (what, finding) in findings(program, samples, info.cpus) {
        write_finding(&mut out, &what, &finding)?;
    }
    if arguments.noise {
        interrupt::listen()?;
        noise::study(&mut out, machine, f64::from(arguments.seconds))?;
        if interrupt::requested() {
            return Ok(Exit::Interrupted);
        }
    }
    Ok(Exit::Ok)
}

/// Writes the devices of this machine, and why it has no others.
fn write_devices(out: &mut impl Write, machine: &dyn Machine) -> io::Result<()> {
    for &first in Device::BUILT {
        let further = (1..).map_while(|number| Device::named(&format!("{}:{number}", first.name())).ok());
        for device in iter::once(first).chain(further) {
            match devices::find(machine, device) {
                Ok(found) => writeln!(out, "device {}: {}", found.device, found.in_words())?,
                // The cards of a kind are numbered without a gap.
                Err(_) if device != first => break,
                Err(why) => {
                    writeln!(out, "device {}: {why}", device.name())?;
                    break;
                }
            }
        }
    }
    for kind in Device::NOT_BUILT {
        writeln!(out, "device {kind}: not in this build: cargo build --release --features {kind}")?;
    }
    Ok(())
}

/// What this machine can measure, each thing with its finding.
fn findings(program: &Program, samples: Option<&PathBuf>, cpus: usize) -> Vec<(String, Finding)> {
    let machine = program.machine;
    let before = [
        ("time", stopwatch(machine)),
        ("processor clock", governor(&Look::take(&machine.system_root()))),
        ("load", load(cpus)),
    ];
    let after = [
        ("memory", memory(machine)),
        ("samples", samples_of(program, samples)),
        ("datasets", datasets()),
        ("run directory", writable(Path::new("."))),
    ];
    let named = |(what, finding): (&str, Finding)| (what.to_owned(), finding);
    let meters = meters::METERS.iter().map(|kind| (format!("energy, {}", kind.name()), meter(*kind, machine)));
    before.into_iter().map(named).chain(meters).chain(after.into_iter().map(named)).collect()
}

/// Writes a finding, and below it what enables what is lacking.
fn write_finding(out: &mut impl Write, what: &str, finding: &Finding) -> io::Result<()> {
    match finding {
        Good(text) => writeln!(out, "  ok    {what}: {text}"),
        Poor(text) => writeln!(out, "  bad   {what}: {text}"),
        Lacking(text) => writeln!(out, "  no    {what}: {text}"),
        LackingWith(text, remedy) => {
            writeln!(out, "  no    {what}: {text}")?;
            remedy.iter().try_for_each(|line| writeln!(out, "          {line}"))
        }
    }
}

fn stopwatch(machine: &dyn Machine) -> Finding {
    const CALLS: u32 = 10_000;
    let whole = Stopwatch::start(machine);
    for _ in 0..CALLS {
        std::hint::black_box(Stopwatch::start(machine).seconds());
    }
    let cost_ns = whole.seconds() / f64::from(CALLS) * 1e9;
    Good(format!("starting and reading the stopwatch takes {cost_ns:.0} ns"))
}

/// Whether the clock rate of the processor follows the load. If it does, times depend on what ran before.
fn governor(look: &Look) -> Finding {
    match &look.governor {
        Ok(name) if name == "performance" => Good("governor 'performance'".to_owned()),
        Ok(name) => Lacking(format!(
            "governor '{name}' changes the clock rate with the load; for steadier times: \
             sudo cpupower frequency-set -g performance"
        )),
        Err(reason) => Lacking(format!(
            "{reason}, so the clock rate cannot be fixed: repeat runs to see how much times vary, or see what this machine can resolve \
             with bakeoff doctor --noise"
        )),
    }
}

fn load(cpus: usize) -> Finding {
    let Ok(load) = sysinfo::System::load_average().map(|load| load.one) else {
        return Lacking("this system does not show its load: make sure that nothing else runs".to_owned());
    };
    if load > 0.25 * cpus as f64 {
        Lacking(format!(
            "{load:.2} over the last minute on {cpus} cpus: other programs disturb the times, wait until they end"
        ))
    } else {
        Good(format!("{load:.2} over the last minute on {cpus} cpus"))
    }
}

/// Whether a kind of meter gives joules here.
fn meter(kind: &dyn MeterKind, machine: &dyn Machine) -> Finding {
    match kind.open(&EnergyConfig::default(), machine, None) {
        Ok(counter) if !kind.is_measured() => Good(format!(
            "{}, ± 40 %: used if no meter is readable, marked wherever it is shown, and ranks nothing (docs/energy.md)",
            counter.how()
        )),
        Ok(counter) => {
            let asked_for = if kind.is_tried(machine) {
                String::new()
            } else {
                format!("; a suite must ask for it: [energy] meters = [\"{}\"]", kind.name())
            };
            Good(format!("{} ({}){asked_for}", counter.how(), kind.about()))
        }
        Err(meters::Unavailable { why, remedy }) => LackingWith(why, remedy),
    }
}

fn memory(machine: &dyn Machine) -> Finding {
    match machine.peak_memory_bytes() {
        Some(_) => Good("a case's peak memory is read from the kernel, and its limit is enforced".to_owned()),
        None => Lacking("this system does not show a process's peak memory: that column stays empty".to_owned()),
    }
}

fn samples_of(program: &Program, samples: Option<&PathBuf>) -> Finding {
    let store = worker::store(samples);
    let mut files: Vec<_> = program.tasks.iter().flat_map(|task| task.files()).collect();
    files.retain(|file| file.embedded.is_some());
    files.sort_by_key(|file| file.name);
    files.dedup_by_key(|file| file.name);
    for file in &files {
        if let Err(error) = store.read(file) {
            return Lacking(error.to_string());
        }
    }
    Good(format!("{} files with the expected checksums", files.len()))
}

/// Which full datasets and pretrained encoders are in the data folder.
fn datasets() -> Finding {
    let store = Store::embedded();
    let folder = match store.data() {
        Ok(folder) => folder.display(),
        Err(error) => return Lacking(error.to_string()),
    };
    let here: Vec<&str> = super::data::all()
        .filter(|item| item.transport().is_some())
        .filter(|item| item.files().iter().all(|file| store.state(file).is_ok_and(|s| s != FileState::Missing)))
        .map(|item| item.id())
        .collect();
    if here.is_empty() {
        Lacking(format!("none in {folder}; tasks on samples need none, `bakeoff data fetch` gets the others"))
    } else {
        Good(format!("{} in {folder}", here.join(", ")))
    }
}

fn writable(folder: &Path) -> Finding {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let probe = folder.join(format!(".bakeoff-{}.tmp", std::process::id()));
    match fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)) {
        Ok(()) => Good(format!("{} is writable", folder.display())),
        Err(error) => {
            Lacking(format!("{} is not writable ({error}): name another with `bakeoff run --out`", folder.display()))
        }
    }
}
