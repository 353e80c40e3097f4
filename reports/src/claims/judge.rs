//! Verdicts: what the rules of claims say of the rows of runs.

use crate::comparison::ALPHA;
use crate::contrast::Unpaired;
use crate::remedy::{self, FEWEST_SEEDS};
use crate::results::Results;
use crate::setting::{PROCESSOR, is_software};
use crate::statistics::{EffectOfTwoSources, Interval, holm};

use super::part::{Answer, Question};
use super::registry::Claim;

/// What would decide if it is not known how many of which are needed.
const MORE_OF_BOTH: &str = "more seeds and more test rows";

/// More seeds than anybody runs.
const MOST_SEEDS: u64 = 1_000;

/// More test rows than anybody has.
const MOST_ROWS: u64 = 10_000_000;

/// What a rule says of a claim, or of one comparison of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is so.
    Supported,
    /// It is not so.
    Refuted,
    /// It was measured, and the interval is too wide to tell.
    Undecided,
    /// Nothing was measured that could tell.
    NotMeasured,
}

impl Verdict {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Supported => "supported",
            Verdict::Refuted => "refuted",
            Verdict::Undecided => "undecided",
            Verdict::NotMeasured => "not measured",
        }
    }
}

/// A claim with its verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The claim.
    pub claim: Claim,
    /// The verdict.
    pub verdict: Verdict,
    /// The comparisons from which it follows, in the order of the rule.
    pub findings: Vec<Finding>,
}

impl Judged {
    /// Whether any of its comparisons was measured.
    pub(crate) fn is_measured(&self) -> bool {
        self.findings.iter().any(|finding| finding.effect.is_some())
    }
}

/// One comparison of a claim.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What is compared, as the claim says that it comes out.
    pub what: String,
    /// The verdict on it.
    pub verdict: Verdict,
    /// The difference of both sides, or for costs their ratio; `None` if it was not measured.
    pub effect: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<Interval>,
    /// Whether the effect is a ratio.
    pub is_ratio: bool,
    /// The two-sided p, not adjusted.
    pub p: Option<f64>,
    /// How many seeds both sides have.
    pub seeds: usize,
    /// How many test rows each seed answered; 0 if the numbers are not of rows, or if the sides answered other rows.
    pub rows: usize,
    /// The run.
    pub run: String,
    /// Why it was not measured, or what would decide it; empty if it is decided.
    pub remedy: String,
    /// Whether it is left out of the verdict: a model saw the training rows in pretraining, or a device is no card.
    pub is_left_out: bool,
}

/// Judges claims by runs. A comparison is looked for in the runs in their order, and only in those of the claim's suites, because a
/// rule is for the experiment that was chosen with it. Both of its sides come from one run.
///
/// A comparison is as claimed if its effect is in the claimed direction with p < 0.05. It is not so if its effect is in the other
/// direction with p < 0.05 after Holm's adjustment over the comparisons of the claim, because one of many that comes out wrong by
/// chance refutes a claim about all of them. In a claim about most of its comparisons, both directions are adjusted. Fewer than three seeds decide nothing: the spread of one is
/// unknown, and tests of two find too many differences (docs/methodology.md).
///
/// A comparison of scores is left out of the verdict if a model of it saw the task's training rows in pretraining.
pub fn judge(claims: &[Claim], runs: &[&Results]) -> Vec<Judged> {
    claims.iter().map(|claim| judge_claim(claim, runs)).collect()
}

fn judge_claim(claim: &Claim, runs: &[&Results]) -> Judged {
    let cards = cards(claim, runs);
    let questions: Vec<Question> = claim.parts.iter().flat_map(|part| part.questions(&cards)).collect();
    let answers: Vec<Result<(Answer, &Results), String>> =
        questions.iter().map(|question| ask(claim, question, runs)).collect();
    let tested: Vec<f64> = answers.iter().filter_map(|answer| answer.as_ref().ok()?.0.p).collect();
    let mut adjusted = holm(&tested).into_iter();
    let findings: Vec<Finding> = questions
        .iter()
        .zip(&answers)
        .map(|(question, answer)| match answer {
            Err(reason) => not_measured(question, reason),
            Ok((answer, run)) => {
                let adjusted = answer.p.and_then(|_| adjusted.next());
                // That all hold is one statement. That most hold is one of many, of which some might hold by chance.
                let to_support = if claim.most.is_some() { adjusted } else { answer.p };
                measured(question, answer, (to_support, adjusted), &run.info.run)
            }
        })
        .collect();
    Judged { verdict: verdict(claim, &findings), claim: claim.clone(), findings }
}

/// The devices of the claim's runs other than the processor, each once. Software devices are among them only if there is nothing else,
/// because they are no cards.
fn cards(claim: &Claim, runs: &[&Results]) -> Vec<String> {
    let (mut cards, mut software) = (Vec::new(), Vec::new());
    for run in runs.iter().filter(|run| claim.suites.contains(&run.info.suite)) {
        for device in run.info.devices.iter().filter(|device| device.device != PROCESSOR) {
            let found = if is_software(&device.name) { &mut software } else { &mut cards };
            if !found.contains(&device.device) {
                found.push(device.device.clone());
            }
        }
    }
    if cards.is_empty() { software } else { cards }
}

/// The answer of the first run that has one. One that is left out of the verdict is taken only if no other run has any.
fn ask<'a>(claim: &Claim, question: &Question, runs: &[&'a Results]) -> Result<(Answer, &'a Results), String> {
    let (mut reason, mut left_out) = (None, None);
    for run in runs.iter().filter(|run| claim.suites.contains(&run.info.suite)) {
        match question.ask(run) {
            Ok(answer) if answer.left_out.is_some() => drop(left_out.get_or_insert((answer, *run))),
            Ok(answer) => return Ok((answer, run)),
            Err(found) => drop(reason.get_or_insert((*run, found))),
        }
    }
    if let Some(answer) = left_out {
        return Ok(answer);
    }
    Err(match reason {
        None => claim.remedy(runs),
        Some((run, found)) if question.is_unfinished(run) => {
            format!("bakeoff resume on its folder (run {}: {found})", run.info.run)
        }
        Some((run, found)) => format!("{} (run {}: {found})", claim.remedy(runs), run.info.run),
    })
}

impl Claim {
    /// What to run, beside these runs.
    pub(crate) fn remedy(&self, runs: &[&Results]) -> String {
        let is_run = |suite: &&String| runs.iter().any(|run| run.info.suite == **suite);
        match self.suites.iter().find(|suite| !is_run(suite)).or(self.suites.last()) {
            Some(suite) => format!("bakeoff run {suite}"),
            None => format!("waits for {}", self.waits_for),
        }
    }
}

fn not_measured(question: &Question, reason: &str) -> Finding {
    Finding {
        what: question.words(),
        verdict: Verdict::NotMeasured,
        effect: None,
        interval: None,
        is_ratio: false,
        p: None,
        seeds: 0,
        rows: 0,
        run: String::new(),
        remedy: reason.to_owned(),
        is_left_out: false,
    }
}

/// `to_support` and `to_refute` are the p that the comparison is judged by.
fn measured(
    question: &Question,
    answer: &Answer,
    (to_support, to_refute): (Option<f64>, Option<f64>),
    run: &str,
) -> Finding {
    let is_small = |p: Option<f64>| answer.seeds >= FEWEST_SEEDS && p.is_some_and(|p| p < ALPHA);
    let verdict = match answer.effect {
        _ if answer.left_out.is_some() => Verdict::NotMeasured,
        effect if effect > 0.0 && is_small(to_support) => Verdict::Supported,
        effect if effect < 0.0 && is_small(to_refute) => Verdict::Refuted,
        _ => Verdict::Undecided,
    };
    let remedy = match (verdict, &answer.left_out) {
        (Verdict::Undecided, _) => what_would_decide(answer),
        (Verdict::NotMeasured, Some(reason)) => format!("{reason}, so it is left out of the verdict"),
        _ => String::new(),
    };
    let hardware =
        if answer.hardware.is_empty() { String::new() } else { format!(" ({})", answer.hardware.join("; ")) };
    Finding {
        what: format!("{}{hardware}", question.words()),
        verdict,
        effect: Some(answer.shown),
        interval: answer.interval,
        is_ratio: answer.is_ratio,
        p: answer.p,
        seeds: answer.seeds,
        rows: answer.rows,
        run: run.to_owned(),
        remedy,
        is_left_out: answer.left_out.is_some(),
    }
}

/// The verdict on a claim from those on its comparisons.
fn verdict(claim: &Claim, findings: &[Finding]) -> Verdict {
    let findings: Vec<&Finding> = findings.iter().filter(|finding| !finding.is_left_out).collect();
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count() as f64;
    let all = findings.len() as f64;
    // Whether so many of the comparisons are enough.
    let suffice = |holding: f64| match claim.most {
        Some(share) => holding > share * all,
        None => holding == all,
    };
    if findings.is_empty() {
        Verdict::NotMeasured
    } else if suffice(count(Verdict::Supported)) {
        Verdict::Supported
    } else if !suffice(all - count(Verdict::Refuted)) {
        Verdict::Refuted
    } else if count(Verdict::NotMeasured) > 0.0 {
        Verdict::NotMeasured
    } else {
        Verdict::Undecided
    }
}

/// How many seeds or rows would show the effect that was seen, if it is as large as it looks.
fn what_would_decide(answer: &Answer) -> String {
    if answer.seeds < FEWEST_SEEDS {
        return remedy::SEEDS.to_owned();
    }
    match answer.unpaired {
        Some(Unpaired::NoAnswers) => return remedy::PREDICTIONS.to_owned(),
        Some(Unpaired::OtherRows) => return remedy::SAME_ROWS.to_owned(),
        None => {}
    }
    // Where each seed has test rows of its own, the two parts of the variance are not known apart.
    let Some((var_seed, var_row)) = answer.variances else {
        return MORE_OF_BOTH.to_owned();
    };
    let Some(inference) = answer.inference else {
        return remedy::VARIATION.to_owned();
    };
    let (seeds, rows) = (answer.seeds as u64, answer.rows.max(2) as u64);
    // What depends on seed and row together shrinks with the seeds, as the variance of seeds does.
    let var_seed = var_seed.max((inference.error.powi(2) - var_row / rows as f64) * seeds as f64);
    let effect = EffectOfTwoSources { effect: answer.effect, var_seed, var_row };
    match (effect.seeds_needed(rows), effect.rows_needed(seeds)) {
        (Some(needed), _) if needed <= MOST_SEEDS => format!("about {} seeds", needed.max(seeds + 1)),
        (_, Some(needed)) if answer.rows > 0 && needed <= MOST_ROWS => {
            format!("about {} test rows", needed.max(rows + 1))
        }
        _ => MORE_OF_BOTH.to_owned(),
    }
}
