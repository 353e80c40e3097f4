//! Submits cases that can begin, as many as the cluster takes.

use std::collections::VecDeque;
use std::fs;
use std::time::Instant;

use anyhow::Context;

use super::collect::move_file;
use super::{Collector, Flight, Submitted};
use crate::executor::Assignment;
use crate::executor::slurm::cluster::Refusal;
use crate::executor::slurm::folder::{TaskRequest, token};
use crate::forecast::counted;
use crate::usage::usage;

impl Collector<'_> {
    /// Submits what waits, as far as the cluster takes it.
    pub(super) fn submit(&mut self) -> anyhow::Result<()> {
        while !self.waiting.is_empty() && self.refused.is_none() && Instant::now() >= self.next_submission {
            let assignments = self.next_array_of_cases();
            match self.submit_array(&assignments)? {
                Ok((number, submitted)) => {
                    let (tasks, job) = (counted(assignments.len(), "case"), &submitted.job);
                    self.desk.say(format!("Slurm has taken {tasks} as array job {job}"));
                    self.arrays.insert(number, submitted);
                    self.next_size = (assignments.len() * 2).clamp(self.next_size, self.most_tasks);
                    for (task, assignment) in (0..).zip(assignments) {
                        *self.submissions.entry(assignment.index).or_default() += 1;
                        self.flights.insert((number, task), Flight::new(assignment));
                    }
                }
                Err(refusal) => {
                    let tried = assignments.len();
                    for assignment in assignments.into_iter().rev() {
                        self.waiting.push_front(assignment);
                    }
                    self.on_refusal(refusal, tried)?;
                }
            }
        }
        Ok(())
    }

    /// The next cases that can be one array: as many as it may have, all with the same number of threads.
    fn next_array_of_cases(&mut self) -> Vec<Assignment> {
        let threads = self.waiting.front().map(|first| first.case.threads);
        let (mut taken, mut rest) = (Vec::new(), VecDeque::new());
        for assignment in std::mem::take(&mut self.waiting) {
            if Some(assignment.case.threads) == threads && taken.len() < self.next_size {
                taken.push(assignment);
            } else {
                rest.push_back(assignment);
            }
        }
        self.waiting = rest;
        taken
    }

    fn submit_array(&mut self, assignments: &[Assignment]) -> anyhow::Result<Result<(usize, Submitted), Refusal>> {
        let Some(first) = assignments.first() else { anyhow::bail!("there is no case to submit") };
        let program = match self.program.take() {
            Some(program) => program,
            None => self.place.put_program()?,
        };
        let program = self.program.insert(program);
        let (number, token) = (self.next_array, token());
        let folder = self.place.new_array(number, &token);
        let script = self.slurm.script(&first.case, assignments.len(), (number, &token), Some(program))?;
        let samples = &self.slurm.samples;
        let requests: Vec<TaskRequest> = assignments
            .iter()
            .map(|assignment| TaskRequest { case: assignment.case.clone(), samples: samples.clone() })
            .collect();
        let work = self.place.work();
        fs::create_dir_all(work.path())
            .with_context(|| format!("cannot make {}, where the tasks work", work.path().display()))?;
        folder.fill(&requests)?;
        for assignment in assignments {
            self.send_checkpoint(&assignment.case.id);
        }
        self.next_array += 1;
        Ok(match self.slurm.cluster.submit(&script, &folder.name()) {
            Ok(job) => {
                folder.write_job(&job, &script)?;
                Ok((number, Submitted { folder, job }))
            }
            Err(refusal) => {
                folder.remove();
                Err(refusal)
            }
        })
    }

    /// What to do if the cluster does not take an array of so many cases: try fewer, wait, or give up.
    fn on_refusal(&mut self, refusal: Refusal, tried: usize) -> anyhow::Result<()> {
        match refusal {
            Refusal::Full(_) if tried > 1 => self.next_size = tried / 2,
            Refusal::Full(_) | Refusal::Silent(_) => {
                self.next_submission = Instant::now() + self.slurm.settings.poll;
                self.tell_trouble(format!(
                    "{refusal}. {} to be submitted, and the program tries again",
                    match self.waiting.len() {
                        1 => "1 case is still".to_owned(),
                        cases => format!("{cases} cases are still"),
                    }
                ));
            }
            _ if self.flights.is_empty() => return Err(usage(format!("{refusal}. {}", self.how_to_go_on()))),
            _ => {
                self.desk.say(format!("{refusal}. The tasks that it has taken go on"));
                self.refused = Some(refusal);
            }
        }
        Ok(())
    }

    /// Lets a task go on with a fit that was stored when the case was carried out elsewhere.
    fn send_checkpoint(&self, id: &str) {
        let there = self.place.work().checkpoint_path(id);
        if !there.exists() {
            move_file(&self.slurm.run.checkpoint_path(id), &there);
        }
    }
}
