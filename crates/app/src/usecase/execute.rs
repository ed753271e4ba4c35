//! Checks this process' own environment against the schema.

use parallax_collect::project::env_example;
use parallax_engine::boundary::{Origin, VariableSchema, VariableShape, check_variables};

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

/// Files that tell which variables an application expects.
const EXAMPLES: [&str; 3] = [".env.example", ".env.sample", ".env.template"];

/// Checks the variables of this process.
///
/// # Errors
/// Where there is no schema, or its file can't be read.
pub fn check_process(context: &Context) -> Result<VariableCheck, AppError> {
    let schema = schema(context)?;
    let value = |name: &str| std::env::var_os(name).map(|v| v.to_string_lossy().into_owned());
    let found = check_variables(&schema, value);
    Ok(if found.is_empty() { VariableCheck::Valid } else { VariableCheck::Invalid(found) })
}

fn schema(context: &Context) -> Result<Vec<VariableSchema>, AppError> {
    if !context.config.env_schema.is_empty() {
        return Ok(context.config.env_schema.clone());
    }
    let folder = &context.config.folder;
    let Some(name) = EXAMPLES.iter().find(|name| folder.join(name).is_file()) else {
        return Err(AppError::usage("there is no environment schema to check").hint(
            "write `env_schema: {NAME: {type: url, required: true}}` in parallax.yaml, or keep a .env.example",
        ));
    };
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).map_err(|e| AppError::io("read", path.display(), &e))?;
    Ok(derived(&text, name))
}

/// A variable of an example file is required where the file gives it no value to fall back on.
pub(super) fn derived(text: &str, name: &str) -> Vec<VariableSchema> {
    env_example(text)
        .into_iter()
        .map(|variable| VariableSchema {
            name: variable.name,
            required: !variable.has_default,
            shape: VariableShape::Any,
            origin: Origin::File { path: name.to_owned(), line: variable.line },
        })
        .collect()
}
