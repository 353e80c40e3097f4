//! The same model on several devices: what a prediction takes, by the number of examples in a call.

use std::collections::{BTreeMap, BTreeSet};

use crate::cell::{Cell, ESTIMATE, origin};
use crate::format::{si, significant};
use crate::grid::Grid;
use crate::metric::{Better, metric};
use crate::setting::{Setting, name_settings};

/// The phase of calls of several sizes, and the condition that has the size.
pub(crate) const PHASE: &str = "batch-size";
pub(crate) const CONDITION: &str = "batch";

/// The meter of NVIDIA's cards.
const OF_CARDS: &str = "nvml";
/// The meters of processors, the best first.
const OF_PROCESSORS: [&str; 2] = ["rapl", "rapl-virtual"];

/// What calls of several sizes record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PerPrediction {
    /// Predictions per second.
    Throughput,
    /// Joules of one prediction, of the device and of the processor that feeds it.
    Energy,
}

/// The numbers of a cell: the size of a call, and for each seed the logarithm of its number.
pub(crate) type BySize = BTreeMap<usize, BTreeMap<u64, f64>>;

/// A model on one device.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeviceLine<'a> {
    /// The index of its setting.
    pub(crate) setting: usize,
    pub(crate) numbers: BySize,
    /// The sources that were added up.
    pub(crate) sources: Vec<&'a str>,
    /// Whether the numbers may be compared with those of another device: an estimate may not, and a card without the processor
    /// that feeds it is not the whole.
    pub(crate) decides: bool,
}

/// A model on several devices, with everything else the same.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelOnDevices<'a> {
    pub(crate) label: usize,
    /// What the settings have in common, in words.
    pub(crate) title: String,
    /// In the order of the plan.
    pub(crate) lines: Vec<DeviceLine<'a>>,
}

impl PerPrediction {
    pub(crate) const ALL: [PerPrediction; 2] = [PerPrediction::Throughput, PerPrediction::Energy];

    /// The quantity of this metric; `None` if calls of several sizes do not record it.
    pub(crate) fn of_metric(name: &str) -> Option<PerPrediction> {
        PerPrediction::ALL.into_iter().find(|quantity| quantity.metric() == name)
    }

    pub(crate) fn metric(self) -> &'static str {
        match self {
            PerPrediction::Throughput => "throughput",
            PerPrediction::Energy => "energy_j",
        }
    }

    /// The unit of the labels of its axis.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            PerPrediction::Throughput => "",
            PerPrediction::Energy => "J",
        }
    }

    /// `1530 predictions/s`.
    pub(crate) fn text(self, value: f64) -> String {
        match self {
            PerPrediction::Throughput => format!("{} predictions/s", significant(value, 3)),
            PerPrediction::Energy => format!("{} per prediction", si(value, "J")),
        }
    }

    pub(crate) fn better(self) -> Better {
        metric(self.metric()).expect("the catalogue has both").better
    }

    /// The numbers of a cell; `None` if it has none.
    pub(crate) fn line<'a>(self, grid: &'a Grid, setting: usize, cell: &'a Cell) -> Option<DeviceLine<'a>> {
        let (sources, decides) = self.sources(&grid.settings[setting], cell)?;
        let numbers = numbers(cell, self.metric(), &sources);
        (!numbers.is_empty()).then_some(DeviceLine { setting, numbers, sources, decides })
    }

    /// The sources that are added up, and whether their sum decides anything.
    ///
    /// On a card, the processor works too, so the joules of both count. A software device computes on the processor, whose meter has
    /// all of its joules.
    fn sources<'a>(self, setting: &Setting, cell: &'a Cell) -> Option<(Vec<&'a str>, bool)> {
        let trials = cell.trials.iter();
        let values = trials.flat_map(|trial| trial.under(PHASE, self.metric(), CONDITION));
        let found: BTreeSet<&str> = values.map(|(_, value)| value.source.as_str()).collect();
        let known = |source: &str| found.get(source).copied();
        if self == PerPrediction::Throughput {
            return found.first().map(|source| (vec![*source], true));
        }
        let measured = OF_PROCESSORS.into_iter().find_map(known);
        match (setting.is_on_card(), measured) {
            (true, processor) => {
                let card = known(OF_CARDS)?;
                Some(([card].into_iter().chain(processor).collect(), processor.is_some()))
            }
            (false, Some(processor)) => Some((vec![processor], true)),
            (false, None) => known(ESTIMATE).map(|estimate| (vec![estimate], false)),
        }
    }
}

impl DeviceLine<'_> {
    /// The size of each call with the geometric mean over seeds.
    pub(crate) fn means(&self) -> impl Iterator<Item = (usize, f64)> {
        self.numbers.iter().map(|(size, logs)| (*size, (logs.values().sum::<f64>() / logs.len() as f64).exp()))
    }

    /// `measured by NVML and by RAPL`.
    pub(crate) fn origin(&self) -> String {
        let origins: Vec<&str> = self.sources.iter().map(|source| origin(source)).collect();
        origins.join(" and ").replace(" and measured by", " and by")
    }
}

/// The numbers of the trials that have them from all of these sources, added up. A seed with several folds has their mean.
fn numbers(cell: &Cell, metric: &str, sources: &[&str]) -> BySize {
    let mut folds: BTreeMap<usize, BTreeMap<u64, Vec<f64>>> = BTreeMap::new();
    for trial in &cell.trials {
        let mut sums: BTreeMap<usize, (usize, f64)> = BTreeMap::new();
        let values = trial.under(PHASE, metric, CONDITION);
        for (size, value) in values.filter(|(_, value)| sources.contains(&value.source.as_str())) {
            let (count, sum) = sums.entry(size as usize).or_default();
            (*count, *sum) = (*count + 1, *sum + value.value);
        }
        for (size, (count, sum)) in sums {
            // A call of no example is none, and 0 has no logarithm.
            if size > 0 && count == sources.len() && sum > 0.0 {
                folds.entry(size).or_default().entry(trial.seed).or_default().push(sum.ln());
            }
        }
    }
    let mean = |logs: Vec<f64>| logs.iter().sum::<f64>() / logs.len() as f64;
    let of_seeds = |seeds: BTreeMap<u64, Vec<f64>>| seeds.into_iter().map(|(seed, logs)| (seed, mean(logs))).collect();
    folds.into_iter().map(|(size, seeds)| (size, of_seeds(seeds))).collect()
}

/// The models that have numbers of calls of several sizes on several devices, in the order of the plan.
pub(crate) fn models_on_devices(grid: &Grid, quantity: PerPrediction) -> Vec<ModelOnDevices<'_>> {
    let mut groups: Vec<(Setting, Vec<usize>)> = Vec::new();
    for (index, setting) in grid.settings.iter().enumerate() {
        match groups.iter_mut().find(|(other, _)| other.is_same_but_for_device(setting)) {
            Some((_, members)) => members.push(index),
            None => groups.push((setting.anywhere(), vec![index])),
        }
    }
    let (mut common, members): (Vec<Setting>, Vec<Vec<usize>>) = groups.into_iter().unzip();
    name_settings(&mut common);
    let mut models = Vec::new();
    for (common, settings) in common.iter().zip(&members) {
        for label in 0..grid.labels.len() {
            let line = |setting: &usize| quantity.line(grid, *setting, grid.cell(*setting, label)?);
            let lines = settings.iter().filter_map(line).filter(|line| line.numbers.len() > 1);
            let lines: Vec<DeviceLine<'_>> = lines.collect();
            let devices: BTreeSet<&str> =
                lines.iter().map(|line| grid.settings[line.setting].device.as_str()).collect();
            if devices.len() > 1 {
                models.push(ModelOnDevices { label, title: common.title.clone(), lines });
            }
        }
    }
    models
}
