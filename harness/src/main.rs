//! The `bakeoff` binary: the program with the built-in tasks and models.

use std::process::ExitCode;

use bakeoff::machine::ThisMachine;
use bakeoff::program::Program;
use bakeoff::tasks::TASKS;

// glibc's allocator returns large blocks to the kernel at every training step; see docs/benchmarks.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let program = Program { tasks: TASKS, models: bakeoff_models::ENTRIES, machine: &ThisMachine };
    bakeoff::commands::main(&program, std::env::args_os())
}
