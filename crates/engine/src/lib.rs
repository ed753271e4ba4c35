//! Align, normalise, compare, judge: pure functions of snapshots, rules and a time that is handed in.
//!
//! The modules stand in this order, and each names only earlier ones: `align < normalise < compare <
//! boundary`. No I/O, no clock, no randomness: same inputs, same answer, to the byte.

pub mod boundary;
pub mod compare;

pub use boundary::judge;
pub use compare::compare;
