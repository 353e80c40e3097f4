//! Cases on this machine, one after the other in a thread. If they are served in rounds, the models of a setting take turns.

use super::desk::{Assignment, Desk};
use super::{Local, UnderWay};
use crate::case::Case;
use crate::interrupt;
use crate::stopwatch::Stopwatch;

/// A case whose model is fitted.
struct Fitted {
    assignment: Assignment,
    under_way: UnderWay,
    /// The seconds of its processes, without those in which other cases had their turn.
    wall_s: f64,
}

/// Takes cases from the desk until there are none left or the user stops the run. If they are served in rounds, those that were fitted
/// wait for the others with which they take turns.
pub(super) fn work(local: &(impl Local + ?Sized), desk: &Desk<'_>) {
    let mut fitted: Vec<Fitted> = Vec::new();
    loop {
        let next = desk.next();
        let goes_on =
            |next: &Assignment| fitted.first().is_none_or(|first| is_same_turn(&first.assignment.case, &next.case));
        if !next.as_ref().is_some_and(goes_on) && serve(local, desk, std::mem::take(&mut fitted)).is_none() {
            return;
        }
        let Some(assignment) = next else { return };
        let Some(one) = fit(local, desk, assignment) else { return };
        if one.assignment.case.latency.rounds > 1 && !one.under_way.is_over() {
            fitted.push(one);
        } else if serve(local, desk, vec![one]).is_none() {
            return;
        }
    }
}

/// Whether two cases differ in their model only, or in their device, so that their times are compared.
fn is_same_turn(one: &Case, other: &Case) -> bool {
    let turn = |case: &Case| (case.train_size, case.label_noise.to_bits(), case.seed, case.fold);
    one.task == other.task && turn(one) == turn(other)
}

/// Fits the model of a case. `None` if the user stopped it.
fn fit(local: &(impl Local + ?Sized), desk: &Desk<'_>, assignment: Assignment) -> Option<Fitted> {
    desk.started(assignment.index);
    let stopwatch = Stopwatch::start(desk.machine());
    let under_way = local.fit(&assignment.case, &mut |event| desk.told(assignment.index, event))?;
    let wall_s = stopwatch.seconds();
    Some(Fitted { assignment, under_way, wall_s })
}

/// Serves these models by turns until nothing is left to be served, and hands in the outcomes of their cases. `None` if the user
/// stopped it.
fn serve(local: &(impl Local + ?Sized), desk: &Desk<'_>, mut fitted: Vec<Fitted>) -> Option<()> {
    while fitted.iter().any(|one| !one.under_way.is_over()) {
        for one in fitted.iter_mut().filter(|one| !one.under_way.is_over()) {
            if interrupt::requested() {
                return None;
            }
            let stopwatch = Stopwatch::start(desk.machine());
            let index = one.assignment.index;
            local.serve(&mut one.under_way, &mut |event| desk.told(index, event))?;
            one.wall_s += stopwatch.seconds();
        }
    }
    for Fitted { assignment, under_way, wall_s } in fitted {
        desk.done(assignment, under_way.outcome(), Some(wall_s));
    }
    Some(())
}
