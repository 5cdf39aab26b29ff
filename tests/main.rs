//! Everything that is tested from outside the crate, one module a topic.

mod analyze;
mod gold;
mod normalize;
mod read;
mod report;
mod support;
mod tools;
