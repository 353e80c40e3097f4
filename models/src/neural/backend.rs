//! What training and prediction use of a device beside the networks' own functions: threads that share the work, and the
//! arithmetic of a step. The only device is the processor.

pub(crate) use super::cpu::Pools;
pub(super) use super::cpu::{ADAM, Optimizer, Pace, add, clip};
