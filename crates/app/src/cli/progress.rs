//! A spinner per environment while it is observed, and a bar while registries are asked; on a terminal only.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::usecase::{Progress, RegistryProgress};

/// Draws on standard error.
#[derive(Debug, Default)]
pub(super) struct Spinners {
    all: MultiProgress,
    running: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Progress for Spinners {
    fn begin(&self, name: &str, place: &str) {
        let bar = self.all.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(crate::view::clean(&format!("{name}: observing {place}")));
        bar.enable_steady_tick(Duration::from_millis(100));
        if let Ok(mut running) = self.running.lock() {
            running.insert(name.to_owned(), bar);
        }
    }

    fn end(&self, name: &str) {
        let bar = self.running.lock().ok().and_then(|mut running| running.remove(name));
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }
}

/// How much of a long work is done.
#[derive(Debug)]
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar on standard error.
    pub(super) fn drawn() -> Self {
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} {elapsed}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// A bar that nobody sees.
    pub(super) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    pub(super) fn tell(&self, done: usize, of: usize) {
        self.0.set_length(of as u64);
        self.0.set_position(done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar of the packages that registries are asked about.
#[derive(Debug)]
pub(super) struct RegistryBar(ProgressBar);

impl RegistryBar {
    pub(super) fn new() -> Self {
        Self(ProgressBar::hidden())
    }
}

impl RegistryProgress for RegistryBar {
    fn begin(&self, packages: usize) {
        self.0.set_length(u64::try_from(packages).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} packages asked about {eta}")
        {
            self.0.set_style(style);
        }
        self.0.set_draw_target(indicatif::ProgressDrawTarget::stderr());
    }

    fn step(&self) {
        self.0.inc(1);
    }

    fn end(&self) {
        self.0.finish_and_clear();
    }
}
