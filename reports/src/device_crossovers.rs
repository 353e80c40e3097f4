//! From how many examples in a call on another device is ahead.

use std::collections::BTreeMap;

use crate::cost_ratio::interval_of_logs;
use crate::devices::{BySize, DeviceLine, ModelOnDevices, PerPrediction, models_on_devices};
use crate::extra_tables::ExtraTable;
use crate::format::{count, ratio, significant};
use crate::grid::Grid;
use crate::remedy::FEWEST_SEEDS;
use crate::results::Results;
use crate::setting::Setting;
use crate::statistics::{Interval, corrected, holds_until};
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};

/// Between two sizes of a call, at how many places the difference of two devices is tested for the ends of an interval.
const STEPS: usize = 32;

/// Two devices with the same model. The winner is the one that is ahead in the largest calls that both were measured with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DevicePair {
    /// The setting of the device that is ahead in the largest calls.
    pub(crate) winner: usize,
    /// The setting of the other device.
    pub(crate) other: usize,
    /// The sizes of calls that both have, ascending; at least two.
    pub(crate) sizes: Vec<usize>,
    /// How many seeds both have.
    pub(crate) seeds: usize,
    /// The winner's number divided by the other's, in the smallest and in the largest calls.
    pub(crate) ratios: [(f64, Option<Interval>); 2],
    /// From which size on the winner is ahead; `None` if it is at every size.
    pub(crate) crossover: Option<DeviceCrossover>,
}

/// Where the lines of two devices cross for the last time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DeviceCrossover {
    /// The size of the call.
    pub(crate) size: f64,
    /// What both devices do there: the throughput, or the joules of a prediction.
    pub(crate) value: f64,
    /// Its 95 % interval; `None` with fewer than three seeds.
    pub(crate) interval: Option<OpenInterval>,
}

/// An interval of which an end may be beyond what was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OpenInterval {
    /// `None` if the other device is not significantly ahead at any smaller size.
    pub(crate) low: Option<f64>,
    /// `None` if the winner is not significantly ahead in the largest calls.
    pub(crate) high: Option<f64>,
}

impl ModelOnDevices<'_> {
    /// All pairs of devices, each device on one machine, and with numbers that may be compared.
    pub(crate) fn pairs(&self, grid: &Grid, quantity: PerPrediction) -> Vec<DevicePair> {
        let device = |line: &DeviceLine<'_>| grid.settings[line.setting].device.as_str();
        // Which processor feeds which card is not known if there are several machines.
        let is_single =
            |line: &&DeviceLine<'_>| self.lines.iter().filter(|other| device(other) == device(line)).count() == 1;
        let lines: Vec<&DeviceLine<'_>> = self.lines.iter().filter(|line| line.decides).filter(is_single).collect();
        let later = |nth: usize| lines[nth + 1..].iter().map(move |other| (nth, *other));
        let pairs = (0..lines.len()).flat_map(later);
        pairs.filter_map(|(nth, other)| pair(lines[nth], other, quantity)).collect()
    }
}

/// The comparison of two devices. `None` without two sizes that both have been measured with on the same seeds.
///
/// The lines are straight over the logarithm of the size and of the number, between the measured sizes. Each seed has one difference of
/// logarithms at a size, and differences of seeds are the sample of Student's t. The interval goes from the last size
/// at which the other device is significantly ahead to the first one from which on the winner is at every size (Fieller 1954,
/// "Some problems in interval estimation", J. R. Stat. Soc. B 16).
fn pair(one: &DeviceLine<'_>, other: &DeviceLine<'_>, quantity: PerPrediction) -> Option<DevicePair> {
    let (first, others) = (one.numbers.values().next()?, other.numbers.values().next()?);
    let seeds: Vec<u64> = first.keys().copied().filter(|seed| others.contains_key(seed)).collect();
    let has_all = |numbers: &BySize, size: &usize| {
        numbers.get(size).is_some_and(|logs| seeds.iter().all(|seed| logs.contains_key(seed)))
    };
    let sizes: Vec<usize> = one.numbers.keys().copied().collect();
    let sizes: Vec<usize> =
        sizes.into_iter().filter(|size| has_all(&one.numbers, size) && has_all(&other.numbers, size)).collect();
    if seeds.is_empty() || sizes.len() < 2 {
        return None;
    }
    let log = |line: &DeviceLine<'_>, size: usize, seed: u64| line.numbers[&size][&seed];
    let sum_at_largest: f64 = sizes
        .last()
        .map_or(0.0, |size| seeds.iter().map(|seed| log(one, *size, *seed) - log(other, *size, *seed)).sum());
    let (winner, other) = if quantity.better().goodness(sum_at_largest) >= 0.0 { (one, other) } else { (other, one) };
    let differences = |size: &usize| -> Vec<f64> {
        seeds.iter().map(|seed| log(winner, *size, *seed) - log(other, *size, *seed)).collect()
    };
    let differences: Vec<Vec<f64>> = sizes.iter().map(differences).collect();
    let ratio_of = |logs: &Vec<f64>| {
        let interval = interval_of_logs(logs).filter(|_| logs.len() >= FEWEST_SEEDS);
        (mean(logs).exp(), interval)
    };
    let ratios = [ratio_of(&differences[0]), ratio_of(&differences[differences.len() - 1])];
    let goodness = |logs: Vec<f64>| logs.into_iter().map(|log| quantity.better().goodness(log)).collect();
    let lead = Lead { sizes: &sizes, of_seeds: differences.into_iter().map(goodness).collect() };
    let crossover = lead.begins_at().map(|place| {
        let at = |line: &DeviceLine<'_>| {
            let means: BTreeMap<usize, f64> = line.means().collect();
            lead.between(place, |size| means[&size].ln())
        };
        DeviceCrossover {
            size: lead.size(place),
            value: ((at(winner) + at(other)) / 2.0).exp(),
            interval: (seeds.len() >= FEWEST_SEEDS).then(|| lead.interval(place)),
        }
    });
    Some(DevicePair { winner: winner.setting, other: other.setting, seeds: seeds.len(), ratios, crossover, sizes })
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// How far the winner is ahead: at each size, the difference of logarithms of each seed, above 0 if it is ahead. A place is the index of
/// a size, with a fraction between two.
struct Lead<'a> {
    sizes: &'a [usize],
    of_seeds: Vec<Vec<f64>>,
}

impl Lead<'_> {
    /// The size before a place, and how far the place is from it to the next.
    fn part(&self, place: f64) -> (usize, f64) {
        let part = (place.floor() as usize).min(self.sizes.len() - 2);
        (part, place - part as f64)
    }

    fn size(&self, place: f64) -> f64 {
        self.between(place, |size| (size as f64).ln()).exp()
    }

    /// What a function of the size is at a place, with a straight line between two sizes.
    fn between(&self, place: f64, of_size: impl Fn(usize) -> f64) -> f64 {
        let (part, share) = self.part(place);
        of_size(self.sizes[part]) * (1.0 - share) + of_size(self.sizes[part + 1]) * share
    }

    /// The differences of the seeds at a place.
    fn at(&self, place: f64) -> Vec<f64> {
        let (part, share) = self.part(place);
        let pairs = self.of_seeds[part].iter().zip(&self.of_seeds[part + 1]);
        pairs.map(|(before, after)| before * (1.0 - share) + after * share).collect()
    }

    /// From which place on the mean difference is not below 0; `None` if it is so at every size.
    fn begins_at(&self) -> Option<f64> {
        let means: Vec<f64> = self.of_seeds.iter().map(|logs| mean(logs)).collect();
        let last = means.iter().rposition(|mean| *mean < 0.0)?;
        let next = means.get(last + 1)?;
        Some(last as f64 + means[last] / (means[last] - next))
    }

    /// The interval of the place from which on the winner is ahead.
    fn interval(&self, begins_at: f64) -> OpenInterval {
        let found = |place: f64| corrected(&self.at(place), 0.0).map(|found| found.interval());
        let is_ahead = |place: f64| found(place).is_some_and(|interval| interval.low > 0.0);
        let is_behind = |place: f64| found(place).is_some_and(|interval| interval.high < 0.0);
        let last = self.sizes.len() as f64 - 1.0;
        let steps = (self.sizes.len() - 1) * STEPS;
        let low = holds_until((begins_at, 0.0), steps, |place| !is_behind(place));
        let high = holds_until((last, begins_at), steps, is_ahead).filter(|high| *high < last);
        OpenInterval { low: low.map(|place| self.size(place)), high: high.map(|place| self.size(place)) }
    }
}

impl DevicePair {
    /// `24.0 [12.0, 40.0]`, `every size` or `24.0 (1 seed, so no interval)`.
    pub(crate) fn begins_text(&self) -> String {
        let Some(crossover) = self.crossover else {
            return "every size".to_owned();
        };
        let size = |size: f64| significant(size, 3);
        let (smallest, largest) = (self.sizes[0], self.sizes[self.sizes.len() - 1]);
        match crossover.interval {
            None => format!("{} ({}, so no interval)", size(crossover.size), count(self.seeds, "seed")),
            Some(OpenInterval { low, high }) => {
                let low = low.map_or(format!("below {smallest}"), size);
                let high = high.map_or(format!("above {largest}"), size);
                format!("{} [{low}, {high}]", size(crossover.size))
            }
        }
    }
}

const RULE: &str = "The same model on two devices, with everything else the same. The first device is the one that is ahead in the largest \
    calls: it predicts more per second, or takes fewer joules for a prediction. The crossover is the number of examples in a call from \
    which on it is ahead at every larger size, with straight lines over the logarithms of both axes between the measured sizes. Its 95 % \
    interval goes from the last size at which the other device is significantly ahead to the first from which on the winner is \
    significantly ahead everywhere (Fieller 1954). Only seeds count, by Student's t over their differences, so fewer than three seeds give \
    no interval. A ratio is that of the first device to the second, the geometric mean over seeds. On a card, the joules are those of the \
    card and of the processor together. An estimate of joules is not compared.";

/// The pairs of devices of the run; `None` if no model was measured on several devices with calls of several sizes.
pub(crate) fn device_table(results: &Results) -> Option<ExtraTable> {
    let columns = vec![
        TableColumn::new("setting", CellKind::Text),
        TableColumn::new("model", CellKind::Name),
        TableColumn::new("of", CellKind::Text),
        TableColumn::new("ahead in the largest calls", CellKind::Text),
        TableColumn::new("other device", CellKind::Text),
        TableColumn::new("ahead from so many examples on", CellKind::Text),
        TableColumn::new("ratio in the smallest calls", CellKind::Text),
        TableColumn::new("ratio in the largest calls", CellKind::Text),
        TableColumn::new("seeds", CellKind::Number),
    ];
    let mut table = Table::new("The same models on several devices", columns);
    let mut settings: Vec<&Setting> = Vec::new();
    for quantity in PerPrediction::ALL {
        for model in models_on_devices(&results.grid, quantity) {
            for pair in model.pairs(&results.grid, quantity) {
                settings.extend([pair.winner, pair.other].map(|setting| results.setting(setting)));
                table.push(Emphasis::Plain, row(results, quantity, &model, &pair));
            }
        }
    }
    (!table.rows.is_empty()).then(|| ExtraTable {
        id: "devices",
        title: "Devices",
        rule: RULE.to_owned(),
        of_run: of_run(&settings),
        table,
    })
}

fn row(results: &Results, quantity: PerPrediction, model: &ModelOnDevices<'_>, pair: &DevicePair) -> Vec<TableCell> {
    let device = |setting: usize| TableCell::Text(results.setting(setting).device.clone());
    let (smallest, largest) = (pair.sizes[0], pair.sizes[pair.sizes.len() - 1]);
    let [first, last] = pair.ratios.map(|(value, interval)| ratio(value, interval));
    let what = match quantity {
        PerPrediction::Throughput => "predictions per second",
        PerPrediction::Energy => "joules per prediction",
    };
    vec![
        TableCell::Text(model.title.clone()),
        TableCell::Text(results.name_in(pair.winner, model.label)),
        TableCell::Text(what.to_owned()),
        device(pair.winner),
        device(pair.other),
        TableCell::Text(pair.begins_text()),
        TableCell::Text(format!("{first} at {smallest}")),
        TableCell::Text(format!("{last} at {largest}")),
        TableCell::Written { value: pair.seeds as f64, text: pair.seeds.to_string() },
    ]
}

/// Which hardware the devices are, each once.
fn of_run(settings: &[&Setting]) -> String {
    let mut named: Vec<String> = settings.iter().map(|setting| setting.named_device()).collect();
    named.sort();
    named.dedup();
    let software = settings.iter().any(|setting| setting.is_on_software_device());
    let remark = if software {
        " A software device computes on the processor, so its numbers say nothing about graphics cards."
    } else {
        ""
    };
    format!(" The devices: {}.{remark}", named.join("; "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZES: [usize; 6] = [1, 4, 16, 64, 256, 1024];

    /// A device on which seeds have these logarithms of predictions per second, at each of the first sizes.
    fn line(setting: usize, of_seeds: &[[f64; 6]]) -> DeviceLine<'static> {
        let at = |place: usize| (1_u64..).zip(of_seeds).map(|(seed, logs)| (seed, logs[place])).collect();
        let numbers = SIZES.iter().enumerate().map(|(place, size)| (*size, at(place))).collect();
        DeviceLine { setting, numbers, sources: vec!["stopwatch"], decides: true }
    }

    fn compared(one: &[[f64; 6]], other: &[[f64; 6]]) -> DevicePair {
        pair(&line(0, one), &line(1, other), PerPrediction::Throughput).expect("they share seeds and sizes")
    }

    const FLAT: [f64; 6] = [0.0; 6];

    #[test]
    fn the_crossover_is_where_straight_lines_over_logarithms_meet() {
        // From 1/e times to e times as much, from 4 to 16 examples.
        let found = compared(&[[-1.0, -1.0, 1.0, 1.0, 1.0, 1.0]], &[FLAT]);
        assert_eq!((found.winner, found.other, found.seeds), (0, 1, 1));
        let crossover = found.crossover.expect("they cross");
        assert!((crossover.size - 8.0).abs() < 1e-9 && crossover.interval.is_none(), "{crossover:?}");
        assert_eq!(found.begins_text(), "8.00 (1 seed, so no interval)");
    }

    #[test]
    fn lines_that_cross_several_times_have_the_last_crossover() {
        let found = compared(&[[1.0, -1.0, 1.0, -1.0, 1.0, 1.0]], &[FLAT]);
        assert!(found.crossover.is_some_and(|crossover| (crossover.size - 128.0).abs() < 1e-9), "{found:?}");
    }

    #[test]
    fn a_device_that_is_always_ahead_has_no_crossover() {
        let found = compared(&[FLAT], &[[-0.1, -0.2, -0.1, -1.0, -2.0, -0.1]]);
        assert_eq!((found.winner, found.crossover), (0, None));
        assert_eq!(found.begins_text(), "every size");
    }

    #[test]
    fn fewer_joules_are_ahead() {
        let (one, other) = (line(0, &[[1.0, 1.0, 1.0, -1.0, -1.0, -1.0]]), line(1, &[FLAT]));
        let found = pair(&one, &other, PerPrediction::Energy).expect("they share seeds and sizes");
        assert_eq!(found.winner, 0);
        assert!(found.crossover.is_some_and(|crossover| (crossover.size - 32.0).abs() < 1e-9), "{found:?}");
    }

    /// Seeds whose differences at a place have mean `d` and deviation `s` have the end of the interval where `|d| = t s / √n`.
    #[test]
    fn the_interval_has_the_sizes_at_which_students_interval_contains_zero() {
        let logs = [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0];
        let shifted = [-0.1, 0.0, 0.1].map(|shift| logs.map(|log| log + shift));
        let found = compared(&shifted, &[FLAT; 3]);
        let interval = found.crossover.and_then(|crossover| crossover.interval).expect("three seeds");
        // The deviation is 0.1 everywhere, and one unit of the logarithm is a factor of 4 in size.
        let half = 4.302_652_729_9 * 0.1 / 3_f64.sqrt();
        for (end, expected) in [(interval.low, -half), (interval.high, half)] {
            let expected = 16.0 * 4_f64.powf(expected);
            assert!(end.is_some_and(|end| (end / expected - 1.0).abs() < 1e-6), "{end:?}, not {expected}");
        }
        assert_eq!(found.begins_text(), "16.0 [11.3, 22.6]");
    }

    #[test]
    fn an_interval_is_open_where_no_size_tells_the_devices_apart() {
        let noisy = [-3.0, 0.5, 3.0].map(|shift| [-0.2, -0.1, 0.1, 0.2, 0.2, 0.2].map(|log: f64| log + shift));
        let found = compared(&noisy, &[FLAT; 3]);
        let interval = found.crossover.and_then(|crossover| crossover.interval);
        assert_eq!(interval, Some(OpenInterval { low: None, high: None }), "{found:?}");
        assert!(found.begins_text().ends_with("[below 1, above 1024]"), "{}", found.begins_text());
    }

    #[test]
    fn devices_that_share_no_seed_are_not_compared() {
        let (one, mut other) = (line(0, &[FLAT]), line(1, &[FLAT]));
        other.numbers.values_mut().for_each(|logs| *logs = logs.values().map(|log| (9, *log)).collect());
        assert_eq!(pair(&one, &other, PerPrediction::Throughput), None);
    }

    fn logs(seeds: usize) -> impl Strategy<Value = Vec<[f64; 6]>> {
        prop::collection::vec(prop::array::uniform6(-3.0..3.0_f64), seeds)
    }

    proptest! {
        #[test]
        fn a_crossover_lies_within_its_interval_and_the_winner_is_ahead_at_every_larger_size(
            one in logs(4), other in logs(4),
        ) {
            let found = compared(&one, &other);
            let (winner, loser) = if found.winner == 0 { (&one, &other) } else { (&other, &one) };
            let sum = |place: usize| -> f64 { winner.iter().zip(loser).map(|(a, b)| a[place] - b[place]).sum() };
            prop_assert!(sum(5) >= 0.0);
            match found.crossover {
                None => prop_assert!((0..6).all(|place| sum(place) >= 0.0)),
                Some(DeviceCrossover { size, interval, .. }) => {
                    prop_assert!((0..6).filter(|place| SIZES[*place] as f64 > size).all(|place| sum(place) >= 0.0));
                    let OpenInterval { low, high } = interval.expect("four seeds");
                    prop_assert!(low.is_none_or(|low| (1.0..=size * (1.0 + 1e-9)).contains(&low)));
                    prop_assert!(high.is_none_or(|high| (size * (1.0 - 1e-9)..=1024.0).contains(&high)));
                }
            }
        }

        #[test]
        fn the_order_of_devices_and_the_unit_of_the_numbers_change_no_crossover(
            one in logs(3), other in logs(3), unit in -5.0..5.0_f64,
        ) {
            let scaled = |lines: &[[f64; 6]]| lines.iter().map(|logs| logs.map(|log| log + unit)).collect::<Vec<_>>();
            let (found, turned) = (compared(&one, &other), compared(&scaled(&other), &scaled(&one)));
            prop_assert_eq!(found.winner, 1 - turned.winner);
            let size = |pair: &DevicePair| pair.crossover.map_or(0.0, |crossover| crossover.size);
            prop_assert!((size(&found) - size(&turned)).abs() <= 1e-6 * size(&found));
        }
    }
}
