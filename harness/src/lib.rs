//! The instrument: suite -> plan -> case -> child process -> outcome -> record.
//!
//! This is the only crate that knows datasets, models and reports. It times and scores; models only predict.

pub mod budget;
mod card_faults;
pub mod case;
pub mod checkpoint;
pub mod commands;
pub mod conformance;
pub mod devices;
pub mod energy;
pub mod executor;
pub mod explain;
pub mod forecast;
pub mod interrupt;
pub mod load;
pub mod machine;
pub mod measure;
pub mod meters;
pub mod noise;
pub mod nvml;
pub mod outcome;
pub mod phase;
pub mod plan;
mod process_tree;
pub mod program;
pub mod progress;
pub mod protocol;
pub mod recorder;
pub mod rows;
pub mod runner;
pub mod scoring;
pub mod search;
pub mod serving;
pub mod session;
pub mod stopwatch;
pub mod suite;
pub mod tasks;
pub mod threads;
pub mod usage;
pub mod wordless;
pub mod worker;

/// The commit that the program was built from, or `unknown`.
pub const COMMIT: &str = env!("BAKEOFF_COMMIT");
/// The compiler that built the program.
pub const TOOLCHAIN: &str = env!("BAKEOFF_TOOLCHAIN");
