//! Fetching, against a server and folders of this test: what goes right, and everything that can go wrong.
#![expect(clippy::unwrap_used, reason = "tests")]

mod archives;
mod mirrors;
mod network;
mod server;
mod toys;
