//! Hands in the outcomes that tasks have left.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use super::{Collector, Flight, TaskId};
use crate::executor::Assignment;
use crate::executor::slurm::folder::ArrayFolder;
use crate::executor::slurm::task::Report;
use crate::outcome::Outcome;

impl Collector<'_> {
    /// Hands in the outcomes that are there, as long as fewer than `most` wait to be stored. `false` if some were left.
    pub(super) fn collect(&mut self, most: usize) -> bool {
        let in_flight: BTreeSet<usize> = self.flights.keys().map(|(array, _)| *array).collect();
        for number in in_flight {
            let Some(array) = self.arrays.get(&number) else { continue };
            let folder = array.folder.clone();
            for task in folder.outcomes() {
                if !self.flights.contains_key(&(number, task)) {
                    continue;
                }
                if self.slurm.unstored() >= most {
                    return false;
                }
                self.collect_one((number, task), &folder);
            }
        }
        true
    }

    fn collect_one(&mut self, id: TaskId, folder: &ArrayFolder) {
        let Some(flight) = self.flights.remove(&id) else { return };
        let path = folder.outcome_path(id.1);
        let read = Report::read(&path, &flight.assignment.case).and_then(|report| self.bring_model(report));
        match read {
            Ok(report) => {
                self.start(&flight);
                let Report { commit, node, wall_s, mut outcome, .. } = report;
                if commit != crate::COMMIT {
                    outcome.commit = commit;
                }
                // What comes before it is stored first, so it is said once of each machine.
                if self.nodes.add(&node) {
                    self.desk.measured_on(node);
                }
                self.slurm.hold(flight.assignment.index, vec![path, folder.log_path(id.1)]);
                self.hand_in(flight.assignment, outcome, wall_s);
            }
            Err(why) => {
                let _ = fs::remove_file(path);
                self.lose(vec![(flight, why)]);
            }
        }
    }

    /// Moves a model that is kept to where it stays.
    fn bring_model(&self, report: Report) -> Result<Report, String> {
        let case = &report.case;
        if !case.keep_model || report.outcome.status.is_failure() {
            return Ok(report);
        }
        let (from, to) = (self.place.work().model_path(&case.id), self.slurm.run.model_path(&case.id));
        let moved = || -> std::io::Result<()> {
            fs::create_dir_all(to.parent().unwrap_or(&to))?;
            if to.exists() {
                fs::remove_dir_all(&to)?;
            }
            fs::rename(&from, &to)
        };
        moved()
            .map_err(|error| format!("its model {} cannot be moved to {}: {error}", from.display(), to.display()))?;
        Ok(report)
    }

    pub(super) fn hand_in(&mut self, assignment: Assignment, outcome: Outcome, wall_s: f64) {
        // A fit that can go on does so wherever the run is resumed. The recorder removes a checkpoint that is of no use.
        let id = &assignment.case.id;
        move_file(&self.place.work().checkpoint_path(id), &self.slurm.run.checkpoint_path(id));
        self.desk.done(assignment, outcome, Some(wall_s));
    }

    pub(super) fn start(&mut self, flight: &Flight) {
        self.alive = Instant::now();
        if !flight.has_begun {
            self.desk.started(flight.assignment.index);
        }
    }
}

/// Moves a file, if it is there. Its new folder is made if need be.
pub(super) fn move_file(from: &Path, to: &Path) {
    if from.exists()
        && let Some(folder) = to.parent()
        && fs::create_dir_all(folder).is_ok()
    {
        // A checkpoint that cannot be moved costs time, and no result.
        let _ = fs::rename(from, to);
    }
}
