//! The table that a subject prints. Formats only.

use std::fmt;

use crate::measure::Cost;

/// Ours first, then peers, then what could not be measured here.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

#[derive(Debug)]
struct Row {
    name: String,
    cost: Option<Cost>,
    /// Processor seconds that were measured elsewhere.
    reported: Option<&'static str>,
}

impl Table {
    /// A line that was measured here.
    pub(crate) fn measured(&mut self, name: impl Into<String>, cost: Cost) {
        self.rows.push(Row { name: name.into(), cost: Some(cost), reported: None });
    }

    /// A peer: measured if it is installed, and beside it the figure reported for it.
    pub(crate) fn peer(&mut self, name: &str, cost: Result<Cost, String>, reported: Option<&'static str>) {
        let cost = cost.map_err(|why| self.notes.push(format!("NOT MEASURED: {name}: {}", why.trim()))).ok();
        self.rows.push(Row { name: name.to_owned(), cost, reported });
    }

    /// A line beneath the table.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

/// The ratio is processor time against the first measured row.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ours = self.rows.iter().find_map(|row| row.cost);
        writeln!(
            f,
            "  {:46} {:>11} {:>8} {:>8} {:>8} {:>11}",
            "", "processor s", "ratio", "wall s", "MB", "reported s"
        )?;
        for row in &self.rows {
            let reported = row.reported.unwrap_or("");
            match (row.cost, ours) {
                (Some(cost), Some(ours)) => writeln!(
                    f,
                    "  {:46} {:>11.3} {:>8.1} {:>8.3} {:>8.0} {reported:>11}",
                    row.name,
                    cost.processor,
                    cost.processor / ours.processor.max(1e-6),
                    cost.wall,
                    cost.memory
                )?,
                (Some(_) | None, _) => {
                    writeln!(
                        f,
                        "  {:46} {:>11} {:>8} {:>8} {:>8} {reported:>11}",
                        row.name, "-", "-", "-", "-"
                    )?;
                }
            }
        }
        if self.rows.iter().any(|row| row.reported.is_some()) {
            writeln!(
                f,
                "\n  reported: processor seconds measured elsewhere, on input of the same size; not by this run"
            )?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  {note}"))
    }
}
