//! The host: kernel, distribution, C library, processor, limits, control group, locale, time zone,
//! certificates, what it runs in, and its name.
//!
//! Two batches: one that suits any host, and one that the first makes possible (the control group's own
//! folder, the C library's version, what only macOS has). Files are read where files tell; the only processes
//! are `readlink` and, on Linux with glibc, `getconf`. Nothing here judges whether a host is fit.

mod cgroup;
mod facts;
mod limits;
mod parse;
pub(crate) mod processor;
mod settings;
mod surroundings;
mod system;
#[cfg(test)]
mod tests;
mod windows;

pub use windows::{windows_path, windows_search_path};

use crate::machine::{Batch, Machine, ProbeError, Replies};
use crate::{Collected, Collector, Scope};
use facts::{Asked, Facts};

/// The collector.
pub(crate) const COLLECTOR: Collector = Collector {
    name: "host",
    version: 1,
    kinds: &[
        "kernel",
        "os",
        "libc",
        "cpu",
        "limits",
        "cgroup",
        "locale",
        "time",
        "certificates",
        "virtualisation",
        "hostname",
    ],
    needs_project: false,
    collect,
};

fn collect(machine: &dyn Machine, scope: &Scope) -> Collected {
    let mut out = Collected::default();
    let mut batch = Batch::new();
    let asked = Asked::ask(&mut batch, scope);
    let facts = match machine.run(&batch) {
        Ok(replies) => Facts::read(&asked, &replies),
        Err(error) => {
            out.gap("host/**", error.gap_kind(), error.to_string());
            return out;
        }
    };

    let mut batch = Batch::new();
    let libc = system::ask_libc(&mut batch, &facts);
    let group = cgroup::ask(&mut batch, &facts);
    let mac = processor::ask_mac(&mut batch, &facts);
    let ulimit = limits::ask_mac(&mut batch, &facts);
    let zone = settings::ask_zone(&mut batch, &facts);
    let bundle = settings::ask_bundle(&mut batch, &facts);
    let replies = if batch.is_empty() { Replies::default() } else { second(machine, &batch) };

    system::kernel(&mut out, &facts);
    system::distribution(&mut out, &facts);
    system::libc(&mut out, &facts, &libc, &replies);
    system::name(&mut out, &facts);
    let mac = processor::read_mac(&mac, &replies);
    processor::processor(&mut out, &facts, &mac);
    limits::limits(&mut out, &facts, ulimit, &replies);
    cgroup::control_group(&mut out, &facts, &group, &replies);
    settings::locale(&mut out, &facts);
    settings::time_zone(&mut out, &facts, zone, &replies);
    settings::certificates(&mut out, &facts, &bundle, &replies);
    surroundings::virtualisation(&mut out, &facts, &mac);
    out
}

/// The replies to the second batch. A machine that is gone by then costs each of its probes.
fn second(machine: &dyn Machine, batch: &Batch) -> Replies {
    machine.run(batch).unwrap_or_else(|error| {
        let lost = || Err(ProbeError::Failed(error.to_string()));
        Replies(batch.ops().iter().map(|_| lost()).collect())
    })
}
