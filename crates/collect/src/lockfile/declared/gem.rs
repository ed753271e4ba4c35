//! What a `Gemfile` asks for, as far as it can be told without running it: calls of `gem` with literal arguments, outside of
//! conditions. Bundler records the requests in the lockfile.

use super::Declared;
use crate::lockfile::Files;

/// Reads both.
pub(super) fn read(files: &Files<'_>) -> Declared {
    let mut declared = Declared::with_lock();
    let Some(Ok(gemfile)) = files.beside("Gemfile").map(|file| file.text()) else { return declared };
    recorded(files.text().unwrap_or_default(), &mut declared);
    // A method that is defined, or a file that is evaluated, may do anything.
    if gemfile.contains("eval_gemfile") || gemfile.contains("gemspec") {
        let names: Vec<String> = declared.made_for.iter().flat_map(|made| made.keys().cloned()).collect();
        names.iter().for_each(|name| declared.doubt(name));
    }
    asked(gemfile, &mut declared);
    declared
}

/// The section `DEPENDENCIES`: `rails (~> 7.0, >= 7.0.1)`, and a `!` where it comes from elsewhere.
fn recorded(lock: &str, declared: &mut Declared) {
    let section = lock.lines().skip_while(|line| line.trim_end() != "DEPENDENCIES").skip(1);
    for line in section.take_while(|line| line.starts_with(' ')) {
        let line = line.trim();
        let (name, clauses) = line.split_once(" (").unwrap_or((line, ""));
        if line.ends_with('!') {
            declared.doubt(name.trim_end_matches('!'));
        } else {
            declared.made(name, &canonical(clauses.trim_end_matches(')').split(',')));
        }
    }
}

/// What the lines of a block mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    /// They are carried out.
    Always,
    /// Perhaps, or from another source.
    Unsure,
}

fn asked(gemfile: &str, declared: &mut Declared) {
    let mut blocks: Vec<Block> = Vec::new();
    for line in gemfile.lines() {
        let line = line.trim();
        let word = line.split([' ', '(']).next().unwrap_or_default();
        match word {
            "end" => {
                blocks.pop();
            }
            "gem" => {
                let unsure = blocks.contains(&Block::Unsure);
                gem(line, if unsure { Block::Unsure } else { Block::Always }, declared);
            }
            "if" | "unless" | "case" | "begin" | "def" | "while" | "until" => blocks.push(Block::Unsure),
            "group" if opens(line) => blocks.push(Block::Always),
            _ if opens(line) => blocks.push(Block::Unsure),
            _ => {}
        }
    }
}

fn opens(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim_end();
    line.ends_with(" do") || (line.contains(" do |") && line.ends_with('|'))
}

/// `gem "rails", "~> 7.0", require: false`
fn gem(line: &str, around: Block, declared: &mut Declared) {
    let rest = line.trim_start_matches("gem").trim_start_matches([' ', '(']);
    let mut clauses = Vec::new();
    let mut words = rest.trim_end_matches(')').split(',').map(str::trim);
    let Some(name) = words.next().and_then(literal) else { return };
    let mut certain = around == Block::Always && !rest.ends_with(',');
    for word in words {
        let harmless = ["require:", ":require", "group:", "groups:", ":group"];
        match literal(word) {
            Some(clause) => clauses.push(clause),
            None if harmless.iter().any(|option| word.starts_with(option)) => {}
            None => certain = false,
        }
    }
    if certain {
        declared.ask(name, &canonical(clauses.into_iter()));
    } else {
        declared.doubt(name);
    }
}

/// The text between quotes, if there is nothing else.
fn literal(word: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|quote| {
        let inner = word.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains([quote, '#', '\\'])).then_some(inner)
    })
}

/// Clauses in one spelling; none is any version.
fn canonical<'t>(clauses: impl Iterator<Item = &'t str>) -> String {
    let clause = |clause: &str| {
        let version = clause.trim_start_matches(['=', '<', '>', '~', '!', ' ']);
        let operator = clause.strip_suffix(version).unwrap_or_default().trim();
        format!("{} {version}", if operator.is_empty() { "=" } else { operator })
    };
    let clauses = clauses.map(str::trim).filter(|text| !text.is_empty());
    let mut all: Vec<String> = clauses.map(clause).collect();
    all.sort();
    all.dedup();
    if all.is_empty() { ">= 0".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::super::lines;

    #[test]
    fn requests() {
        let lock = "GEM\n  remote: https://rubygems.org/\n  specs:\n    rails (7.0.8)\n\nDEPENDENCIES\n  pg\n  rack (= 3.0.8)\n  rails (>= 7.0.1, ~> 7.0)\n  mine!\n  maybe (~> 1.0)\n\nBUNDLED WITH\n   2.4.10\n";
        let gemfile = "source 'https://rubygems.org'\nruby '3.2.2'\ngem 'rails', '~> 7.0', \">= 7.0.1\"\ngem \"pg\"\ngroup :test do\n  gem('rack', '3.0.9', require: false)\nend\ngem 'mine', path: '../mine'\nif ENV['X']\n  gem 'maybe', '~> 2.0'\nend\ngem 'odd', \"~> #{V}\"\nplatforms :ruby do\n  gem 'there', '1'\nend\ngem 'multi',\n  '1.0'\ngem 'why', '1.0' # why\n";
        assert_eq!(
            lines("bundler", lock, &[("Gemfile", gemfile)]),
            [
                "asked pg >= 0",
                "asked rack = 3.0.9",
                "asked rails >= 7.0.1, ~> 7.0",
                "made pg >= 0",
                "made rack = 3.0.8",
                "made rails >= 7.0.1, ~> 7.0"
            ]
        );
        assert_eq!(lines("bundler", lock, &[("Gemfile", "gemspec\ngem 'rack', '1'")]), Vec::<String>::new());
    }
}
