//! What an earlier process of the run has submitted: its tasks go on, and this process takes what they give.

use std::collections::BTreeSet;

use super::{Adopted, Collector, Flight, Submitted};
use crate::executor::Assignment;
use crate::executor::slurm::folder::{ArrayFolder, TaskRequest};
use crate::executor::slurm::states::{Stage, TaskLine, stage};
use crate::forecast::counted;
use crate::usage::usage;

impl Collector<'_> {
    /// Finds the tasks of an earlier process that have left an outcome or are still to do so.
    pub(super) fn adopt(&mut self) -> anyhow::Result<()> {
        let mut found = Vec::new();
        for folder in self.place.arrays()? {
            self.next_array = self.next_array.max(folder.number + 1);
            let job = match folder.job() {
                Some(job) => Some(job),
                None => self.slurm.cluster.named(&folder.name()).map_err(usage)?,
            };
            match folder.requests() {
                Ok(requests) => found.push((folder, requests, job.unwrap_or_default())),
                Err(why) => self.give_up(&folder, job, &why)?,
            }
        }
        if found.is_empty() {
            return Ok(());
        }
        let jobs = found.iter().map(|(.., job)| job.clone()).filter(|job| !job.is_empty()).collect();
        let lines = self.slurm.cluster.tasks(&jobs).map_err(usage)?;
        let mut live: BTreeSet<(&str, u32)> = BTreeSet::new();
        // A task that is being ended leaves nothing that is not there.
        let is_live = |line: &&TaskLine| stage(&line.state) != Stage::Over && line.state != "COMPLETING";
        for line in lines.iter().filter(is_live) {
            live.extend(line.tasks.iter().cloned().flatten().map(|task| (line.job.as_str(), task)));
        }
        for (folder, requests, job) in found {
            let ended: BTreeSet<u32> = folder.outcomes().into_iter().collect();
            let may_deliver = |task: &u32| ended.contains(task) || live.contains(&(job.as_str(), *task));
            let tasks: Vec<_> = (0..).zip(requests).filter(|(task, _)| may_deliver(task)).collect();
            if tasks.is_empty() {
                folder.remove();
                continue;
            }
            // Of two tasks of a case, the later one counts.
            let adopted = tasks.into_iter().map(|(task, TaskRequest { case, .. })| {
                (case.id.clone(), Adopted { task: (folder.number, task), case })
            });
            self.adopted.extend(adopted);
            self.arrays.insert(folder.number, Submitted { folder, job });
        }
        if !self.adopted.is_empty() {
            let tasks = counted(self.adopted.len(), "task");
            self.desk.say(format!("{tasks} of an earlier start of this run have ended or are still at work on Slurm: they are not submitted again"));
        }
        Ok(())
    }

    /// Ends an array whose cases cannot be read, as when another version of the program has written them. Without a job, it was never
    /// submitted.
    fn give_up(&self, folder: &ArrayFolder, job: Option<String>, why: &anyhow::Error) -> anyhow::Result<()> {
        if let Some(job) = job {
            self.desk.say(format!("{why:#}. Array job {job} of an earlier start of this run is cancelled, and its cases are submitted again"));
            self.slurm.cluster.cancel(&BTreeSet::from([job])).map_err(usage)?;
        }
        folder.remove();
        Ok(())
    }

    /// Takes a case that can begin. If a task of an earlier process is at work on it, that one counts.
    pub(super) fn take(&mut self, assignment: Assignment) {
        match self.adopted.remove(&assignment.case.id) {
            Some(adopted) if adopted.case == assignment.case => {
                self.flights.insert(adopted.task, Flight::new(assignment));
            }
            Some(other) => {
                // Its parameters follow from search trials that were measured again.
                self.cancel_task(other.task);
                self.waiting.push_back(assignment);
            }
            None => self.waiting.push_back(assignment),
        }
    }
}
