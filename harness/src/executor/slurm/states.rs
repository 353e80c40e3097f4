//! What Slurm says of tasks, and what it means for their cases.

use std::ops::RangeInclusive;

use bakeoff_reports::Status;

/// Some tasks of an array that are in the same state, as a line of `squeue` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskLine {
    /// The id of the array.
    pub job: String,
    /// The numbers of the tasks.
    pub tasks: Vec<RangeInclusive<u32>>,
    /// Their state, in Slurm's word.
    pub state: String,
    /// Why they wait, in Slurm's word.
    pub reason: String,
    /// Where they run or ran; empty if they did not begin.
    pub node: String,
}

/// What `squeue` is to print: array, task numbers, state, reason, nodes.
pub(super) const LINE_FORMAT: &str = "%F|%K|%T|%r|%N";

impl TaskLine {
    /// Reads a line of `squeue`. `None` if it is none, or of a job that is no array.
    pub(super) fn read(line: &str) -> Option<TaskLine> {
        let mut fields = line.trim().splitn(5, '|');
        let mut field = || fields.next().map(str::to_owned);
        let (job, tasks, state, reason, node) = (field()?, field()?, field()?, field()?, field()?);
        // A limit on how many run at the same time follows the numbers.
        let tasks = tasks.split('%').next()?.split(',').map(range).collect::<Option<_>>()?;
        Some(TaskLine { job, tasks, state, reason, node })
    }
}

/// `3` or `3-7`; with a step, `0-6:2`, each task counts as between the ends, because all arrays of ours have the step 1.
fn range(text: &str) -> Option<RangeInclusive<u32>> {
    let text = text.trim_matches(['[', ']']);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.split(':').next()?.parse().ok()?)
}

/// What a state of Slurm means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It waits, or was sent back to the queue.
    Waits,
    /// It runs, or nearly does.
    Runs,
    /// It has ended.
    Over,
}

/// The stage of a task in this state. A state that this program does not know is not the end of anything.
pub(super) fn stage(state: &str) -> Stage {
    match state {
        "PENDING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED" | "RESV_DEL_HOLD" | "SPECIAL_EXIT" => Stage::Waits,
        "COMPLETED" | "FAILED" | "CANCELLED" | "TIMEOUT" | "DEADLINE" | "OUT_OF_MEMORY" | "NODE_FAIL" | "BOOT_FAIL"
        | "PREEMPTED" | "REVOKED" => Stage::Over,
        _ => Stage::Runs,
    }
}

/// How a case ends whose task is over and left no outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// The task was lost through no fault of its case, so it is submitted again.
    Lost(String),
    /// This is the result of the case.
    Result(Status, String),
}

/// What the log of a task says if Slurm ended it for its memory without control groups: its state is `FAILED` then.
const OVER_MEMORY: &[&str] = &["exceeded memory limit", "Exceeded job memory limit"];

/// How the case of a task in this state ends. `node` is where it ran, and `last_words` are the last lines of its log.
pub(super) fn ending(state: &str, node: &str, last_words: &str) -> Ending {
    let on = if node.is_empty() { String::new() } else { format!(" on node {node}") };
    let out_of_memory = || {
        let why = "which took more memory than it had asked for: raise memory_limit_gib in the suite";
        Ending::Result(Status::OutOfMemory, format!("Slurm ended its task{on}, {why}"))
    };
    match state {
        "TIMEOUT" | "DEADLINE" => Ending::Result(
            Status::TimedOut,
            format!("Slurm ended its task{on} at the time limit of the task: raise time in [slurm] of the suite"),
        ),
        "OUT_OF_MEMORY" => out_of_memory(),
        "FAILED" if OVER_MEMORY.iter().any(|sign| last_words.contains(sign)) => out_of_memory(),
        "CANCELLED" => Ending::Result(Status::Failed, format!("it was cancelled in Slurm{on}")),
        "FAILED" => Ending::Result(Status::Failed, format!("it failed{on}{last_words}")),
        "NODE_FAIL" | "BOOT_FAIL" => Ending::Lost(format!("its node failed{on}")),
        "PREEMPTED" => Ending::Lost(format!("it had to make room for another job{on}")),
        "REVOKED" => Ending::Lost(format!("Slurm revoked it{on}")),
        "COMPLETED" => Ending::Lost(format!("it is said to have completed{on}, and left no outcome{last_words}")),
        _ => Ending::Lost("Slurm does not know it any more".to_owned()),
    }
}

/// Reasons for which a task waits for ever, unless somebody changes the task or the cluster.
const NEVER_STARTS: &[&str] = &[
    "AccountNotAllowed",
    "AssocMaxWallDurationPerJobLimit",
    "BadConstraints",
    "DependencyNeverSatisfied",
    "InvalidAccount",
    "InvalidQOS",
    "PartitionNodeLimit",
    "PartitionTimeLimit",
    "QOSMaxWallDurationPerJobLimit",
    "QOSNotAllowed",
];

/// Whether a task that waits for this reason waits for ever.
pub(super) fn never_starts(reason: &str) -> bool {
    NEVER_STARTS.contains(&reason)
}

/// Whether a reason needs no explanation: there is work before it.
pub(super) fn is_ordinary(reason: &str) -> bool {
    ["None", "Resources", "Priority", "JobArrayTaskLimit", "BeginTime", "Cleaning"].contains(&reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_squeue_are_read_as_debians_slurm_wrote_them() {
        let read =
            |line: &str| TaskLine::read(line).map(|line| (line.job, line.tasks, line.state, line.reason, line.node));
        let is = |line: &str, job: &str, tasks: &[RangeInclusive<u32>], state: &str, reason: &str, node: &str| {
            let expected = (job.to_owned(), tasks.to_vec(), state.to_owned(), reason.to_owned(), node.to_owned());
            assert_eq!(read(line), Some(expected), "{line}");
        };
        is("2|0-3|PENDING|None|", "2", &[0..=3], "PENDING", "None", "");
        is("2|0|RUNNING|None|vm", "2", &[0..=0], "RUNNING", "None", "vm");
        is("11|0-3%2|PENDING|JobArrayTaskLimit|", "11", &[0..=3], "PENDING", "JobArrayTaskLimit", "");
        is("11|1,4-6|PENDING|Priority|", "11", &[1..=1, 4..=6], "PENDING", "Priority", "");
        assert_eq!(read("8|N/A|RUNNING|None|vm"), None, "a job that is no array");
        assert_eq!(read("slurm_load_jobs error: Invalid job id specified"), None);
    }

    #[test]
    fn a_state_that_this_program_does_not_know_ends_nothing() {
        assert_eq!(stage("COMPLETING"), Stage::Runs);
        assert_eq!(stage("SOMETHING_NEW"), Stage::Runs);
        assert_eq!(stage("REQUEUED"), Stage::Waits);
        assert_eq!(stage("CANCELLED"), Stage::Over);
    }

    #[test]
    fn only_a_task_that_was_lost_through_no_fault_of_its_case_is_submitted_again() {
        for state in ["NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "REVOKED", "COMPLETED", ""] {
            assert!(matches!(ending(state, "", ""), Ending::Lost(_)), "{state}");
        }
        for state in ["FAILED", "CANCELLED", "TIMEOUT", "DEADLINE", "OUT_OF_MEMORY"] {
            assert!(matches!(ending(state, "", ""), Ending::Result(..)), "{state}");
        }
    }

    #[test]
    fn a_task_that_slurm_ends_for_its_memory_without_control_groups_is_out_of_memory() {
        // As Debian's Slurm wrote it into the log.
        let log = "; its last output: slurmstepd-vm: error: StepId=3.batch exceeded memory limit (1578332160 > 314572800), being killed";
        assert!(matches!(ending("FAILED", "vm", log), Ending::Result(Status::OutOfMemory, _)));
        assert!(matches!(ending("FAILED", "vm", "; its last output: no room"), Ending::Result(Status::Failed, _)));
    }
}
