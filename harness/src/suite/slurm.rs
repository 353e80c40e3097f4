//! The table `[slurm]` of a suite.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use toml::Spanned;

/// What a Slurm cluster is asked for, and how patient the program is with it.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlurmEntry {
    /// The partition. If not given, the cluster's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<Spanned<String>>,
    /// The account that the tasks are charged to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Spanned<String>>,
    /// Further resources of each task, such as GPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gres: Option<Spanned<String>>,
    /// The time limit of each task, as Slurm writes it. If not given, it follows from the time-out of a case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Spanned<String>>,
    /// Further options of `sbatch`, one a text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Spanned<String>>,
    /// How many tasks of an array may run at the same time. If not given, as many as the cluster lets run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_a_time: Option<Spanned<usize>>,
    /// Seconds for which no task may run while others wait, or the run is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_within_s: Option<Spanned<f64>>,
    /// Seconds between two questions to Slurm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_s: Option<Spanned<f64>>,
    /// Seconds in which the shared file system shows what a task on another machine has written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle_s: Option<Spanned<f64>>,
}

/// The settings of a checked table, without their places.
#[derive(Debug, Clone, PartialEq)]
pub struct SlurmSettings {
    /// As [`SlurmEntry::partition`].
    pub partition: Option<String>,
    /// As [`SlurmEntry::account`].
    pub account: Option<String>,
    /// As [`SlurmEntry::gres`].
    pub gres: Option<String>,
    /// As [`SlurmEntry::time`].
    pub time: Option<String>,
    /// As [`SlurmEntry::extra`].
    pub extra: Vec<String>,
    /// As [`SlurmEntry::at_a_time`].
    pub at_a_time: Option<usize>,
    /// As [`SlurmEntry::start_within_s`]: a day if not given.
    pub start_within: Duration,
    /// As [`SlurmEntry::poll_s`]: ten seconds if not given. Administrators ask that Slurm is not asked more often.
    pub poll: Duration,
    /// As [`SlurmEntry::settle_s`]: a minute if not given, for which NFS may show an old list of files.
    pub settle: Duration,
}

impl SlurmEntry {
    /// Whether nothing is given.
    pub(crate) fn is_empty(&self) -> bool {
        let SlurmEntry { partition, account, gres, time, extra, at_a_time, start_within_s, poll_s, settle_s } = self;
        let has_text = [partition, account, gres, time].into_iter().any(Option::is_some) || !extra.is_empty();
        let has_seconds = [start_within_s, poll_s, settle_s].into_iter().any(Option::is_some);
        !has_text && !has_seconds && at_a_time.is_none()
    }

    /// The settings without their places.
    pub fn settings(&self) -> SlurmSettings {
        let text = |value: &Option<Spanned<String>>| value.as_ref().map(|value| value.as_ref().clone());
        let seconds = |value: &Option<Spanned<f64>>, default: f64| {
            Duration::from_secs_f64(value.as_ref().map_or(default, |value| *value.as_ref()))
        };
        SlurmSettings {
            partition: text(&self.partition),
            account: text(&self.account),
            gres: text(&self.gres),
            time: text(&self.time),
            extra: self.extra.iter().map(|option| option.as_ref().clone()).collect(),
            at_a_time: self.at_a_time.as_ref().map(|count| *count.as_ref()),
            start_within: seconds(&self.start_within_s, 86_400.0),
            poll: seconds(&self.poll_s, 10.0),
            settle: seconds(&self.settle_s, 60.0),
        }
    }
}
