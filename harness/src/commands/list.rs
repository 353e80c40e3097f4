//! `list`: what there is to run and to read.

use std::io::{Write, stdout};

use bakeoff_models::{Device, ModelEntry, Value};
use bakeoff_reports::{FIGURES, METRICS};
use clap::{Args, ValueEnum};

use super::Exit;
use crate::program::Program;
use crate::suite::{BUILT_IN, Source};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only this; all of it if not given
    #[arg(value_enum)]
    what: Option<What>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Tasks,
    Models,
    Suites,
    Figures,
    Metrics,
}

pub(super) fn run(program: &Program, arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut out = stdout().lock();
    for (index, what) in What::value_variants().iter().enumerate() {
        if arguments.what.is_some_and(|only| only != *what) {
            continue;
        }
        if index > 0 && arguments.what.is_none() {
            writeln!(out)?;
        }
        match what {
            What::Tasks => tasks(program, &mut out)?,
            What::Models => models(program, &mut out)?,
            What::Suites => suites(&mut out)?,
            What::Figures => figures(&mut out)?,
            What::Metrics => metrics(&mut out)?,
        }
    }
    Ok(Exit::Ok)
}

fn tasks(program: &Program, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "TASKS")?;
    for task in program.tasks {
        writeln!(out, "  {:<22} {}", task.name(), task.about())?;
        let classes = task.classes();
        let target = if classes.is_empty() { "a number".to_owned() } else { format!("{} classes", classes.len()) };
        let floor = match task.primary() {
            "pearson" | "spearman" | "matthews" => "0",
            "f1_positive" => "the positive class",
            _ if classes.is_empty() => "the mean",
            _ => "the majority class",
        };
        writeln!(
            out,
            "  {:<22} version {}, {target}, {} training rows, primary metric {}, floor: {floor}",
            "",
            task.version(),
            task.rows(),
            task.primary(),
        )?;
    }
    writeln!(out, "  (or your own data: [task.data] in a suite file; see docs/own-data.md)")?;
    Ok(())
}

fn models(program: &Program, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "MODELS (parameter = default for images | for texts)")?;
    for model in program.models {
        model_parameters(*model, out)?;
    }
    Ok(())
}

fn model_parameters(model: &dyn ModelEntry, out: &mut impl Write) -> anyhow::Result<()> {
    let versions: Vec<_> = Device::ALL.iter().map(|&device| model.version(device)).collect();
    writeln!(out, "  {}: {}; version {}", model.name(), model.about(), versions.join(", "))?;
    for param in model.params() {
        let (images, texts) = (Value::from(param.images), Value::from(param.texts));
        let default = if images == texts { images.to_string() } else { format!("{images} | {texts}") };
        writeln!(out, "    {} = {default}  ({})", param.name, param.domain)?;
        writeln!(out, "        {}; {}", param.about, param.source)?;
    }
    Ok(())
}

fn suites(out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "SUITES (or the path of your own; see harness/suites/example.toml)")?;
    for (name, _) in BUILT_IN {
        writeln!(out, "  {name:<18} {}", Source::find(name)?.parse()?.about)?;
    }
    Ok(())
}

fn figures(out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "FIGURES")?;
    for figure in FIGURES {
        writeln!(out, "  {:<18} {}", figure.name(), figure.about())?;
    }
    Ok(())
}

fn metrics(out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "METRICS")?;
    for metric in METRICS {
        let unit = if metric.unit.is_empty() { String::new() } else { format!(" [{}]", metric.unit) };
        writeln!(out, "  {:<22} {}{unit}: {}", metric.name, metric.title, metric.formula)?;
    }
    Ok(())
}
