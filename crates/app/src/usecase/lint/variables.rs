//! Environment files against the schema: one that was named whole, and an example's samples by their shape. No value is
//! ever told: it may be a secret.

use parallax_collect::project::env_lines;
use parallax_engine::boundary::{Origin as Declared, Seen, Severity, VariableProblem, check_variables};
use parallax_model::Code;

use super::files::{File, Origin};
use super::{Finding, Fix, Lint};
use crate::error::AppError;
use crate::usecase::{Context, execute};

/// Checks a file where it is one of variables.
pub(super) fn check(file: &File, context: &Context, out: &mut Lint) -> Result<(), AppError> {
    let name = file.name.rsplit('/').next().unwrap_or(&file.name);
    let is_example = [".env.example", ".env.sample", ".env.template", ".env.dist"].contains(&name);
    let is_own = (name == ".env" || name.starts_with(".env.") || name.ends_with(".env")) && !is_example;
    let Some(text) = file.text().filter(|_| is_example || (is_own && file.origin == Origin::Named)) else {
        return Ok(());
    };
    let written = &context.config.env_schema;
    // An example is what the derived schema comes from, and demands nothing of itself.
    let schema = match (written.is_empty(), is_example) {
        (false, _) => written.clone(),
        (true, true) => return Ok(()),
        (true, false) => execute::example(context)?,
    };
    let lines = env_lines(text.strip_prefix('\u{feff}').unwrap_or(text));
    // Of several assignments the last counts.
    let line_of = |name: &str| lines.iter().rev().find(|line| line.name == name);
    let problems: Vec<VariableProblem> = schema
        .iter()
        .flat_map(|variable| {
            let one = std::slice::from_ref(variable);
            match line_of(&variable.name) {
                Some(line) => line.judge(|value| match (is_example, value) {
                    (true, "") => Vec::new(),
                    (_, value) => check_variables(one, |_| Seen::Plain(value)),
                }),
                None if is_example => Vec::new(),
                None => check_variables(one, |_| Seen::Absent),
            }
        })
        .collect();
    out.findings.extend(problems.into_iter().map(|problem| {
        let declared = match &problem.origin {
            Declared::File { path, line } => format!("{path}:{line}"),
            Declared::Profile(name) | Declared::Flag(name) => (*name).to_owned(),
        };
        Finding {
            code: Code::EnvInvalid,
            severity: Severity::Error,
            path: file.shown.clone(),
            line: line_of(&problem.name).map_or(1, |line| line.line),
            column: 1,
            message: problem.message,
            why: format!("{declared} says that it {}", problem.demand),
            mend: format!("correct {} here, or the schema", problem.name),
            fix: Fix::None,
        }
    }));
    Ok(())
}
