//! The `bakeoff` binary.
fn main() {}
