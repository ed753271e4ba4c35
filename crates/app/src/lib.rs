//! Use cases of Parallax, and the faces that call them: the command line now, HTTP and agents' tools
//! later. The only room that knows of clap, colours and report formats; it holds no logic that a
//! library's caller would miss.

pub mod cli;
pub mod config;
pub mod error;
pub mod report;
pub mod usecase;
pub mod view;
