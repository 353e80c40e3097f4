//! The whole program, run as a user runs it: over fakes for exact numbers and faults, over the real models for its data.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bad_input;
mod common;
mod data;
mod faults;
mod older_runs;
mod own_data;
mod own_data_faults;
mod readings;
mod rows;
mod whole_program;
