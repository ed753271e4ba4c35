//! Checks this process' own environment against the schema.

use parallax_collect::machine::Local;
use parallax_collect::project::{ExampleFile, read_env_example};
use parallax_engine::boundary::{Origin, Seen, VariableSchema, VariableShape, check_variables};

use super::Context;
use crate::error::AppError;

/// The answer of a check.
#[derive(Debug, PartialEq, Eq)]
pub enum VariableCheck {
    /// The application may start.
    Valid,
    /// What is wrong, a line each.
    Invalid(Vec<String>),
}

/// Checks the variables of this process.
///
/// # Errors
/// Where there is no schema, or its file can't be read.
pub fn check_process(context: &Context) -> Result<VariableCheck, AppError> {
    let schema = schema(context)?;
    let values: Vec<Option<String>> = schema
        .iter()
        .map(|variable| std::env::var_os(&variable.name).map(|v| v.to_string_lossy().into_owned()))
        .collect();
    let seen = |name: &str| {
        let at = schema.iter().position(|variable| variable.name == name);
        match at.and_then(|at| values.get(at)).and_then(Option::as_deref) {
            Some(value) => Seen::Plain(value),
            None => Seen::Absent,
        }
    };
    let found = check_variables(&schema, seen);
    if found.is_empty() {
        return Ok(VariableCheck::Valid);
    }
    let line = |origin: &Origin| match origin {
        Origin::File { path, line } => format!("{path}:{line}"),
        Origin::Profile(name) | Origin::Flag(name) => (*name).to_owned(),
    };
    let told =
        |p: &parallax_engine::boundary::VariableProblem| format!("{} ({})", p.message, line(&p.origin));
    Ok(VariableCheck::Invalid(found.iter().map(told).collect()))
}

fn schema(context: &Context) -> Result<Vec<VariableSchema>, AppError> {
    if !context.config.env_schema.is_empty() {
        return Ok(context.config.env_schema.clone());
    }
    let derived = example(context)?;
    if derived.is_empty() {
        return Err(AppError::usage("there is no environment schema to check").hint(
            "write `env_schema: {NAME: {type: url, required: true}}` in parallax.yaml, or keep a .env.example",
        ));
    }
    Ok(derived)
}

/// The schema that the project's example file gives; empty where it has none.
pub(super) fn example(context: &Context) -> Result<Vec<VariableSchema>, AppError> {
    let machine = Local::new(None);
    let example = read_env_example(&machine, &context.config.folder.display().to_string()).map_err(|e| {
        AppError::usage("the example of an environment could not be read").caused_by(e.to_string())
    })?;
    Ok(example.map(derived).unwrap_or_default())
}

/// A variable of an example file is required where the file gives it no value to fall back on. What its
/// sample looks like demands nothing: a sample is one possible value.
fn derived(example: ExampleFile) -> Vec<VariableSchema> {
    let name = example.name;
    let schema = |variable: parallax_collect::project::ExampleVariable| VariableSchema {
        required: !variable.has_default(),
        name: variable.name,
        shape: VariableShape::Any,
        origin: Origin::File { path: name.to_owned(), line: variable.line },
    };
    example.variables.into_iter().map(schema).collect()
}
