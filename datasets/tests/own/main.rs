//! A user's own data through the public readers: what they give, and how they refuse what is broken.
#![expect(clippy::unwrap_used, reason = "tests")]

mod arbitrary;
mod common;
mod images;
mod records;
mod splits;
mod table;
