//! Checks the settings of a suite outside its tasks and models: their ranges, and the devices.

use std::fmt::Display;
use std::ops::RangeInclusive;

use bakeoff_models::Device;
use toml::Spanned;

use super::{Overrides, PlanError, latency, slurm};
use crate::budget::Budget;
use crate::meters;
use crate::program::Program;
use crate::suite::{EnergyEntry, Source, Suite, SuiteError, not_written};

/// The largest number of threads of a case, and of cases at a time. A larger number is a typing error.
pub const MAX_THREADS: usize = 1024;

/// Checks that every setting is in its range. The devices become a list, in whichever way they are written.
pub(super) fn check(source: &Source, suite: &mut Suite) -> Result<(), SuiteError> {
    let seeds = suite.seeds.as_ref();
    if seeds.is_empty() {
        return Err(source.fault(&suite.seeds, "seeds is empty: give at least one, e.g. seeds = [1]"));
    }
    if let Some(seed) = repeated(seeds) {
        return Err(source.fault(seed, format!("seed {seed} is given twice")));
    }
    let range = RangeCheck { source };
    range.check("timeout_s", &suite.timeout_s, 1e-3..=1e9, "a number of seconds in 0.001..=1000000000")?;
    range.check("checkpoint_s", &suite.checkpoint_s, 0.0..=1e9, "a number of seconds in 0..=1000000000")?;
    range.check("memory_limit_gib", &suite.memory_limit_gib, f64::MIN_POSITIVE..=f64::MAX, "a number above 0")?;
    range.check("latency_examples", &suite.latency_examples, 1..=usize::MAX, "a whole number from 1 on")?;
    let counts = format!("a whole number in 1..={MAX_THREADS}");
    range.check("jobs", &suite.jobs, 1..=MAX_THREADS, &counts)?;
    for threads in suite.threads.iter().chain(suite.models.iter().filter_map(|entry| entry.threads.as_ref())) {
        range.check("threads", threads, 1..=MAX_THREADS, &counts)?;
    }
    let noise = &suite.noise;
    for (key, limit, allowed, expected) in [
        ("max_steal", &noise.max_steal, 0.0..=1.0, "a share in 0..=1"),
        ("max_involuntary_per_s", &noise.max_involuntary_per_s, 0.0..=f64::MAX, "a number from 0 on"),
        ("max_load", &noise.max_load, 0.0..=f64::MAX, "a number from 0 on"),
    ] {
        limit.iter().try_for_each(|limit| range.check(key, limit, allowed.clone(), expected))?;
    }
    let watts = &suite.energy.watts_per_core;
    range.check("watts_per_core", watts, 1e-3..=1e4, "a number of watts in 0.001..=10000")?;
    latency::check(source, &suite.latency)?;
    latency::check_timeout(source, suite)?;
    energy(source, &range, &suite.energy)?;
    slurm::check(source, suite)?;
    suite.devices = Some(devices(source, suite)?);
    suite.device = None;
    Ok(())
}

/// Checks the names of the meters, and that the carbon of the grid comes with its source.
fn energy(source: &Source, range: &RangeCheck<'_>, energy: &EnergyEntry) -> Result<(), SuiteError> {
    if let Some(meters) = &energy.meters {
        if meters.as_ref().is_empty() {
            return Err(
                source.fault(meters, "meters is empty: name at least one, e.g. meters = [\"rapl\"], or leave it out")
            );
        }
        for name in meters.as_ref() {
            meters::kind_named(name.as_ref()).map_err(|message| source.fault(name, message))?;
        }
        if let Some(name) = repeated(meters.as_ref()) {
            return Err(source.fault(name, format!("meter '{name}' is given twice")));
        }
    }
    match (&energy.grams_per_kwh, &energy.grid) {
        (Some(grams), Some(grid)) => {
            range.check("grams_per_kwh", grams, 0.0..=1e4, "a number of grams in 0..=10000")?;
            if grid.as_ref().trim().is_empty() {
                return Err(source.fault(grid, format!("grid is empty: {GRID}")));
            }
            Ok(())
        }
        (Some(grams), None) => Err(source.fault(grams, format!("grams_per_kwh has no source: add {GRID}"))),
        (None, Some(grid)) => {
            Err(source.fault(grid, "grid is given without grams_per_kwh, the grams of CO2e of its kilowatt hour"))
        }
        (None, None) => Ok(()),
    }
}

/// What a suite writes beside the carbon of its grid.
const GRID: &str = "grid = \"…\", which grid it is of, the year and who published it";

/// A meter that a suite names must be readable, or a long run would end without the joules that it was made for.
pub(super) fn check_named_meters(program: &Program, source: &Source, suite: &Suite) -> Result<(), SuiteError> {
    let config = suite.energy.config();
    for name in suite.energy.meters.iter().flat_map(|meters| meters.as_ref()) {
        let opened = meters::open_named(name.as_ref(), &config, program.machine, None);
        opened.map_err(|why| source.fault(name, format!("meter '{}' is not readable here: {why}", name.as_ref())))?;
    }
    Ok(())
}

/// A budget in joules needs something that gives joules. Comes after the command line, which may switch the estimate off and set
/// the budget of the fits.
pub(super) fn check_meter(
    program: &Program,
    source: &Source,
    suite: &Suite,
    overrides: &Overrides,
) -> Result<(), PlanError> {
    let of_search = suite.search.as_ref().and_then(|search| search.as_ref().budget.as_ref());
    for budget in suite.budget.iter().chain(of_search) {
        let Budget::Joules(_) = budget.as_ref() else { continue };
        let Err(reason) = meters::open(&suite.energy.config(), program.machine, None) else { continue };
        let message = format!(
            "joules can be neither measured nor estimated ({reason}): give the budget in seconds, such as 600s"
        );
        return Err(match overrides.budget {
            Some(given) if given == *budget.as_ref() => PlanError::Filter(format!("--budget: {message}")),
            _ => source.fault(budget, message).into(),
        });
    }
    Ok(())
}

/// A budget in seconds must end before the time-out does. Comes after the command line.
pub(super) fn check_timeout(source: &Source, suite: &Suite, overrides: &Overrides) -> Result<(), PlanError> {
    let Some(budget) = &suite.budget else { return Ok(()) };
    let timeout_s = *suite.timeout_s.as_ref();
    match budget.as_ref() {
        Budget::Seconds(most) if *most >= timeout_s => {
            let message = format!(
                "the budget of {budget} is not below timeout_s = {timeout_s}, which also covers reading, scoring and timing: \
                 raise timeout_s in the suite"
            );
            Err(match overrides.budget {
                Some(_) => PlanError::Filter(format!("--budget: {message}")),
                None => source.fault(budget, message).into(),
            })
        }
        _ => Ok(()),
    }
}

/// The devices of a suite, each of them known and none repeated. The processor, if the suite names none.
fn devices(source: &Source, suite: &Suite) -> Result<Spanned<Vec<Spanned<String>>>, SuiteError> {
    let devices = match (&suite.devices, &suite.device) {
        (None, None) => return Ok(not_written(vec![not_written(Device::Cpu.name().to_owned())])),
        (Some(_), Some(device)) => {
            let message = format!("device and devices are both given: keep the list, devices = [\"{device}\", …]");
            return Err(source.fault(device, message));
        }
        (Some(devices), None) => devices.clone(),
        (None, Some(device)) => Spanned::new(device.span(), vec![device.clone()]),
    };
    if devices.as_ref().is_empty() {
        return Err(source.fault(&devices, "devices is empty: give at least one, e.g. devices = [\"cpu\"]"));
    }
    for device in devices.as_ref() {
        self::device(device.as_ref()).map_err(|message| source.fault(device, message))?;
    }
    if let Some(device) = repeated(devices.as_ref()) {
        return Err(source.fault(device, format!("device '{device}' is given twice")));
    }
    Ok(devices)
}

/// The device of this name, or what is wrong with the name.
pub(super) fn device(name: &str) -> Result<Device, String> {
    Device::named(name)
}

/// The first item that equals one before it.
pub(super) fn repeated<T: PartialEq>(items: &[T]) -> Option<&T> {
    items.iter().enumerate().find(|(at, item)| items[..*at].contains(item)).map(|(_, item)| item)
}

/// Checks values of a suite.
pub(super) struct RangeCheck<'a> {
    pub(super) source: &'a Source,
}

impl RangeCheck<'_> {
    /// Refuses a setting that is not in its range.
    pub(super) fn check<T: PartialOrd + Display>(
        &self,
        key: &str,
        setting: &Spanned<T>,
        range: RangeInclusive<T>,
        expected: &str,
    ) -> Result<(), SuiteError> {
        if range.contains(setting.as_ref()) {
            return Ok(());
        }
        Err(self.source.fault(setting, format!("{key} is {setting}, expected {expected}")))
    }
}
