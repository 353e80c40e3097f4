//! The history of many runs: which levels its series have, since when, and what tonight's numbers say.

mod change_points;
mod floors;
mod noise;
mod tonight;

pub use change_points::{ChangePoint, change_points};
pub use floors::Floors;
pub use tonight::{NightTest, NoBaseline, Tonight, judge_tonight, suspects};
