//! `list`: shows everything that can be run or read, on one screen; or the names of one kind; or everything about one
//! name.

use std::io::{self, Write, stdout};

use bakeoff_models::{Device, InputShape, ModelEntry, ParamValue, columns, unknown_name};
use bakeoff_reports::{Better, FIGURES, Figure, Floor, METRICS, Metric, metric};
use clap::{Args, ValueEnum};

use super::{Exit, usage};
use crate::program::Program;
use crate::suite::{BUILT_IN, Source};
use crate::tasks::{Family, Task};

/// The width of the screen in columns. The lines of the overview are cut to it. Only the full text about one name is
/// wrapped.
const WIDTH: usize = 80;

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// Only this kind, a line for each name
    #[arg(value_enum)]
    kind: Option<Kind>,
    /// Everything about these names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    #[value(alias = "task")]
    Tasks,
    #[value(alias = "model")]
    Models,
    #[value(alias = "suite")]
    Suites,
    #[value(alias = "metric")]
    Metrics,
    #[value(alias = "figure")]
    Figures,
}

/// Something that has a name.
enum Item {
    Task(&'static dyn Task),
    Model(&'static dyn ModelEntry),
    /// A suite's name and text.
    Suite(&'static str, &'static str),
    Metric(&'static Metric),
    Figure(&'static dyn Figure),
}

pub(super) fn run(program: &Program, arguments: &ListArguments) -> anyhow::Result<Exit> {
    let mut out = stdout().lock();
    match (arguments.kind, arguments.names.as_slice()) {
        (None, _) => overview(program, &mut out)?,
        (Some(kind), []) => {
            for item in kind.items(program) {
                writeln!(out, "{:<22} {}", item.name(), item.line()?)?;
            }
        }
        (Some(kind), names) => {
            for (index, item) in find(kind, program, names)?.iter().enumerate() {
                if index > 0 {
                    writeln!(out)?;
                }
                item.describe(&mut out)?;
            }
        }
    }
    Ok(Exit::Ok)
}

/// The items with these names.
fn find(kind: Kind, program: &Program, names: &[String]) -> anyhow::Result<Vec<Item>> {
    let known: Vec<&str> = kind.items(program).iter().map(Item::name).collect();
    let unknown: Vec<String> = names
        .iter()
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| unknown_name(kind.singular(), name, &known))
        .collect();
    if !unknown.is_empty() {
        return Err(usage(unknown.join("\n")));
    }
    let of_name = |name| kind.items(program).into_iter().filter(move |item| item.name() == name);
    Ok(names.iter().flat_map(of_name).collect())
}

/// Tasks, models and suites with a line each; scores and figures by name: one screen.
fn overview(program: &Program, out: &mut impl Write) -> anyhow::Result<()> {
    for (kind, title) in [
        (Kind::Tasks, "TASKS (-full: all rows of a dataset; your own data: docs/own-data.md)"),
        (Kind::Models, "MODELS"),
        (Kind::Suites, "SUITES (your own: harness/suites/example.toml)"),
    ] {
        writeln!(out, "{title}")?;
        for (names, about) in overview_lines(kind, program)? {
            let names = format!("  {names:<21}  ");
            writeln!(out, "{names}{}", headline(&about, WIDTH - names.chars().count()))?;
        }
        writeln!(out)?;
    }
    let scores: Vec<&str> = METRICS.iter().filter(|metric| metric.score.is_some()).map(|metric| metric.name).collect();
    wrap(out, "SCORES   ", &scores.join(", "))?;
    let figures: Vec<&str> = FIGURES.iter().map(|figure| figure.name()).collect();
    wrap(out, "FIGURES  ", &figures.join(", "))?;
    writeln!(out, "\nMore: bakeoff list tasks, bakeoff list models svm, bakeoff list suites quick,")?;
    writeln!(out, "      bakeoff list metrics (costs and counts too)")?;
    Ok(())
}

/// Names of a kind and what is said of them, a line each. Neighbouring tasks of one family share a line.
fn overview_lines(kind: Kind, program: &Program) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut lines = Vec::new();
    let mut last = None;
    for item in kind.items(program) {
        let family = item.family();
        match family {
            Some(family) if last == Some(family) => {}
            Some(family) => lines.push((family.names, family.about.to_owned())),
            None => lines.push((item.name(), item.line()?)),
        }
        last = family;
    }
    Ok(lines)
}

impl Kind {
    /// The singular of the kind, for messages.
    fn singular(self) -> &'static str {
        match self {
            Kind::Tasks => "task",
            Kind::Models => "model",
            Kind::Suites => "suite",
            Kind::Metrics => "metric",
            Kind::Figures => "figure",
        }
    }

    fn items(self, program: &Program) -> Vec<Item> {
        match self {
            Kind::Tasks => program.tasks.iter().map(|task| Item::Task(*task)).collect(),
            Kind::Models => program.models.iter().map(|model| Item::Model(*model)).collect(),
            Kind::Suites => BUILT_IN.iter().map(|(name, text)| Item::Suite(name, text)).collect(),
            Kind::Metrics => METRICS.iter().map(Item::Metric).collect(),
            Kind::Figures => FIGURES.iter().map(|figure| Item::Figure(*figure)).collect(),
        }
    }
}

impl Item {
    fn name(&self) -> &'static str {
        match self {
            Item::Task(task) => task.name(),
            Item::Model(model) => model.name(),
            Item::Suite(name, _) => name,
            Item::Metric(metric) => metric.name,
            Item::Figure(figure) => figure.name(),
        }
    }

    fn family(&self) -> Option<&'static Family> {
        match self {
            Item::Task(task) => task.family(),
            Item::Model(_) | Item::Suite(..) | Item::Metric(_) | Item::Figure(_) => None,
        }
    }

    /// One line about the item.
    fn line(&self) -> anyhow::Result<String> {
        Ok(match self {
            Item::Task(task) => task.about().to_owned(),
            Item::Model(model) => model.about().to_owned(),
            Item::Suite(name, _) => Source::find(name)?.parse()?.about,
            Item::Metric(metric) if metric.unit.is_empty() => metric.title.to_owned(),
            Item::Metric(metric) => format!("{}, {}", metric.title, metric.unit),
            Item::Figure(figure) => figure.about().to_owned(),
        })
    }

    /// Writes everything about the item.
    fn describe(&self, out: &mut impl Write) -> anyhow::Result<()> {
        match self {
            Item::Suite(_, text) => write!(out, "{text}")?,
            Item::Task(task) => describe_task(*task, out)?,
            Item::Model(model) => describe_model(*model, out)?,
            Item::Metric(metric) => describe_metric(metric, out)?,
            Item::Figure(figure) => writeln!(out, "{}: {}", figure.name(), figure.about())?,
        }
        Ok(())
    }
}

fn describe_task(task: &dyn Task, out: &mut impl Write) -> io::Result<()> {
    wrap(out, &format!("{}: ", task.name()), task.about())?;
    let classes = task.classes();
    let target = match classes.len() {
        0 if task.unit().is_empty() => "a number".to_owned(),
        0 => format!("a number, in {}", task.unit()),
        count => format!("one of {count} classes: {}", classes.join(", ")),
    };
    let input = match task.input() {
        InputShape::Images { channels, height, width } => {
            format!("an image of {height} x {width} pixels, {channels} channels")
        }
        InputShape::Texts { pairs: true } => "two texts, which are compared".to_owned(),
        InputShape::Texts { pairs: false } => "a text".to_owned(),
        InputShape::Table { numbers, categories } => format!("a row of {}", columns(numbers, categories)),
    };
    let floor = match metric(task.primary()).and_then(|metric| metric.score).map(|score| score.floor) {
        Some(floor @ (Floor::MajorityClass | Floor::PositiveClass | Floor::Mean)) => {
            format!("the score of always answering {}", floor.name())
        }
        Some(Floor::Zero) => "0".to_owned(),
        Some(Floor::None) | None => "none".to_owned(),
    };
    let data = match task.files() {
        [] => "made by the program".to_owned(),
        files if files.iter().all(|file| file.embedded.is_some()) => "in the program".to_owned(),
        files => format!("bakeoff data fetch {}", files[0].folder()),
    };
    for (key, value) in [
        ("input", input),
        ("target", target),
        ("training rows", task.rows().to_string()),
        ("primary metric", task.primary().to_owned()),
        ("floor", floor),
        ("data", data),
        ("version", task.version().to_string()),
    ] {
        wrap(out, &format!("  {key:<16}"), &value)?;
    }
    Ok(())
}

fn describe_model(model: &dyn ModelEntry, out: &mut impl Write) -> io::Result<()> {
    wrap(out, &format!("{}: ", model.name()), model.about())?;
    for &device in Device::BUILT {
        writeln!(out, "  version on {}: {}", device.name(), model.version(device))?;
    }
    writeln!(out, "\n  Parameters, each with its default (for images | for texts | for tables, if they differ)")?;
    for param in model.params() {
        let defaults = [param.images, param.texts, param.tables].map(|default| ParamValue::from(default).to_string());
        writeln!(out, "\n  {} = {}", param.name, unless_equal(defaults))?;
        wrap(out, "      ", param.about)?;
        wrap(out, "      ", &param.domain.to_string())?;
        wrap(out, "      default: ", param.source)?;
        if let Some(search) = param.search {
            let ranges = [(search.images, "images"), (search.texts, "texts"), (search.tables, "tables")];
            let ranges =
                ranges.map(|(range, of)| range.map_or_else(|| format!("not for {of}"), |range| range.to_string()));
            wrap(out, "      search: ", &format!("{}; {}", unless_equal(ranges), search.source))?;
        }
    }
    Ok(())
}

/// What stands for images, texts and tables, or the one text that stands for all of them.
fn unless_equal(all: [String; 3]) -> String {
    if all.iter().all(|text| *text == all[0]) { all[0].clone() } else { all.join(" | ") }
}

fn describe_metric(metric: &Metric, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}: {}", metric.name, metric.title)?;
    let better = match metric.better {
        Better::Higher => "higher",
        Better::Lower => "lower",
    };
    let unit = if metric.unit.is_empty() { "none" } else { metric.unit };
    for (key, value) in [("unit", unit), ("better", better), ("formula", metric.formula)] {
        wrap(out, &format!("  {key:<16}"), value)?;
    }
    Ok(())
}

/// The text, if it fits into `width` columns. Otherwise as many of its first clauses as fit.
fn headline(text: &str, width: usize) -> String {
    let fits = |text: &str| text.chars().count() <= width;
    if fits(text) {
        return text.to_owned();
    }
    let ends = [", ", "; ", ": ", " ("].into_iter().flat_map(|end| text.match_indices(end));
    let clauses = ends.map(|(at, _)| &text[..at]).filter(|part| fits(part) && is_balanced(part));
    if let Some(clauses) = clauses.max_by_key(|part| part.len()) {
        return clauses.to_owned();
    }
    let mut words = String::new();
    for word in text.split(' ') {
        if words.chars().count() + word.chars().count() + 2 > width {
            break;
        }
        words += word;
        words += " ";
    }
    words + "…"
}

/// Whether every open bracket is closed, because a text must not be cut within brackets.
fn is_balanced(text: &str) -> bool {
    [('(', ')'), ('[', ']')].into_iter().all(|(open, close)| text.matches(open).count() == text.matches(close).count())
}

/// Writes `first` and the text, broken between words. Further lines begin below the start of the text.
fn wrap(out: &mut impl Write, first: &str, text: &str) -> io::Result<()> {
    let indent = first.chars().count();
    let mut line = first.to_owned();
    let mut column = indent;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column > indent {
            if column + 1 + width > WIDTH {
                writeln!(out, "{line}")?;
                line = " ".repeat(indent);
                column = indent;
            } else {
                line.push(' ');
                column += 1;
            }
        }
        line.push_str(word);
        column += width;
    }
    writeln!(out, "{line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_headline_is_the_clauses_that_fit() {
        assert_eq!(headline("short", 5), "short");
        assert_eq!(headline("one, two (three), four", 12), "one, two");
        assert_eq!(headline("seconds: shows that all works", 20), "seconds");
        assert_eq!(headline("whether it is so (GLUE CoLA, dev split)", 28), "whether it is so");
        assert_eq!(headline("no clause ends here", 12), "no clause …");
    }

    #[test]
    fn a_text_is_broken_between_words_below_its_start() {
        let mut out = Vec::new();
        let text = "word ".repeat(20);
        wrap(&mut out, "key: ", text.trim()).expect("a vector takes all");
        let text = String::from_utf8(out).expect("words are UTF-8");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("key: word ") && lines[1].starts_with("     word "), "{text}");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.matches("word").count(), 20);
    }
}
