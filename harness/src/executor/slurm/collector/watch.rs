//! Asks the cluster how the tasks are, and ends the cases whose task is over and has left no outcome.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use bakeoff_reports::Status;

use super::{Collector, Flight, Submitted, TaskId};
use crate::executor::slurm::states::{Ending, Stage, TaskLine, ending, is_ordinary, never_starts, stage};
use crate::forecast::counted;
use crate::outcome::{Outcome, TASK_ENDED};

/// How often a case is submitted whose task is lost.
const MOST_SUBMISSIONS: usize = 3;
/// For how long Slurm may give no answer.
const MOST_SILENCE: Duration = Duration::from_secs(3600);

impl Collector<'_> {
    /// Asks the cluster how the tasks are.
    pub(super) fn poll(&mut self) -> anyhow::Result<()> {
        match self.slurm.cluster.tasks(&self.jobs([])) {
            Ok(lines) => {
                self.silent_since = None;
                self.update(&lines);
                Ok(())
            }
            Err(refusal) => {
                if !self.all_wait {
                    // What ran when Slurm last answered is taken to run on.
                    self.alive = Instant::now();
                }
                let since = *self.silent_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= MOST_SILENCE {
                    let minutes = MOST_SILENCE.as_secs() / 60;
                    anyhow::bail!("{refusal}, for {minutes} min now. Tasks that run go on. {}", self.how_to_go_on());
                }
                self.tell_trouble(format!("{refusal}. Tasks that run go on, and the program asks again"));
                Ok(())
            }
        }
    }

    /// Notes the state of each task.
    fn update(&mut self, lines: &[TaskLine]) {
        let array_of: HashMap<&str, usize> =
            self.arrays.iter().map(|(number, array)| (array.job.as_str(), *number)).collect();
        let mut known: HashMap<TaskId, &TaskLine> = HashMap::new();
        for line in lines {
            let Some(array) = array_of.get(line.job.as_str()) else { continue };
            known.extend(line.tasks.iter().cloned().flatten().map(|task| ((*array, task), line)));
        }
        let mut waits: BTreeMap<&str, usize> = BTreeMap::new();
        let mut runs = 0;
        for (id, flight) in &mut self.flights {
            let line = known.get(id);
            match line.map_or(Stage::Over, |line| stage(&line.state)) {
                Stage::Waits => {
                    flight.over = None;
                    *waits.entry(line.map_or("", |line| line.reason.as_str())).or_default() += 1;
                }
                Stage::Runs => {
                    runs += 1;
                    flight.over = None;
                    flight.began.get_or_insert_with(Instant::now);
                    self.alive = Instant::now();
                    if !std::mem::replace(&mut flight.has_begun, true) {
                        self.desk.started(flight.assignment.index);
                    }
                }
                Stage::Over => {
                    let (state, node) =
                        line.map_or_else(Default::default, |line| (line.state.clone(), line.node.clone()));
                    match &mut flight.over {
                        // Slurm forgets what it said of a task before.
                        Some(_) if state.is_empty() => {}
                        Some((_, said, on)) => (*said, *on) = (state, node),
                        over => *over = Some((Instant::now(), state, node)),
                    }
                }
            }
        }
        self.all_wait = waits.values().sum::<usize>() == self.flights.len();
        self.tell_reasons(&waits, runs);
    }

    /// Tells why tasks wait, if that is new and not only that there is work before them.
    fn tell_reasons(&mut self, waits: &BTreeMap<&str, usize>, runs: usize) {
        let reasons: Vec<String> =
            waits.keys().filter(|reason| **reason != "None").map(|&reason| reason.to_owned()).collect();
        let is_ordinary = runs > 0 && reasons.iter().all(|reason| is_ordinary(reason));
        if reasons != self.reasons && !reasons.is_empty() && !is_ordinary {
            let of_reason = |(reason, tasks): (&&str, &usize)| format!("{} ({reason})", counted(*tasks, "task"));
            let waiting: Vec<String> = waits.iter().filter(|(reason, _)| **reason != "None").map(of_reason).collect();
            self.desk.say(format!("{runs} run; in the queue of Slurm wait {}", waiting.join(", ")));
        }
        self.reasons = reasons;
    }

    /// Ends the run if no task will start, or none has run for too long.
    ///
    /// # Errors
    /// Why the run ends.
    pub(super) fn check_patience(&mut self) -> anyhow::Result<()> {
        let never: Vec<&str> = self.reasons.iter().map(String::as_str).filter(|reason| never_starts(reason)).collect();
        if self.all_wait && !never.is_empty() && never.len() == self.reasons.len() {
            let why = never.join(", ");
            self.cancel(&format!("no task will start: {why}"));
            anyhow::bail!(
                "Slurm will start no task of this run: {why}. [slurm] of the suite says what they ask for. Nothing is lost. {}",
                self.how_to_go_on()
            );
        }
        let patience = self.slurm.settings.start_within;
        if self.alive.elapsed() >= patience {
            let why = match (&self.reasons[..], &self.trouble[..]) {
                ([], "") => "Slurm names no reason".to_owned(),
                ([], trouble) => trouble.to_owned(),
                (reasons, _) => format!("Slurm says {}", reasons.join(", ")),
            };
            self.cancel("no task has started");
            anyhow::bail!(
                "no task of this run has started within {} s (start_within_s in [slurm]): {why}. Nothing is lost. {}",
                patience.as_secs_f64(),
                self.how_to_go_on()
            );
        }
        Ok(())
    }

    /// Ends the cases whose task has been over for so long that its outcome would be there.
    pub(super) fn judge(&mut self) {
        let settle = self.slurm.settings.settle;
        let is_due = |(id, flight): (&TaskId, &Flight)| {
            flight.over.as_ref().is_some_and(|(since, ..)| since.elapsed() >= settle).then_some(*id)
        };
        let due: Vec<(TaskId, Submitted)> = self
            .flights
            .iter()
            .filter_map(is_due)
            .filter_map(|id| Some((id, self.arrays.get(&id.0)?.clone())))
            .collect();
        if due.is_empty() {
            return;
        }
        let named = |((_, task), array): &(TaskId, Submitted)| format!("{}_{task}", array.job);
        let is_forgotten = |(id, _): &&(TaskId, Submitted)| {
            self.flights[id].over.as_ref().is_some_and(|(_, state, _)| state.is_empty())
        };
        let forgotten: BTreeSet<String> = due.iter().filter(is_forgotten).map(named).collect();
        let accounts = self.slurm.cluster.accounted(&forgotten);
        let mut lost = Vec::new();
        for due in due {
            let name = named(&due);
            let (id, array) = due;
            let Some(flight) = self.flights.remove(&id) else { continue };
            let (_, said, node) = flight.over.clone().unwrap_or((Instant::now(), String::new(), String::new()));
            let state = accounts.get(&name).unwrap_or(&said);
            match ending(state, &node, &array.folder.last_words(id.1)) {
                Ending::Lost(why) => lost.push((flight, why)),
                Ending::Result(status, why) => self.end(flight, status, &why),
            }
        }
        self.lose(lost);
    }

    /// Submits lost cases again, unless they were lost too often.
    pub(super) fn lose(&mut self, lost: Vec<(Flight, String)>) {
        let mut again: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (flight, why) in lost {
            let submissions = self.submissions.get(&flight.assignment.index).copied().unwrap_or_default();
            if submissions >= MOST_SUBMISSIONS {
                let why = format!("{why}; it was submitted {submissions} times");
                self.end(flight, Status::Failed, &why);
                continue;
            }
            again.entry(why).or_default().push(flight.assignment.case.id.clone());
            self.waiting.push_back(flight.assignment);
        }
        for (why, cases) in again {
            let others = match cases.len() {
                1 => String::new(),
                count => format!(" and {}", counted(count - 1, "other")),
            };
            self.desk.say(format!("the task of case {}{others} was lost, because {why}: submitted again", cases[0]));
        }
    }

    /// Ends a case without numbers.
    fn end(&mut self, flight: Flight, status: Status, why: &str) {
        self.start(&flight);
        let note = if status == Status::Failed { format!("{TASK_ENDED}: {why}") } else { why.to_owned() };
        let wall_s = flight.began.map_or(0.0, |began| began.elapsed().as_secs_f64());
        self.hand_in(flight.assignment, Outcome::without_numbers(status, note), wall_s);
    }
}
