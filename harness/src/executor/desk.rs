//! The cases of a run that nobody has begun, how executors get them, and what they hand in for the thread that stores it.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use bakeoff_reports::{Node, Status};

use crate::case::Case;
use crate::interrupt;
use crate::machine::Machine;
use crate::outcome::{MetricValue, Outcome};
use crate::protocol::Event;
use crate::search::{Beginning, Searches};

/// How often a thread that waits for a case looks for the user's interrupt.
const TICK: Duration = Duration::from_millis(200);

/// What executors send to the thread that stores and shows it.
pub enum Message {
    /// The case of this index has begun.
    Started(usize),
    /// A running case says how far it is.
    Told(usize, Event),
    /// What the user must know of the executor itself.
    Said(String),
    /// Another machine than this one measured a case; comes before the case.
    MeasuredOn(Box<Node>),
    /// The case with the parameters that it was run with, its outcome and its wall time.
    Done(usize, Box<(Case, Outcome)>, Option<f64>),
}

/// A case that is to be carried out, with the parameters that it is run with.
pub struct Assignment {
    /// The place of the case in the plan.
    pub index: usize,
    /// The case.
    pub case: Case,
    /// What the search for its parameters gave.
    found: Vec<MetricValue>,
}

/// The cases that nobody has begun, what the search trials gave that some of them wait for, and the cards that are in use.
pub struct Queue<'a> {
    cases: &'a [Case],
    state: Mutex<State>,
    /// Notified when a case has ended for which others may wait: a search trial, or one on a card.
    ended: Condvar,
}

struct State {
    /// Their indexes, in the order in which they are run.
    waiting: VecDeque<usize>,
    searches: Searches,
    /// The graphics cards on which cases are under way, each with the desk of these cases and their number. A desk does one thing at a
    /// time, so its own cases do not disturb each other.
    cards: HashMap<String, (usize, usize)>,
    /// How many desks there are.
    desks: usize,
}

impl State {
    /// Whether a case can begin at a desk: its search trials have ended, and no other desk has a case on its card.
    fn is_ready(&self, case: &Case, desk: usize) -> bool {
        let is_free = |card| self.cards.get(card).is_none_or(|(user, _)| *user == desk);
        self.searches.is_ready(case) && case.exclusive_card().is_none_or(is_free)
    }

    fn take_card(&mut self, case: &Case, desk: usize) {
        if let Some(card) = case.exclusive_card() {
            self.cards.entry(card.to_owned()).or_insert((desk, 0)).1 += 1;
        }
    }

    fn give_card_back(&mut self, case: &Case) {
        if let Some(card) = case.exclusive_card()
            && let Some((_, cases)) = self.cards.get_mut(card)
        {
            *cases -= 1;
            if *cases == 0 {
                self.cards.remove(card);
            }
        }
    }
}

impl<'a> Queue<'a> {
    /// All `cases`, by turns: in a turn, all models of a setting have one seed and fold. `searches` holds the search trials that were
    /// done before.
    pub fn new(cases: &'a [Case], searches: Searches) -> Queue<'a> {
        let state = State { waiting: by_turns(cases).into(), searches, cards: HashMap::new(), desks: 0 };
        Queue { cases, state: Mutex::new(state), ended: Condvar::new() }
    }

    /// The first case that can begin at a desk, and how. Waits while all cases that are left wait for search trials or for a card. `None`
    /// if no case is left or the user stops the run.
    fn next(&self, desk: usize) -> Option<(usize, Beginning)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if interrupt::requested() {
                return None;
            }
            let ready = state.waiting.iter().position(|&index| state.is_ready(&self.cases[index], desk));
            if let Some(index) = ready.and_then(|position| state.waiting.remove(position)) {
                let beginning = state.searches.beginning(&self.cases[index]);
                if self.cases[index].unsupported.is_none() && matches!(beginning, Beginning::Run(..)) {
                    state.take_card(&self.cases[index], desk);
                }
                return Some((index, beginning));
            }
            if state.waiting.is_empty() {
                return None;
            }
            let waited = self.ended.wait_timeout(state, TICK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// All cases that can begin now, wherever they are carried out.
    fn all_ready(&self) -> Vec<(usize, Beginning)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { waiting, searches, .. } = &mut *state;
        let (ready, rest) =
            mem::take(waiting).into_iter().partition(|&index: &usize| searches.is_ready(&self.cases[index]));
        *waiting = rest;
        let ready: VecDeque<usize> = ready;
        ready.into_iter().map(|index| (index, searches.beginning(&self.cases[index]))).collect()
    }

    /// Remembers what a search trial gave, and that a card is free. `wall_s` is `None` if the case did not begin.
    fn ended(&self, case: &Case, outcome: &Outcome, wall_s: Option<f64>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if case.trial.is_some() {
            state.searches.add(case, outcome, wall_s);
        }
        if wall_s.is_some() {
            state.give_card_back(case);
        }
        self.ended.notify_all();
    }
}

/// The indexes of cases in the order in which they are run. In the plan, each model has all of its seeds and folds one after the other.
/// Drift of the machine would then hit models that come later and spare the others, so the models of a setting take turns: each has its
/// first seed before any has its second. The search trials of a case stay before it.
fn by_turns(cases: &[Case]) -> Vec<usize> {
    let mut settings = HashMap::new();
    let mut turns = HashMap::new();
    let place = |case: &Case| {
        let setting = (case.task.clone(), case.train_size, case.label_noise.to_bits());
        let count = settings.len();
        let setting = *settings.entry(setting).or_insert(count);
        let turn = (setting, case.seed, case.fold.map(|fold| (fold.repeat, fold.fold)));
        let count = turns.len();
        (setting, *turns.entry(turn).or_insert(count))
    };
    let places: Vec<(usize, usize)> = cases.iter().map(place).collect();
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by_key(|index| places[*index]);
    order
}

/// Where one thread of an executor gets cases, and hands in what they gave.
pub struct Desk<'a> {
    queue: &'a Queue<'a>,
    number: usize,
    machine: &'a dyn Machine,
    sender: Sender<Message>,
}

impl<'a> Desk<'a> {
    /// A desk for one thread. `machine` has its clock.
    pub fn new(queue: &'a Queue<'a>, machine: &'a dyn Machine, sender: Sender<Message>) -> Desk<'a> {
        let mut state = queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.desks += 1;
        let number = state.desks;
        drop(state);
        Desk { queue, number, machine, sender }
    }

    pub(super) fn machine(&self) -> &'a dyn Machine {
        self.machine
    }

    /// The next case to be carried out. Waits while all that are left wait for search trials or for a card that another desk uses.
    /// `None` if none is left or the user stops the run.
    pub(super) fn next(&self) -> Option<Assignment> {
        loop {
            let (index, beginning) = self.queue.next(self.number)?;
            if let Some(assignment) = self.begin(index, beginning) {
                return Some(assignment);
            }
        }
    }

    /// All cases that can be carried out now.
    pub(super) fn all_ready(&self) -> Vec<Assignment> {
        let mut assignments = Vec::new();
        loop {
            let ready = self.queue.all_ready();
            if ready.is_empty() {
                return assignments;
            }
            // A search trial that is refused has ended, so that others may be ready now.
            assignments.extend(ready.into_iter().filter_map(|(index, beginning)| self.begin(index, beginning)));
        }
    }

    /// The case with the parameters that it is run with. `None` if it is not run, and has ended.
    fn begin(&self, index: usize, beginning: Beginning) -> Option<Assignment> {
        let case = self.queue.cases[index].clone();
        let (params, found) = match (&case.unsupported, beginning) {
            (Some(reason), _) => {
                self.not_run(index, case.clone(), Outcome::without_numbers(Status::Unsupported, reason));
                return None;
            }
            (None, Beginning::Refused(outcome)) => {
                self.queue.ended(&case, &outcome, None);
                self.not_run(index, case, *outcome);
                return None;
            }
            (None, Beginning::Run(params, found)) => (params, found),
        };
        Some(Assignment { index, case: Case { params, ..case }, found })
    }

    fn not_run(&self, index: usize, case: Case, outcome: Outcome) {
        self.started(index);
        self.send(Message::Done(index, Box::new((case, outcome)), None));
    }

    /// Says that a case has begun.
    pub(super) fn started(&self, index: usize) {
        self.send(Message::Started(index));
    }

    /// Passes on what a running case says.
    pub(super) fn told(&self, index: usize, event: Event) {
        self.send(Message::Told(index, event));
    }

    /// Tells the user something.
    pub(super) fn say(&self, text: impl Into<String>) {
        self.send(Message::Said(text.into()));
    }

    /// Says which machine measured a case in place of this one.
    pub(super) fn measured_on(&self, node: Node) {
        self.send(Message::MeasuredOn(Box::new(node)));
    }

    /// Hands in the outcome of a case.
    pub(super) fn done(&self, assignment: Assignment, mut outcome: Outcome, wall_s: Option<f64>) {
        let Assignment { index, case, found } = assignment;
        self.queue.ended(&case, &outcome, wall_s);
        outcome.values.splice(0..0, found);
        self.send(Message::Done(index, Box::new((case, outcome)), wall_s));
    }

    /// Sending fails only if the receiver is gone. Then nobody needs the message.
    fn send(&self, message: Message) {
        drop(self.sender.send(message));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::executor::slurm::tests::{plan, seeds};
    use crate::machine::ThisMachine;

    /// Cases on these devices, each with the address of its card.
    fn cases(devices: &[(&str, Option<&str>)]) -> Vec<Case> {
        let planned = plan(&seeds(devices.len())).cases;
        let on = |(case, (device, card)): (Case, &(&str, Option<&str>))| Case {
            device: (*device).to_owned(),
            card: card.map(str::to_owned),
            ..case
        };
        planned.into_iter().zip(devices).map(on).collect()
    }

    fn queue(cases: &[Case]) -> Queue<'_> {
        Queue::new(cases, Searches::new(&plan(&seeds(cases.len()))))
    }

    fn desk<'a>(queue: &'a Queue<'a>) -> Desk<'a> {
        Desk::new(queue, &ThisMachine, mpsc::channel().0)
    }

    fn end(desk: &Desk<'_>, assignment: Assignment) {
        desk.done(assignment, Outcome::without_numbers(Status::Ok, ""), Some(1.0));
    }

    #[test]
    fn a_case_whose_card_is_in_use_lets_cases_of_other_devices_go_first() {
        let address = Some("0000:01:00.0");
        let cases = cases(&[("wgpu", address), ("cuda", address), ("cpu", None), ("cuda:1", Some("0000:02:00.0"))]);
        let queue = queue(&cases);
        let desks = [(); 3].map(|()| desk(&queue));
        let begun = desks.each_ref().map(|desk| desk.next().unwrap());
        assert_eq!(begun.each_ref().map(|one| one.index), [0, 2, 3], "cuda is the card of wgpu");
        let [of_card, of_processor, of_other] = begun;
        end(&desks[1], of_processor);
        end(&desks[2], of_other);
        thread::scope(|scope| {
            let waits = scope.spawn(|| desks[1].next().map(|one| one.index));
            thread::sleep(Duration::from_millis(50));
            assert!(!waits.is_finished(), "the last case waits for its card");
            end(&desks[0], of_card);
            assert_eq!(waits.join().unwrap(), Some(1));
        });
    }

    #[test]
    fn a_card_without_an_address_is_known_by_its_device() {
        let cases = cases(&[("wgpu", None), ("wgpu", None), ("wgpu:1", None)]);
        let queue = queue(&cases);
        let (one, other) = (desk(&queue), desk(&queue));
        let (first, second) = (one.next().unwrap(), other.next().unwrap());
        assert_eq!((first.index, second.index), (0, 2));
        end(&one, first);
        assert_eq!(other.next().unwrap().index, 1);
    }

    #[test]
    fn a_desk_may_have_several_cases_on_its_card_under_way_and_keeps_it_until_the_last_has_ended() {
        let cases = cases(&[("wgpu", None), ("wgpu", None), ("wgpu", None), ("cpu", None)]);
        let queue = queue(&cases);
        let (one, other) = (desk(&queue), desk(&queue));
        let (first, second) = (one.next().unwrap(), one.next().unwrap());
        assert_eq!((first.index, second.index), (0, 1), "they are served by turns");
        end(&one, first);
        assert_eq!(other.next().unwrap().index, 3);
        end(&one, second);
        assert_eq!(other.next().unwrap().index, 2);
    }
}
