//! The integration tests, one module a subject.

mod casebook;
mod common;
mod search;
