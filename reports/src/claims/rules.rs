//! A user's own claims, in the form of `claims.toml`, with errors that say where and what was expected.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::devices::PerPrediction;
use crate::error::ReportError;
use crate::metric::metric;
use crate::plain_toml::toml_in_plain_words;

use super::part::{GAP, LOSS_FALL};
use super::registry::{Claim, Part, Rows, Side, Where};

/// What is wrong, and at which byte of the text.
type Fault = (usize, String);

/// Where each claim and what it names stand in the text.
#[derive(Deserialize)]
struct Places {
    claim: Vec<Spanned<ClaimPlaces>>,
}

#[derive(Deserialize)]
struct ClaimPlaces {
    id: Spanned<String>,
    suites: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    part: Vec<Spanned<PartPlaces>>,
}

#[derive(Deserialize)]
struct PartPlaces {
    task: Vec<Spanned<String>>,
    first: SidePlaces,
    second: Option<SidePlaces>,
}

#[derive(Deserialize)]
struct SidePlaces {
    #[serde(default)]
    model: Vec<Spanned<String>>,
    task: Option<Spanned<String>>,
}

/// The names that a claim may use: those of the program and of the runs that are judged, each once.
#[derive(Debug, Clone)]
pub struct KnownNames {
    /// The suites whose runs it may be judged by.
    pub suites: Vec<String>,
    /// The tasks.
    pub tasks: Vec<String>,
    /// The models, by name and by label.
    pub models: Vec<String>,
    /// What is said of a name that is none of the known ones, from its kind, the name and the known ones.
    pub unknown: fn(&str, &str, &[&str]) -> String,
}

impl KnownNames {
    /// The message about a name of this kind that is none of `known`.
    fn fault(&self, claim: &Claim, kind: &str, name: &Spanned<String>, known: &[String]) -> Fault {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let unknown = (self.unknown)(kind, name.as_ref(), &known);
        (name.span().start, format!("claim {}: {unknown}: correct it, or give a run that has it", claim.id))
    }
}

/// Reads claims from `text`, the content of the file at `path`. `known` are the names that a claim may use.
///
/// # Errors
/// If the text is not in the form of `claims.toml`, and if a claim has no rule, an id that another one has, an unknown suite, task, model
/// or metric, or a comparison without exactly one right side. The error names the file and the line.
pub fn read_claims(path: &Path, text: &str, known: &KnownNames) -> Result<Vec<Claim>, ReportError> {
    read(text, known).map_err(|(at, message)| {
        let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() as u64 + 1;
        ReportError::Rule { path: path.to_owned(), line, message }
    })
}

fn read(text: &str, known: &KnownNames) -> Result<Vec<Claim>, Fault> {
    let in_text =
        |error: toml::de::Error| (error.span().map_or(0, |span| span.start), toml_in_plain_words(error.message()));
    let claims = super::registry::parse(text).map_err(in_text)?;
    let places: Places = toml::from_str(text).map_err(in_text)?;
    let mut ids: Vec<&str> = Vec::new();
    for (claim, place) in claims.iter().zip(&places.claim) {
        let (start, place) = (place.span().start, place.as_ref());
        if ids.contains(&claim.id.as_str()) {
            return Err((place.id.span().start, format!("two claims have the id '{}', expected one each", claim.id)));
        }
        ids.push(&claim.id);
        check_suites(claim, place, known)?;
        if claim.most.is_some_and(|most| !(0.0..1.0).contains(&most)) {
            return Err((start, format!("claim {}: `most` is not in 0..1, expected a share of its parts", claim.id)));
        }
        if claim.parts.is_empty() {
            return Err((
                start,
                format!("claim {} has no [[claim.part]], expected one or more, which must hold", claim.id),
            ));
        }
        for (part, place) in claim.parts.iter().zip(&place.part) {
            check_part(part)
                .map_err(|message| (place.span().start, format!("a part of claim {}: {message}", claim.id)))?;
            check_names(claim, place.as_ref(), known)?;
        }
    }
    Ok(claims)
}

fn check_suites(claim: &Claim, place: &ClaimPlaces, known: &KnownNames) -> Result<(), Fault> {
    if claim.suites.is_empty() {
        let message = format!("claim {} names no suite, expected the suites whose runs it judges", claim.id);
        return Err((place.suites.span().start, message));
    }
    match place.suites.as_ref().iter().find(|suite| !known.suites.contains(suite.as_ref())) {
        Some(suite) => Err(known.fault(claim, "suite", suite, &known.suites)),
        None => Ok(()),
    }
}

/// Checks the tasks and models of a part. One that no program and no run has is a slip, and would never be measured.
fn check_names(claim: &Claim, place: &PartPlaces, known: &KnownNames) -> Result<(), Fault> {
    let sides = || [Some(&place.first), place.second.as_ref()].into_iter().flatten();
    // The cases of `cifar10-full` answer for `cifar10`.
    let is_task = |task: &str| {
        known.tasks.iter().any(|known| known.strip_suffix("-full").unwrap_or(known) == task || known == task)
    };
    let mut tasks = place.task.iter().chain(sides().filter_map(|side| side.task.as_ref()));
    if let Some(task) = tasks.find(|task| !task.as_ref().is_empty() && !is_task(task.as_ref())) {
        return Err(known.fault(claim, "task", task, &known.tasks));
    }
    match sides().flat_map(|side| &side.model).find(|model| !known.models.contains(model.as_ref())) {
        Some(model) => Err(known.fault(claim, "model", model, &known.models)),
        None => Ok(()),
    }
}

/// What is wrong with a part.
fn check_part(part: &Part) -> Result<(), String> {
    if part.task.is_empty() || part.first.model.is_empty() {
        return Err("expected at least one task and one model in `first`".to_owned());
    }
    match (&part.second, part.value) {
        (Some(_), Some(_)) => return Err("it has both `second` and `value`, expected one of them".to_owned()),
        (None, None) => return Err("it has neither `second` nor `value`, expected one of them".to_owned()),
        _ => {}
    }
    let is_cost = match part.metric.as_str() {
        "primary" | GAP | LOSS_FALL => false,
        name => match metric(name) {
            None => {
                return Err(format!(
                    "unknown metric '{name}', expected primary, gap, loss_fall or one that `bakeoff list metrics` shows"
                ));
            }
            Some(metric) => metric.score.is_none(),
        },
    };
    if let (Some(value), Some(score)) = (
        part.value.filter(|value| value.is_finite() && !part.grows),
        metric(&part.metric).and_then(|metric| metric.score.as_ref()),
    ) {
        let (low, high) = score.range;
        if !(low..=high).contains(&value) {
            return Err(format!("`value` is {value}, but {} is from {low} to {high}: correct it", part.metric));
        }
    }
    if let Some(value) = part.value.filter(|value| !value.is_finite() || (is_cost && *value <= 0.0)) {
        let expected =
            if is_cost { "a number above 0, because costs are compared as ratios" } else { "a finite number" };
        return Err(format!("`value` is {value}, expected {expected}"));
    }
    part.sides().try_for_each(check_side)?;
    if part.sides().any(|side| (side.device == Where::Anywhere) != (part.first.device == Where::Anywhere)) {
        return Err("one side has `device`, expected it on both sides or on none".to_owned());
    }
    if part.largest_calls && PerPrediction::of_metric(&part.metric).is_none() {
        return Err(format!(
            "it has `largest_calls`, but calls of several sizes have no {}, expected the metric throughput or energy_j",
            part.metric
        ));
    }
    if part.grows && part.sides().any(|side| side.rows != Rows::Most) {
        return Err("it has `grows` and `rows`, expected one of them: `grows` compares the most rows with the fewest"
            .to_owned());
    }
    let compares_something = part.second.as_ref().is_none_or(|second| {
        let same_place = |model: &str| {
            let is_model = second.model.is_empty() || second.model == [model];
            let is_task = second.task.is_empty() || part.task == [second.task.as_str()];
            let is_device = second.device == part.first.device;
            let is_size = second.rows == part.first.rows && second.label_noise == part.first.label_noise;
            is_model && is_task && is_device && is_size
        };
        !part.first.model.iter().all(|model| same_place(model)) && !part.questions(&[]).is_empty()
    });
    if !compares_something {
        return Err(
            "both sides are the same, expected another model, other `rows`, another `label_noise` or another `device`; to compare a model with \
             itself, leave out `model` in `second`"
                .to_owned(),
        );
    }
    Ok(())
}

fn check_side(side: &Side) -> Result<(), String> {
    if !(0.0..=1.0).contains(&side.label_noise) {
        return Err(format!("`label_noise` is {}, expected a share from 0 to 1", side.label_noise));
    }
    Ok(())
}
