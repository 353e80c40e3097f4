//! One comparison of a claim, looked up in a run: the difference, or for a cost the ratio, and its uncertainty.

use std::collections::{BTreeMap, BTreeSet};

use crate::cell::{Cell, ESTIMATE};
use crate::contrast::{Contrast, Unpaired};
use crate::devices::PerPrediction;
use crate::estimate::Scored;
use crate::format::{count, percent};
use crate::metric::{Better, Metric, metric};
use crate::record::Status;
use crate::results::Results;
use crate::setting::{PROCESSOR, Setting};
use crate::statistics::{Inference, Interval};

use super::registry::{Part, Relation, Rows, Side, Where};

/// What a part may ask of, beside metrics. `claims.toml` says what they are.
pub(super) const GAP: &str = "gap";
pub(super) const LOSS_FALL: &str = "loss_fall";

/// One comparison: a part of a claim for one task and one pair of models.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) task: String,
    pub(super) metric: String,
    pub(super) first: Place,
    /// `None` if the right side is a number.
    pub(super) second: Option<Place>,
    pub(super) value: Option<f64>,
    pub(super) is: Relation,
    pub(super) grows: bool,
    pub(super) largest_calls: bool,
}

/// The kind of device, and the fingerprint of the machine.
type At<'a> = (&'a str, &'a str);
/// The only machine of each device, for a comparison of two devices.
const ANY_MACHINE: At<'static> = ("", "");

/// A model at a size.
#[derive(Debug, Clone)]
pub(super) struct Place {
    task: String,
    pub(super) model: String,
    rows: Rows,
    label_noise: f64,
    /// The kind of device, `cpu`, `cuda` or `card` if no run has one; `None` if it may be any.
    device: Option<String>,
}

/// The answer to a question by the rows of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// Above 0 if it is as claimed: a difference in the unit of the metric, or the logarithm of a ratio.
    pub(super) effect: f64,
    /// What is shown: the difference, or the ratio, of the left side to the right one.
    pub(super) shown: f64,
    pub(super) interval: Option<Interval>,
    /// Whether it is a ratio.
    pub(super) is_ratio: bool,
    pub(super) p: Option<f64>,
    pub(super) seeds: usize,
    /// Test rows of each seed; 0 if the numbers are not of rows, or if the sides answered other rows.
    pub(super) rows: usize,
    pub(super) inference: Option<Inference>,
    pub(super) variances: Option<(f64, f64)>,
    /// Why its sides cannot be paired by their test rows.
    pub(super) unpaired: Option<Unpaired>,
    /// Why it is no evidence, although it was measured.
    pub(super) left_out: Option<String>,
    /// The devices of a question that names some, each with its hardware.
    pub(super) hardware: Vec<String>,
}

/// What is said of a score on rows that a model knows from pretraining.
const SEEN: &str = "seen in pretraining";
/// What a comparison is about for which no run has a graphics card.
const NO_CARD: &str = "card";

impl Part {
    /// Its comparisons. `cards` are the devices of the runs other than the processor.
    pub(super) fn questions(&self, cards: &[String]) -> Vec<Question> {
        let of_card = self.sides().any(|side| side.device == Where::Card);
        match (of_card, cards) {
            (true, []) => self.questions_on(NO_CARD),
            (true, cards) => cards.iter().flat_map(|card| self.questions_on(card)).collect(),
            (false, _) => self.questions_on(""),
        }
    }

    pub(super) fn sides(&self) -> impl Iterator<Item = &Side> {
        [Some(&self.first), self.second.as_ref()].into_iter().flatten()
    }

    fn questions_on(&self, card: &str) -> Vec<Question> {
        let mut questions = Vec::new();
        for task in &self.task {
            let place = |side: &Side, model: &str| Place {
                task: if side.task.is_empty() { task.clone() } else { side.task.clone() },
                model: model.to_owned(),
                rows: side.rows,
                label_noise: side.label_noise,
                device: match side.device {
                    Where::Anywhere => None,
                    Where::Cpu => Some(PROCESSOR.to_owned()),
                    Where::Card => Some(card.to_owned()),
                },
            };
            for first in &self.first.model {
                let question = |second: Option<Place>| Question {
                    task: task.clone(),
                    metric: self.metric.clone(),
                    first: place(&self.first, first),
                    second,
                    value: self.value,
                    is: self.is,
                    grows: self.grows,
                    largest_calls: self.largest_calls,
                };
                match &self.second {
                    None => questions.push(question(None)),
                    Some(side) if side.model.is_empty() => questions.push(question(Some(place(side, first)))),
                    Some(side) => {
                        let others = side.model.iter().filter(|model| *model != first);
                        questions.extend(others.map(|model| question(Some(place(side, model)))));
                    }
                }
            }
        }
        questions
    }
}

impl Question {
    /// The comparison in words: `sst2: transformer better than svm`, `cifar10, fit_s: svm below resnet`.
    pub(super) fn words(&self) -> String {
        let relation = match self.is {
            Relation::Better => "better than",
            Relation::Above => "above",
            Relation::Below => "below",
        };
        let right = match (&self.second, self.value) {
            (Some(place), _) => self.words_of(place, Some(&self.first)),
            (None, value) => value.unwrap_or(0.0).to_string(),
        };
        let calls = if self.largest_calls { " in the largest calls" } else { "" };
        let metric = if self.metric == "primary" { String::new() } else { format!(", {}{calls}", self.metric) };
        let left = self.words_of(&self.first, self.second.as_ref());
        match (self.grows, &self.second) {
            (false, _) => format!("{}{metric}: {left} {relation} {right}", self.task),
            (true, Some(_)) => {
                format!("{}{metric}: {left} {relation} {right}, more so at most rows than at fewest", self.task)
            }
            (true, None) => {
                format!("{}{metric}: gain of {left} from fewest to most rows {relation} {right}", self.task)
            }
        }
    }

    /// The model at a place, and its rows if they are not those that both sides have.
    fn words_of(&self, place: &Place, other: Option<&Place>) -> String {
        let is_of_sizes = place.rows == Rows::Fewest || other.is_some_and(|other| other.rows != place.rows);
        let rows = match place.rows {
            Rows::Exactly(rows) => format!(" at {}", count(rows, "row")),
            Rows::Most if is_of_sizes => " at most rows".to_owned(),
            Rows::Fewest => " at fewest rows".to_owned(),
            Rows::Most => String::new(),
        };
        let noise = match place.label_noise {
            0.0 => String::new(),
            share => format!(" with {} % wrong labels", percent(share)),
        };
        let task = if place.task == self.task { String::new() } else { format!(" on {}", place.task) };
        let device = place.device.as_ref().map_or(String::new(), |device| format!(" on {device}"));
        format!("{}{rows}{noise}{task}{device}", place.model)
    }

    /// Whether a case that the comparison needs is planned in this run, and has not ended with a score.
    pub(super) fn is_unfinished(&self, results: &Results) -> bool {
        let sides = || [Some(&self.first), self.second.as_ref()].into_iter().flatten();
        let with_all_rows = |task: &str| format!("{task}-full");
        let is_of = |task: &str, model: &str| {
            sides().any(|side| side.model == model && (side.task == task || with_all_rows(&side.task) == task))
        };
        let mut planned = results.info.cases.iter().filter(|case| is_of(&case.task, &case.label));
        let mut ended = results
            .grid
            .trials()
            .filter(|(setting, label, _)| is_of(&results.setting(*setting).task.name, &results.grid.labels[*label]));
        let is_measured = |status| matches!(status, Status::Ok | Status::BelowFloor);
        planned.any(|case| results.grid.unfinished.contains(&case.case))
            || ended.any(|(_, _, trial)| !is_measured(trial.status))
    }

    /// The answer of a run: that of its first device and machine that have one, because costs of two are not compared.
    ///
    /// # Errors
    /// Says what the run does not have.
    pub(super) fn ask(&self, results: &Results) -> Result<Answer, String> {
        let devices = || self.terms().into_iter().filter_map(|(_, place, _)| place.device.as_deref());
        if devices().any(|device| device == NO_CARD) {
            return Err("it has no case on a graphics card, which --device cpu,cuda or cpu,wgpu asks for".to_owned());
        }
        let first = self.first.device.as_deref();
        if devices().any(|device| Some(device) != first) {
            return self.ask_on(results, ANY_MACHINE);
        }
        let mut wheres: Vec<At<'_>> = Vec::new();
        for setting in &results.grid.settings {
            let at = (setting.device.as_str(), setting.machine.as_str());
            if first.is_none_or(|device| device == setting.device) && !wheres.contains(&at) {
                wheres.push(at);
            }
        }
        let mut reason = None;
        for at in &wheres {
            match self.ask_on(results, *at) {
                Ok(answer) => return Ok(answer),
                Err(found) => drop(reason.get_or_insert(found)),
            }
        }
        let reason = reason.unwrap_or_else(|| "no case has finished".to_owned());
        let apart = if wheres.len() > 1 { ", and cases of two devices or machines are not compared" } else { "" };
        Err(format!("{reason}{apart}"))
    }

    /// The answer with the hardware, if the question names devices. What a software device does is no evidence about graphics cards.
    fn ask_on(&self, results: &Results, at: At<'_>) -> Result<Answer, String> {
        let answer = self.answer_on(results, at)?;
        if self.first.device.is_none() {
            return Ok(answer);
        }
        let mut hardware: Vec<String> = Vec::new();
        let mut software = None;
        for (_, place, rows) in self.terms() {
            let (setting, _) = place.find(results, at, rows)?;
            let setting = results.setting(setting);
            if !hardware.contains(&setting.named_device()) {
                hardware.push(setting.named_device());
            }
            software = software.or(setting.is_on_software_device().then_some(&setting.device_name));
        }
        let left_out = answer.left_out.clone().or_else(|| {
            software.map(|name| format!("{name} computes on the processor, which is no evidence about graphics cards"))
        });
        Ok(Answer { p: answer.p.filter(|_| left_out.is_none()), hardware, left_out, ..answer })
    }

    fn answer_on(&self, results: &Results, at: At<'_>) -> Result<Answer, String> {
        let (setting, _) = self.first.find(results, at, self.first.rows)?;
        let primary = results.setting(setting).primary();
        let metric = match self.metric.as_str() {
            "primary" | GAP | LOSS_FALL => primary,
            name => metric(name).ok_or_else(|| format!("there is no metric '{name}'"))?,
        };
        let sign = match (self.is, metric.better) {
            (Relation::Better, _) if self.is_of_seeds() => 1.0,
            (Relation::Above, _) | (Relation::Better, Better::Higher) => 1.0,
            (Relation::Below, _) | (Relation::Better, Better::Lower) => -1.0,
        };
        if !self.is_of_seeds() && metric.score.is_none() {
            return self.ask_seeds(results, at, metric, sign);
        }
        let answer = match self.is_of_seeds() {
            true => self.ask_seeds(results, at, metric, sign)?,
            false => self.ask_scores(results, at, metric, sign)?,
        };
        // A score on rows that are known from pretraining is no evidence. What it costs is.
        if self.is_seen(results, at)? {
            return Ok(Answer { p: None, left_out: Some(SEEN.to_owned()), ..answer });
        }
        Ok(answer)
    }

    /// Whether each seed has one number of it, of which differences are taken.
    fn is_of_seeds(&self) -> bool {
        [GAP, LOSS_FALL].contains(&self.metric.as_str())
    }

    /// Whether a model of either side saw the task in pretraining.
    fn is_seen(&self, results: &Results, at: At<'_>) -> Result<bool, String> {
        for (_, place, rows) in self.terms() {
            let (_, cell) = place.find(results, at, rows)?;
            if cell.is_seen_in_pretraining() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// That no seed has a number of this metric on all sides.
    fn no_seed(&self, metric: &str) -> String {
        match self.second {
            Some(_) => format!("its sides share no seed with {metric}"),
            None => format!("no seed has {metric}"),
        }
    }

    /// The terms of the comparison, each with its factor.
    fn terms(&self) -> Vec<(f64, &Place, Rows)> {
        let sides = [Some((1.0, &self.first)), self.second.as_ref().map(|second| (-1.0, second))];
        let sides = sides.into_iter().flatten();
        if self.grows {
            return sides.flat_map(|(f, place)| [(f, place, Rows::Most), (-f, place, Rows::Fewest)]).collect();
        }
        sides.map(|(factor, place)| (factor, place, place.rows)).collect()
    }

    fn ask_scores(&self, results: &Results, at: At<'_>, metric: &'static Metric, sign: f64) -> Result<Answer, String> {
        let rules = metric.score.as_ref();
        let rules = rules.ok_or_else(|| format!("{} is no score", metric.name))?;
        let mut terms = Vec::new();
        for (factor, place, rows) in self.terms() {
            let (setting, cell) = place.find(results, at, rows)?;
            let scored = Scored::by(metric.name, rules, results.setting(setting), cell, &results.answers);
            place.is_whole(metric.name, scored.keys().len(), cell)?;
            terms.push((factor, scored));
        }
        let contrast = Contrast::new(terms).ok_or_else(|| self.no_seed(metric.name))?;
        let found = contrast.uncertainty();
        let threshold = self.value.unwrap_or(0.0);
        let difference = contrast.value() - threshold;
        let p = self.value.map_or(found.p, |value| contrast.p(value, &found));
        Ok(Answer {
            effect: sign * difference,
            shown: contrast.value(),
            interval: found.interval,
            is_ratio: false,
            p,
            seeds: found.seeds,
            rows: found.rows,
            inference: found.inference.map(|inference| Inference { value: sign * difference, ..inference }),
            variances: found.variances,
            unpaired: contrast.unpaired(),
            left_out: None,
            hardware: Vec::new(),
        })
    }

    /// Compares numbers of which each seed has one: costs by the logarithm of their ratio, gaps
    /// and falls by their difference.
    fn ask_seeds(&self, results: &Results, at: At<'_>, metric: &Metric, sign: f64) -> Result<Answer, String> {
        let is_difference = self.is_of_seeds();
        let mut sums: Option<BTreeMap<u64, f64>> = None;
        let mut sources: BTreeSet<&str> = BTreeSet::new();
        let mut calls: BTreeSet<usize> = BTreeSet::new();
        for (factor, place, rows) in self.terms() {
            let (setting, cell) = place.find(results, at, rows)?;
            let numbers = match self.metric.as_str() {
                GAP => gaps(results.setting(setting), cell),
                LOSS_FALL => falls(results, cell),
                name if self.largest_calls => {
                    let (size, numbers) = in_largest_calls(results, setting, name, cell)?;
                    calls.insert(size);
                    numbers
                }
                _ => costs(metric, cell, &mut sources)?,
            };
            if is_difference {
                let what = if self.metric == GAP { "a gap" } else { "losses of several epochs" };
                place.is_whole(what, numbers.len(), cell)?;
            }
            sums = Some(match sums {
                None => numbers.into_iter().map(|(seed, number)| (seed, factor * number)).collect(),
                Some(sums) => {
                    let both =
                        sums.into_iter().filter_map(|(seed, sum)| Some((seed, sum + factor * numbers.get(&seed)?)));
                    both.collect()
                }
            });
        }
        if sources.len() > 1 {
            let sources: Vec<&str> = sources.into_iter().collect();
            return Err(format!("{} is from {}, which are not compared", self.metric, sources.join(" and ")));
        }
        if calls.len() > 1 {
            let sizes: Vec<String> = calls.iter().map(usize::to_string).collect();
            return Err(format!("its largest calls have {} examples, which are not compared", sizes.join(" and ")));
        }
        let sums: Vec<f64> = sums.unwrap_or_default().into_values().collect();
        let n = sums.len() as f64;
        if sums.is_empty() {
            return Err(self.no_seed(&self.metric));
        }
        let mean = sums.iter().sum::<f64>() / n;
        let variance = sums.iter().map(|sum| (sum - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let threshold = self.value.map_or(0.0, |value| if is_difference { value } else { value.ln() });
        let inference = Inference::new(mean, (variance / n).sqrt(), n - 1.0);
        let shown = |x: f64| if is_difference { x } else { x.exp() };
        Ok(Answer {
            effect: sign * (mean - threshold),
            shown: shown(mean),
            interval: inference
                .map(|found| found.interval())
                .map(|i| Interval { low: shown(i.low), high: shown(i.high) }),
            is_ratio: !is_difference,
            p: inference.map(|found| found.p(threshold)),
            seeds: sums.len(),
            rows: 0,
            inference: inference.map(|found| Inference { value: sign * (mean - threshold), ..found }),
            variances: (sums.len() > 1).then_some((variance, 0.0)),
            unpaired: None,
            left_out: None,
            hardware: Vec::new(),
        })
    }
}

impl Place {
    /// Checks that every seed has the score, if any has. The mean over some of them is that of another experiment.
    fn is_whole(&self, metric: &str, scored: usize, cell: &Cell) -> Result<(), String> {
        if scored == cell.trials.len() || scored == 0 {
            return Ok(());
        }
        let of = count(cell.trials.len(), "seed");
        Err(format!("{} on {} has {metric} for {scored} of {of}", self.model, self.task))
    }

    /// The cell of a run on this device and machine.
    fn find<'a>(&self, results: &'a Results, at: At<'_>, rows: Rows) -> Result<(usize, &'a Cell), String> {
        let grid = &results.grid;
        let label = grid.labels.iter().position(|label| *label == self.model);
        let label = label.ok_or_else(|| format!("it has no model '{}'", self.model))?;
        let with_all_rows = format!("{}-full", self.task);
        let is_task = |task: &str| task == self.task || task == with_all_rows;
        let is_there = |setting: &Setting| match &self.device {
            Some(device) if at == ANY_MACHINE => setting.device == *device,
            _ => (setting.device.as_str(), setting.machine.as_str()) == at,
        };
        if let Some(device) = self.device.as_ref().filter(|_| at == ANY_MACHINE) {
            // Which processor feeds which card is not known if there are several.
            let settings = grid.settings.iter().filter(|setting| is_there(setting));
            let machines: BTreeSet<&str> = settings.map(|setting| setting.machine.as_str()).collect();
            if machines.len() > 1 {
                return Err(format!("its cases on {device} are of several machines, which are not compared"));
            }
        }
        let is_of = |setting: &Setting| {
            is_there(setting)
                && is_task(&setting.task.name)
                && setting.label_noise == self.label_noise
                && setting.folds.is_none()
        };
        // Those of the plan, so that a size whose case is still to come is not taken for a smaller one.
        let planned = results.info.cases.iter().filter(|case| {
            is_task(&case.task) && case.label_noise == self.label_noise && case.folds.is_none() && case.trial.is_none()
        });
        let sizes: BTreeSet<usize> = planned.map(|case| case.train_size).collect();
        let size = match rows {
            Rows::Exactly(rows) => Some(rows),
            Rows::Most => sizes.last().copied(),
            Rows::Fewest if sizes.len() < 2 => {
                return Err(format!("it has not several training sizes of {}", self.task));
            }
            Rows::Fewest => sizes.first().copied(),
        };
        let found = size.and_then(|size| {
            let mut settings = (0..grid.settings.len()).filter(|&setting| is_of(&grid.settings[setting]));
            let setting = settings.find(|&setting| grid.settings[setting].train_size == size)?;
            Some((setting, grid.cell(setting, label)?))
        });
        let (setting, cell) = found.ok_or_else(|| {
            let rows = size.map_or(String::new(), |size| format!(" with {}", count(size, "row")));
            let device = self.device.as_ref().map_or(String::new(), |device| format!(" on the device {device}"));
            format!("it has no finished case of {} on {}{rows}{device}", self.model, self.task)
        })?;
        if cell.trials.len() < cell.planned {
            let (done, planned) = (cell.trials.len(), cell.planned);
            return Err(format!(
                "{} on {} has {done} of {planned} planned cases on this machine",
                self.model, self.task
            ));
        }
        if !matches!(cell.status, Status::Ok | Status::BelowFloor) {
            return Err(format!("{} on {} did not end well on every seed ({})", self.model, self.task, cell.status));
        }
        Ok((setting, cell))
    }
}

/// The goodness on training rows less that on test rows, by seed.
fn gaps(setting: &Setting, cell: &Cell) -> BTreeMap<u64, f64> {
    let primary = setting.primary();
    let of_train = format!("{}_train", primary.name);
    let gap = |trial: &crate::cell::Trial| {
        let (train, test) = (trial.get("score", &of_train)?, trial.get("score", primary.name)?);
        Some((trial.seed, primary.better.goodness(train.value) - primary.better.goodness(test.value)))
    };
    cell.trials.iter().filter_map(gap).collect()
}

/// The smallest fall of the training loss from an epoch to the next, by seed; none for a fit of one epoch.
fn falls(results: &Results, cell: &Cell) -> BTreeMap<u64, f64> {
    let smallest = |trial: &crate::cell::Trial| {
        let losses: Vec<f64> = results.curves.get(&trial.case)?.iter().map(|epoch| epoch.train_loss).collect();
        let falls = losses.windows(2).map(|pair| pair[0] - pair[1]);
        Some((trial.seed, falls.reduce(f64::min)?))
    };
    cell.trials.iter().filter_map(smallest).collect()
}

/// The largest calls of a cell, and the logarithm of their number by seed. An estimate decides nothing, nor does a card without the
/// processor that feeds it.
fn in_largest_calls(
    results: &Results,
    setting: usize,
    metric: &str,
    cell: &Cell,
) -> Result<(usize, BTreeMap<u64, f64>), String> {
    let quantity =
        PerPrediction::of_metric(metric).ok_or_else(|| format!("calls of several sizes have no {metric}"))?;
    let device = &results.setting(setting).device;
    let line = quantity.line(&results.grid, setting, cell);
    let line = line.ok_or_else(|| format!("calls of several sizes on {device} have no {metric}"))?;
    if !line.decides {
        return Err(if line.sources == [ESTIMATE] {
            format!("{metric} on {device} is an estimate, which decides nothing")
        } else {
            format!("{metric} on {device} is that of the card without the processor")
        });
    }
    line.numbers.into_iter().next_back().ok_or_else(|| format!("calls of several sizes on {device} have no {metric}"))
}

/// The logarithm of a cost, by seed. An estimate decides nothing. Adds the sources of the numbers.
fn costs<'a>(metric: &Metric, cell: &'a Cell, sources: &mut BTreeSet<&'a str>) -> Result<BTreeMap<u64, f64>, String> {
    let phase = metric.columns.first().map_or("", |column| column.phase);
    let mut costs = BTreeMap::new();
    for trial in &cell.trials {
        match trial.get(phase, metric.name) {
            Some(value) if value.source == ESTIMATE => {
                return Err(format!("{} is an estimate, which decides nothing", metric.name));
            }
            Some(value) if value.value > 0.0 => {
                sources.insert(&value.source);
                costs.insert(trial.seed, value.value.ln());
            }
            _ => {}
        }
    }
    Ok(costs)
}
