//! Everything that is tested from outside the crate, one module a topic.

mod read;
mod report;
