//! Settings that differ in one axis of the suite only: the training size, or the share of wrong labels.

use crate::grid::Grid;
use crate::setting::{Setting, name_settings};

/// An axis of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VariedAxis {
    TrainSize,
    LabelNoise,
}

/// The settings along an axis. Everything else is the same.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SettingsAlong {
    /// What they have in common, with a title that names it.
    pub(crate) common: Setting,
    /// Their indices in the grid, by ascending value of the axis.
    pub(crate) settings: Vec<usize>,
}

impl VariedAxis {
    pub(crate) fn value(self, setting: &Setting) -> f64 {
        match self {
            VariedAxis::TrainSize => setting.train_size as f64,
            VariedAxis::LabelNoise => setting.label_noise,
        }
    }

    /// The settings of the grid in groups that differ in this axis only, in the order of the plan.
    pub(crate) fn groups(self, grid: &Grid) -> Vec<SettingsAlong> {
        let mut groups: Vec<(Setting, Vec<usize>)> = Vec::new();
        for (index, setting) in grid.settings.iter().enumerate() {
            let common = self.without(setting);
            match groups.iter_mut().find(|(other, _)| *other == common) {
                Some((_, members)) => members.push(index),
                None => groups.push((common, vec![index])),
            }
        }
        let (mut common, members): (Vec<Setting>, Vec<Vec<usize>>) = groups.into_iter().unzip();
        name_settings(&mut common);
        let sorted = |mut settings: Vec<usize>| {
            settings
                .sort_by(|one, other| self.value(&grid.settings[*one]).total_cmp(&self.value(&grid.settings[*other])));
            settings
        };
        let along = |(common, settings)| SettingsAlong { common, settings: sorted(settings) };
        common.into_iter().zip(members).map(along).collect()
    }

    /// The setting without its value on the axis and without a title.
    fn without(self, setting: &Setting) -> Setting {
        let mut other = Setting { title: setting.task.name.clone(), ..setting.clone() };
        match self {
            VariedAxis::TrainSize => other.train_size = 0,
            VariedAxis::LabelNoise => other.label_noise = 0.0,
        }
        other
    }
}
