//! The whole program, run as a user runs it: over fakes for exact numbers and faults, over the real models for its data.
#![expect(clippy::unwrap_used, reason = "tests")]

mod axes;
mod backfill;
mod bad_input;
mod batch_sizes;
mod budgets;
#[cfg(feature = "wgpu")]
mod cards;
mod checkpoints;
mod claims_suites;
mod common;
mod curves;
mod data;
mod devices;
mod energy;
mod ensembles;
mod explained;
mod exports;
#[cfg(target_os = "linux")]
mod external;
mod faults;
mod generated_text;
mod histories;
mod hybrids;
mod judged;
mod latency;
mod lists;
mod locks;
mod looks;
mod memory;
mod model_tasks;
mod models;
mod nightly;
mod noise;
mod older_runs;
mod own_data;
mod own_data_faults;
mod processes;
mod readings;
#[cfg(unix)]
mod replaced_files;
mod resumed;
mod resumed_searches;
mod rounds;
mod rows;
mod search;
mod search_methods;
mod served;
mod served_faults;
mod sheets;
mod slurm;
mod tables;
#[cfg(target_os = "linux")]
mod terminals;
mod unlabelled;
mod whole_program;
