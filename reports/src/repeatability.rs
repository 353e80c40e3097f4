//! How well latencies repeat: the rounds of one model, each in a process of its own.

use crate::cell::{Trial, is_of_round};
use crate::format::{listed, si, significant};
use crate::grid::Grid;

/// Latencies that differ by no more than this share of the lower one are taken to be the same.
const SAME_WITHIN: f64 = 0.05;

/// What explains why latencies do not repeat: a metric of noise, with what it is and the factor and unit in which it is shown.
const NOISE: [(&str, &str, f64, &str); 3] = [
    ("steal_share", "processor time that went to other virtual machines", 100.0, " %"),
    ("load", "processors that other programs kept busy", 1.0, ""),
    ("involuntary_per_s", "how often a second threads had to wait for a processor", 1.0, ""),
];

/// A warning about the models of a setting whose median latency is not the same in all rounds, and what the machine showed meanwhile.
/// `None` if all are, or if there was one round only.
pub(crate) fn not_repeated(grid: &Grid, setting: usize) -> Option<String> {
    let mut models = Vec::new();
    let mut meanwhile: Vec<&Trial> = Vec::new();
    for (label, cell) in grid.row(setting) {
        let ranges = cell.trials.iter().filter_map(|trial| Some((trial, range(trial)?)));
        let unlike: Vec<(&Trial, Range)> = ranges.filter(|(_, range)| !range.is_same()).collect();
        let widest = unlike.iter().map(|(_, range)| range).max_by(|one, other| one.ratio().total_cmp(&other.ratio()));
        if let Some(widest) = widest {
            models.push(format!("{} ({} to {})", grid.labels[label], si(widest.least, "s"), si(widest.most, "s")));
            meanwhile.extend(unlike.iter().map(|(trial, _)| trial));
        }
    }
    let noise = NOISE.iter().filter_map(|(metric, what, factor, unit)| {
        let most = meanwhile.iter().flat_map(|trial| served(trial, metric)).reduce(f64::max)?;
        Some(format!("{what}: at most {}{unit}", significant(most * factor, 2)))
    });
    let noise: Vec<String> = noise.collect();
    let shown =
        if noise.is_empty() { String::new() } else { format!(" Meanwhile, the system showed {}.", noise.join("; ")) };
    (!models.is_empty()).then(|| {
        format!(
            "The p50 of {} differs by more than 5 % between rounds of the same model.{shown} Differences of this size between models say \
             nothing. `bakeoff doctor --noise` tells what this machine can resolve.",
            listed(&models)
        )
    })
}

/// The least and the largest number of several rounds.
struct Range {
    least: f64,
    most: f64,
}

impl Range {
    fn ratio(&self) -> f64 {
        self.most / self.least
    }

    fn is_same(&self) -> bool {
        self.ratio() <= 1.0 + SAME_WITHIN
    }
}

/// The median latencies of the rounds of a case; `None` if there was one round only.
fn range(trial: &Trial) -> Option<Range> {
    let is_median = |phase: &str, metric: &str| phase == "predict-single" && metric == "latency_p50_s";
    let medians = trial.values.iter().filter(|value| is_median(&value.phase, &value.metric));
    let medians: Vec<f64> = medians.filter(|value| is_of_round(&value.conditions)).map(|value| value.value).collect();
    let [least, most] = [f64::min, f64::max].map(|either| medians.iter().copied().reduce(either));
    Some(Range { least: least?, most: most? })
}

/// The numbers of a metric of noise while the model was served.
fn served<'a>(trial: &'a Trial, metric: &'a str) -> impl Iterator<Item = f64> + 'a {
    trial.values.iter().filter(move |value| value.phase == "serve" && value.metric == metric).map(|value| value.value)
}
