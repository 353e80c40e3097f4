//! Grams of carbon dioxide equivalents, from joules and what a suite says of its grid. Nothing is assumed: a suite that does not say it
//! has no grams.

use serde::Deserialize;

use crate::run_info::RunInfo;

/// What a kilowatt hour of a grid emits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Carbon {
    pub(crate) grams_per_kwh: f64,
    /// Which grid it is, and the source of the number.
    pub(crate) grid: String,
}

const JOULES_PER_KWH: f64 = 3.6e6;

#[derive(Deserialize)]
struct Suite {
    #[serde(default)]
    energy: Energy,
}

#[derive(Default, Deserialize)]
struct Energy {
    grams_per_kwh: Option<f64>,
    grid: Option<String>,
}

impl Carbon {
    /// What the suite of a run says. `None` if it does not say both the number and its source.
    pub(crate) fn of(info: &RunInfo) -> Option<Carbon> {
        let Suite { energy } = toml::from_str(&info.suite_toml).ok()?;
        let grams_per_kwh = energy.grams_per_kwh.filter(|grams| grams.is_finite())?;
        Some(Carbon { grams_per_kwh, grid: energy.grid.filter(|grid| !grid.trim().is_empty())? })
    }

    /// The grams of so many joules.
    pub(crate) fn grams(&self, joules: f64) -> f64 {
        joules / JOULES_PER_KWH * self.grams_per_kwh
    }
}
