//! Load on a model: which scenarios a case measures, when queries arrive, how they wait for a worker, and which rate holds a bound on
//! their latency. Nothing here knows a model; docs/latency.md says where the rules come from.

mod arrivals;
mod clock;
mod closed_loop;
mod config;
mod queue;
mod rate_search;
#[cfg(test)]
mod virtual_time;
mod warm_up;

pub use arrivals::{Arrivals, arrivals};
pub use clock::{ClockFault, StillClock, suspended_since, wait_until};
pub use closed_loop::one_after_another;
pub use config::{LatencyConfig, Limits, MLPERF_DURATION_S, SERVER_PERCENTILE, Scenario};
pub use queue::{Load, Served, Worker, serve_all};
pub use rate_search::{MOST_STEPS, Search, highest_rate};
pub use warm_up::WarmUp;
