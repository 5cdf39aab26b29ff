//! The record and its index: nothing lost, nothing twice.
