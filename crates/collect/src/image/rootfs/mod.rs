//! An image's file system, without a container: its layers unpacked into an index of paths, beside one unlinked file
//! that holds the bytes that may be asked for. Starts nothing and writes no file that anybody could find.

mod machine;
mod spool;
mod tree;
mod unpack;

pub(super) use machine::ImageMachine;
pub(super) use spool::Spool;
pub(super) use unpack::{Limits, unpack};
