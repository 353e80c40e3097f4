//! The program's side of a run on a cluster: submits cases as they become ready, and hands in what their tasks leave.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use bakeoff_reports::Status;

use super::Slurm;
use super::cluster::Refusal;
use super::folder::{ArrayFolder, Place, TaskRequest, token};
use super::states::{Ending, Stage, TaskLine, ending, is_ordinary, never_starts, stage};
use super::task::Report;
use crate::case::Case;
use crate::executor::{Assignment, Desk};
use crate::forecast::counted;
use crate::interrupt;
use crate::outcome::{Outcome, TASK_ENDED};
use crate::usage::usage;

/// How often the outcomes are looked for, unless Slurm is asked even more often.
const LOOK: Duration = Duration::from_secs(1);
/// How often a case is submitted whose task is lost.
const MOST_SUBMISSIONS: usize = 3;
/// How many outcomes are held in memory until they are stored.
const MOST_UNSTORED: usize = 32;
/// For how long Slurm may give no answer.
const MOST_SILENCE: Duration = Duration::from_secs(3600);

/// A task: the number of its array and its own.
type TaskId = (usize, u32);

/// A case whose task was submitted and has left no outcome yet.
struct Flight {
    assignment: Assignment,
    has_begun: bool,
    /// When it was first seen to run.
    began: Option<Instant>,
    /// Since when Slurm says that it is over, with the state and the node; the state is empty if Slurm does not know the task.
    over: Option<(Instant, String, String)>,
}

impl Flight {
    fn new(assignment: Assignment) -> Flight {
        Flight { assignment, has_begun: false, began: None, over: None }
    }
}

/// An array that was submitted.
#[derive(Clone)]
struct Submitted {
    folder: ArrayFolder,
    job: String,
}

/// What an earlier process has submitted, and what this one may go on with.
struct Adopted {
    task: TaskId,
    case: Case,
}

pub(super) struct Collector<'a> {
    slurm: &'a Slurm,
    desk: &'a Desk<'a>,
    place: Place,
    /// The copy of the program, once there is one.
    program: Option<PathBuf>,
    arrays: BTreeMap<usize, Submitted>,
    next_array: usize,
    adopted: HashMap<String, Adopted>,
    /// Cases that can begin and are not submitted yet.
    waiting: VecDeque<Assignment>,
    flights: BTreeMap<TaskId, Flight>,
    /// How often each case was submitted, by its index.
    submissions: HashMap<usize, usize>,
    /// How many tasks an array may have, and how many the queue last took.
    most_tasks: usize,
    next_size: usize,
    /// Why the cluster takes no more tasks.
    refused: Option<Refusal>,
    next_submission: Instant,
    next_poll: Instant,
    silent_since: Option<Instant>,
    begun: Instant,
    /// Whether any task has begun.
    has_begun: bool,
    has_named_node: bool,
    /// The reasons for which tasks wait, as the user was told last.
    reasons: Vec<String>,
    /// What the user was told last of a queue that takes no more, or of a cluster that does not answer.
    trouble: String,
}

impl<'a> Collector<'a> {
    pub(super) fn new(slurm: &'a Slurm, desk: &'a Desk<'a>) -> anyhow::Result<Collector<'a>> {
        let place = Place::of(&slurm.run)?;
        let most_tasks = slurm.cluster.most_tasks().map_err(usage)?;
        let now = Instant::now();
        Ok(Collector {
            slurm,
            desk,
            place,
            program: None,
            arrays: BTreeMap::new(),
            next_array: 1,
            adopted: HashMap::new(),
            waiting: VecDeque::new(),
            flights: BTreeMap::new(),
            submissions: HashMap::new(),
            most_tasks,
            next_size: most_tasks,
            refused: None,
            next_submission: now,
            next_poll: now,
            silent_since: None,
            begun: now,
            has_begun: false,
            has_named_node: false,
            reasons: Vec::new(),
            trouble: String::new(),
        })
    }

    /// Carries out the cases of the desk.
    pub(super) fn work(mut self) -> anyhow::Result<()> {
        self.adopt()?;
        loop {
            if interrupt::requested() {
                self.cancel("the user stops the run");
                // What ended meanwhile counts.
                self.collect(usize::MAX);
                return Ok(());
            }
            for assignment in self.desk.all_ready() {
                self.take(assignment);
            }
            self.submit()?;
            if self.flights.is_empty() && (self.waiting.is_empty() || self.refused.is_some()) {
                return self.finish();
            }
            let is_complete = self.collect(MOST_UNSTORED);
            if is_complete {
                self.judge();
            }
            if Instant::now() >= self.next_poll {
                self.poll()?;
                self.next_poll = Instant::now() + self.slurm.settings.poll;
            }
            self.check_patience()?;
            // What waits for room is looked at soon again.
            thread::sleep(LOOK.min(self.slurm.settings.poll).div_f64(if is_complete { 1.0 } else { 20.0 }));
        }
    }

    /// Finds the tasks of an earlier process that have left an outcome or are still to do so.
    fn adopt(&mut self) -> anyhow::Result<()> {
        let mut found = Vec::new();
        for folder in self.place.arrays()? {
            self.next_array = self.next_array.max(folder.number + 1);
            // A folder without cases was never submitted.
            let Ok(requests) = folder.requests() else {
                folder.remove();
                continue;
            };
            let job = match folder.job() {
                Some(job) => Some(job),
                None => self.slurm.cluster.named(&folder.name()).map_err(usage)?,
            };
            found.push((folder, requests, job.unwrap_or_default()));
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

    /// Takes a case that can begin. If a task of an earlier process is at work on it, that one counts.
    fn take(&mut self, assignment: Assignment) {
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

    /// Submits what waits, as far as the cluster takes it.
    fn submit(&mut self) -> anyhow::Result<()> {
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

    /// Hands in the outcomes that are there, as long as fewer than `most` wait to be stored. `false` if some were left.
    fn collect(&mut self, most: usize) -> bool {
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
                if !std::mem::replace(&mut self.has_named_node, true) {
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

    fn hand_in(&mut self, assignment: Assignment, outcome: Outcome, wall_s: f64) {
        // A fit that can go on does so wherever the run is resumed. The recorder removes a checkpoint that is of no use.
        let id = &assignment.case.id;
        move_file(&self.place.work().checkpoint_path(id), &self.slurm.run.checkpoint_path(id));
        self.desk.done(assignment, outcome, Some(wall_s));
    }

    /// Lets a task go on with a fit that was stored when the case was carried out elsewhere.
    fn send_checkpoint(&self, id: &str) {
        let there = self.place.work().checkpoint_path(id);
        if !there.exists() {
            move_file(&self.slurm.run.checkpoint_path(id), &there);
        }
    }

    /// Ends the cases whose task has been over for so long that its outcome would be there.
    fn judge(&mut self) {
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
    fn lose(&mut self, lost: Vec<(Flight, String)>) {
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

    fn start(&mut self, flight: &Flight) {
        self.has_begun = true;
        if !flight.has_begun {
            self.desk.started(flight.assignment.index);
        }
    }

    /// Asks the cluster how the tasks are.
    fn poll(&mut self) -> anyhow::Result<()> {
        let in_flight: BTreeSet<usize> = self.flights.keys().map(|(array, _)| *array).collect();
        let jobs = in_flight.iter().filter_map(|array| Some(self.arrays.get(array)?.job.clone())).collect();
        match self.slurm.cluster.tasks(&jobs) {
            Ok(lines) => {
                self.silent_since = None;
                self.update(&lines);
                Ok(())
            }
            Err(refusal) => {
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
                    self.has_begun = true;
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

    /// Ends the run if no task will start, or none has for too long.
    fn check_patience(&mut self) -> anyhow::Result<()> {
        if self.has_begun {
            return Ok(());
        }
        let never: Vec<&str> = self.reasons.iter().map(String::as_str).filter(|reason| never_starts(reason)).collect();
        if !never.is_empty() && never.len() == self.reasons.len() {
            let why = never.join(", ");
            self.cancel(&format!("no task will start: {why}"));
            anyhow::bail!(
                "Slurm will start no task of this run: {why}. [slurm] of the suite says what they ask for. They are cancelled, and nothing \
                 is lost. {}",
                self.how_to_go_on()
            );
        }
        let patience = self.slurm.settings.start_within;
        if self.begun.elapsed() >= patience {
            let why = match (&self.reasons[..], &self.trouble[..]) {
                ([], "") => "Slurm names no reason".to_owned(),
                ([], trouble) => trouble.to_owned(),
                (reasons, _) => format!("Slurm says {}", reasons.join(", ")),
            };
            self.cancel("no task has started");
            anyhow::bail!(
                "no task of this run has started within {} s (start_within_s in [slurm]): {why}. They are cancelled, and nothing is lost. {}",
                patience.as_secs_f64(),
                self.how_to_go_on()
            );
        }
        Ok(())
    }

    fn how_to_go_on(&self) -> String {
        format!("To go on: bakeoff resume {}", self.slurm.run.path().display())
    }

    fn tell_trouble(&mut self, trouble: String) {
        if trouble != self.trouble {
            self.desk.say(trouble.clone());
            self.trouble = trouble;
        }
    }

    /// Cancels all tasks that are not over, of this process and of earlier ones.
    fn cancel(&mut self, why: &str) {
        let adopted = self.adopted.values().map(|adopted| adopted.task.0);
        let in_flight: BTreeSet<usize> = self.flights.keys().map(|(array, _)| *array).chain(adopted).collect();
        let jobs: BTreeSet<String> =
            in_flight.iter().filter_map(|array| Some(self.arrays.get(array)?.job.clone())).collect();
        if jobs.is_empty() {
            return;
        }
        let listed = jobs.iter().cloned().collect::<Vec<_>>().join(", ");
        match self.slurm.cluster.cancel(&jobs) {
            Ok(()) => self.desk.say(format!("array job {listed} of Slurm is cancelled: {why}")),
            Err(refusal) => self.desk.say(format!(
                "array job {listed} of Slurm could not be cancelled ({refusal}): its tasks go on, and resume takes what they give; to end \
                 them: scancel {}",
                jobs.iter().cloned().collect::<Vec<_>>().join(" ")
            )),
        }
    }

    fn cancel_task(&self, (array, task): TaskId) {
        let Some(array) = self.arrays.get(&array) else { return };
        // If it cannot be cancelled, its outcome is of no use and is removed with its folder.
        let _ = self.slurm.cluster.cancel(&BTreeSet::from([format!("{}_{task}", array.job)]));
    }

    /// Waits until everything is stored, and removes the folder of the tasks.
    fn finish(self) -> anyhow::Result<()> {
        if let Some(refusal) = self.refused.as_ref().filter(|_| !self.waiting.is_empty()) {
            return Err(usage(format!("{refusal}. {}", self.how_to_go_on())));
        }
        for adopted in self.adopted.values() {
            self.cancel_task(adopted.task);
        }
        while self.slurm.unstored() > 0 {
            if interrupt::requested() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(5));
        }
        // On a shared file system, a file that somebody has open can stay. It disturbs nobody.
        let _ = fs::remove_dir_all(self.place.path());
        Ok(())
    }
}

/// Moves a file, if it is there. Its new folder is made if need be.
fn move_file(from: &Path, to: &Path) {
    if from.exists()
        && let Some(folder) = to.parent()
        && fs::create_dir_all(folder).is_ok()
    {
        // A checkpoint that cannot be moved costs time, and no result.
        let _ = fs::rename(from, to);
    }
}
