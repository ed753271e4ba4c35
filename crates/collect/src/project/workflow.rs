//! GitHub workflows: what their `setup-*` steps and job containers pin. An expression takes its value from the
//! matrix or from `env` of the file; one that only the CI knows stays as it is written. Pure.

use super::image;
use super::pin::{Pin, Read};
use super::yaml::{Content, Node, parse};

/// A `setup-*` action: its name, the tool, the input with the version, the input that names a file.
struct Action(&'static str, &'static str, &'static str, &'static str);

const ACTIONS: &[Action] = &[
    Action("actions-rs/toolchain", "rustc", "toolchain", ""),
    Action("actions-rust-lang/setup-rust-toolchain", "rustc", "toolchain", ""),
    Action("actions/setup-dotnet", "dotnet", "dotnet-version", "global-json-file"),
    Action("actions/setup-go", "go", "go-version", "go-version-file"),
    Action("actions/setup-java", "java", "java-version", "java-version-file"),
    Action("actions/setup-node", "node", "node-version", "node-version-file"),
    Action("actions/setup-python", "python", "python-version", "python-version-file"),
    Action("actions/setup-ruby", "ruby", "ruby-version", ""),
    Action("astral-sh/setup-uv", "uv", "version", ""),
    Action("astral-sh/setup-uv", "python", "python-version", ""),
    Action("azure/setup-helm", "helm", "version", ""),
    Action("azure/setup-kubectl", "kubectl", "version", ""),
    Action("denoland/setup-deno", "deno", "deno-version", "deno-version-file"),
    Action("dtolnay/rust-toolchain", "rustc", "toolchain", ""),
    Action("erlef/setup-beam", "elixir", "elixir-version", "version-file"),
    Action("erlef/setup-beam", "erl", "otp-version", "version-file"),
    Action("gradle/actions/setup-gradle", "gradle", "gradle-version", ""),
    Action("hashicorp/setup-terraform", "terraform", "terraform_version", ""),
    Action("oven-sh/setup-bun", "bun", "bun-version", "bun-version-file"),
    Action("pnpm/action-setup", "pnpm", "version", ""),
    Action("ruby/setup-ruby", "ruby", "ruby-version", ""),
    Action("shivammathur/setup-php", "php", "php-version", "php-version-file"),
    Action("stcarolas/setup-maven", "maven", "maven-version", ""),
];

/// A matrix has no more values than this, and a step names no more versions.
const MOST_VALUES: usize = 256;

/// Where an expression may find its value.
struct Context<'n> {
    workflow: &'n Node,
    job: &'n Node,
}

/// Reads a workflow file.
pub(super) fn read(text: &str) -> Read {
    let workflow = parse(text)?;
    let mut pins = Vec::new();
    for (name, job) in workflow.get("jobs").map(Node::fields).unwrap_or_default() {
        let context = Context { workflow: &workflow, job };
        pins.extend(container(name, &context));
        for step in job.get("steps").map(Node::items).unwrap_or_default() {
            pins.extend(from_step(name, step, &context));
        }
    }
    Ok(pins)
}

/// The values that a text with at most one expression takes in a job.
pub(crate) fn values(text: &str, workflow: &Node, job: &Node) -> Vec<String> {
    Context { workflow, job }.values(text)
}

fn container(name: &str, context: &Context<'_>) -> Vec<Pin> {
    let Some(container) = context.job.get("container") else { return Vec::new() };
    let image = container.get("image").unwrap_or(container);
    let mut pins = Vec::new();
    for reference in image.text().map(|text| context.values(text)).unwrap_or_default() {
        let pin = |(tool, version): (&str, String)| {
            Pin::version(tool, format!("{name}.container"), &version, image.line)
        };
        pins.extend(image::versions(&reference).into_iter().filter_map(pin));
    }
    pins
}

fn from_step(job: &str, step: &Node, context: &Context<'_>) -> Vec<Pin> {
    let Some(uses) = step.get("uses").filter(|u| u.text().is_some()) else { return Vec::new() };
    let (action, reference) = uses.text().unwrap_or_default().split_once('@').unwrap_or_default();
    let fits = |row: &&Action| row.0.eq_ignore_ascii_case(action);
    let inputs = step.get("with");
    let mut pins = Vec::new();
    for Action(_, tool, version_input, file_input) in ACTIONS.iter().filter(fits) {
        let input = |name: &str| inputs?.get(name).filter(|_| !name.is_empty());
        if let Some(node) = input(version_input) {
            let versions = versions(node, context);
            // Setting up Ruby by `.ruby-version` is said in the same input.
            if let Some(file) = versions.first().filter(|v| *tool == "ruby" && v.starts_with('.')) {
                pins.push(Pin::same_as(tool, format!("{job}.{version_input}"), file, node.line));
                continue;
            }
            let texts = versions.iter().map(String::as_str);
            pins.extend(Pin::versions(tool, format!("{job}.{version_input}"), texts, node.line));
        } else if let Some((node, file)) = input(file_input).and_then(|n| Some((n, n.text()?))) {
            pins.push(Pin::same_as(tool, format!("{job}.{file_input}"), file, node.line));
        } else if action.eq_ignore_ascii_case("dtolnay/rust-toolchain") && reference != "master" {
            pins.extend(Pin::version(tool, format!("{job}.uses"), reference, uses.line));
        }
    }
    pins
}

/// One version, several on lines of their own, a list, or expressions of these.
fn versions(node: &Node, context: &Context<'_>) -> Vec<String> {
    match &node.content {
        Content::Text(text) => text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .flat_map(|line| context.values(line))
            .take(MOST_VALUES)
            .collect(),
        Content::List(items) => {
            items.iter().flat_map(|item| versions(item, context)).take(MOST_VALUES).collect()
        }
        Content::Nothing | Content::Map(_) => Vec::new(),
    }
}

impl Context<'_> {
    /// The values that a text with at most one expression takes.
    fn values(&self, text: &str) -> Vec<String> {
        let parts = text.split_once("${{").and_then(|(before, rest)| {
            let (expression, after) = rest.split_once("}}")?;
            Some((before, expression.trim(), after))
        });
        let Some((before, expression, after)) = parts else { return vec![text.to_owned()] };
        let found = self.lookup(expression);
        if found.is_empty() {
            return vec![text.to_owned()];
        }
        found.iter().map(|value| format!("{before}{value}{after}")).collect()
    }

    fn lookup(&self, expression: &str) -> Vec<String> {
        let mut names = expression.split('.');
        match (names.next(), names.next()) {
            (Some("matrix"), Some(first)) => {
                let rest: Vec<&str> = names.collect();
                self.matrix(first, &rest)
            }
            (Some("env"), Some(name)) => [self.job, self.workflow]
                .iter()
                .find_map(|scope| scope.get("env")?.get(name)?.text())
                .map(|text| vec![text.to_owned()])
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// What a name of the matrix takes on: its own list, and what `include` adds. `exclude` takes away
    /// combinations, hardly ever a value, and is not read.
    fn matrix(&self, first: &str, rest: &[&str]) -> Vec<String> {
        let Some(matrix) = self.job.get("strategy").and_then(|s| s.get("matrix")) else { return Vec::new() };
        let own = matrix.get(first).map(Node::items).unwrap_or_default().iter();
        let included = matrix.get("include").map(Node::items).unwrap_or_default().iter();
        let mut found: Vec<String> = Vec::new();
        for node in own.chain(included.filter_map(|item| item.get(first))).take(MOST_VALUES) {
            let leaf = rest.iter().try_fold(node, |node, name| node.get(name));
            match leaf.and_then(Node::text) {
                Some(text) if !found.iter().any(|f| f == text) => found.push(text.to_owned()),
                Some(_) | None => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_pins;
    use super::*;

    #[test]
    fn setup_steps() {
        check_pins(
            read(
                r"
env: {GO: '1.22'}
jobs:
  test:
    container: node:18-alpine
    strategy:
      matrix:
        node: [18, 20.x, 22]
        include:
          - node: 23
          - os: x
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: ${{ matrix.node }}
      - uses: actions/setup-go@v5
        with: {go-version: '${{ env.GO }}'}
      - uses: actions/setup-python@v5
        with:
          python-version: |
            3.9
            3.10
      - uses: actions/setup-java@v4
        with: {java-version: '${{ vars.JAVA }}', distribution: temurin}
  build:
    steps:
      - uses: actions/setup-node@v4
        with: {node-version-file: ./.nvmrc}
      - uses: ruby/setup-ruby@v1
        with: {ruby-version: .ruby-version}
      - uses: dtolnay/rust-toolchain@1.75
      - run: x
      - uses: 3
",
            ),
            &[
                "node[test.container] = 18 @5",
                "node[test.node-version] = 18 || 20.x || 22 || 23 @16",
                "go[test.go-version] = 1.22 @18",
                "python[test.python-version] = 3.9 || 3.10 @22",
                "java[test.java-version] = ${{ vars.JAVA }} @25",
                "node[build.node-version-file] -> .nvmrc @29",
                "ruby[build.ruby-version] -> .ruby-version @31",
                "rustc[build.uses] = 1.75 @32",
            ],
        );
    }

    #[test]
    fn hostile_workflows() {
        for text in [
            "",
            "jobs: 3",
            "jobs: {a: [b]}",
            "jobs: {a: {steps: {uses: x}}}",
            "jobs:\n  a:\n    steps: [{uses: actions/setup-node}]",
        ] {
            check_pins(read(text), &[]);
        }
        assert!(read("jobs: [").is_err());
    }
}
