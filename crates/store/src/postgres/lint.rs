//! Holds every statement against what CockroachDB, YugabyteDB and Citus also run. A real parser reads them, so that what it
//! does not find is not there.

#![expect(clippy::wildcard_enum_match_arm, reason = "what is not named here is refused, or of no matter")]

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, ColumnOption, CreateTable, Expr, LockType, Query, SetExpr, Statement, TableConstraint,
    TableFactor, Visit, Visitor,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::schema::{CREATE_SCHEMA, MIGRATIONS};
use super::statement::{ALL, BEGIN, BEGIN_VIEW, COMMIT, ROLLBACK, SETTINGS, TABLE_SIZES};

/// The tables that are spread by environment, that by name, and the small ones that are the same on every node.
const BY_ENVIRONMENT: [&str; 4] = ["entry", "change_block", "changed_key", "evidence"];
const BY_NAME: &str = "chunk";
const EVERYWHERE: [&str; 2] = ["store", "environment"];

/// Functions that all of them have.
const FUNCTIONS: [&str; 6] = ["count", "sum", "max", "coalesce", "octet_length", "unnest"];

fn parsed(sql: &str) -> Result<Statement, String> {
    let mut all = Parser::parse_sql(&PostgreSqlDialect {}, sql).map_err(|error| error.to_string())?;
    match all.len() {
        1 => Ok(all.remove(0)),
        other => Err(format!("{other} statements in one")),
    }
}

/// What is wrong with a statement; nothing, where all engines run it.
fn faults(sql: &str) -> Vec<String> {
    let statement = match parsed(sql) {
        Ok(statement) => statement,
        Err(why) => return vec![why],
    };
    let mut out = Vec::new();
    match &statement {
        Statement::Query(_)
        | Statement::Insert(_)
        | Statement::Update { .. }
        | Statement::Delete(_)
        | Statement::CreateIndex(_)
        | Statement::CreateSchema { .. }
        | Statement::AlterTable { .. }
        | Statement::StartTransaction { .. }
        | Statement::Commit { .. }
        | Statement::Rollback { .. }
        | Statement::Set(_) => {}
        Statement::CreateTable(table) => out.extend(table_faults(table)),
        _ => out.push("a sort of statement that not all engines have".to_owned()),
    }
    let mut seen = Seen { out, ..Seen::default() };
    assert!(statement.visit(&mut seen).is_continue());
    seen.judge();
    seen.out
}

fn table_faults(table: &CreateTable) -> Vec<String> {
    let mut out = Vec::new();
    let name = table.name.0.last().map(ToString::to_string).unwrap_or_default();
    let is_known =
        BY_ENVIRONMENT.contains(&name.as_str()) || EVERYWHERE.contains(&name.as_str()) || name == BY_NAME;
    if !is_known {
        out.push(format!("table {name}: where it is kept is not stated here"));
    }
    if table.temporary || table.unlogged || table.inherits.is_some() || table.partition_by.is_some() {
        out.push("a table that is temporary, unlogged, or inherits".to_owned());
    }
    let mut key = Vec::new();
    for column in &table.columns {
        let kind = column.data_type.to_string();
        if !["BIGINT", "SMALLINT", "TEXT", "BYTEA", "BOOLEAN"].contains(&kind.as_str()) {
            out.push(format!("column {} is of type {kind}", column.name));
        }
        for option in &column.options {
            match &option.option {
                ColumnOption::NotNull => {}
                ColumnOption::PrimaryKey(_) => key = vec![column.name.to_string()],
                ColumnOption::Unique(_) if EVERYWHERE.contains(&name.as_str()) => {}
                other => out.push(format!("column {}: {other}", column.name)),
            }
        }
    }
    for constraint in &table.constraints {
        match constraint {
            TableConstraint::PrimaryKey(primary) => {
                key = primary.columns.iter().map(ToString::to_string).collect();
            }
            other => out.push(format!("table {name}: {other}")),
        }
    }
    let leads = if name == BY_NAME { "name" } else { "environment" };
    if key.first().is_none_or(|first| first != leads) {
        out.push(format!("the primary key of {name} begins with {key:?}, not with {leads}"));
    }
    out
}

/// What a statement mentions.
#[derive(Default)]
struct Seen {
    out: Vec<String>,
    tables: Vec<String>,
    is_locking: bool,
    /// Environments that are compared with a parameter, and joins of one table's with another's.
    is_one_environment: bool,
    joins_environments: bool,
}

impl Visitor for Seen {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &sqlparser::ast::ObjectName) -> ControlFlow<()> {
        let parts: Vec<String> = relation.0.iter().map(ToString::to_string).collect();
        match parts.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["parallax", table] => self.tables.push(table.to_owned()),
            ["information_schema", _] | ["unnest"] => {}
            _ => self.out.push(format!("`{relation}` is not in the schema `parallax`")),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.is_locking |= !query.locks.is_empty();
        if query.locks.iter().any(|lock| lock.lock_type != LockType::Update || lock.nonblock.is_some()) {
            self.out.push("a lock other than FOR UPDATE".to_owned());
        }
        if query.with.is_some() || matches!(*query.body, SetExpr::SetOperation { .. }) {
            self.out.push("WITH or UNION, which Citus plans across nodes".to_owned());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if matches!(factor, TableFactor::Derived { .. }) {
            self.out.push("a query within a query".to_owned());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Function(function) => {
                let name = function.name.to_string();
                if !FUNCTIONS.contains(&name.as_str()) {
                    self.out.push(format!("function {name}"));
                }
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } if is_environment(left) => {
                self.is_one_environment |= matches!(**right, Expr::Value(_));
                self.joins_environments |= is_environment(right);
            }
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => {
                self.out.push("a query within a query".to_owned());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn is_environment(expression: &Expr) -> bool {
    let name = expression.to_string();
    name == "environment" || name.ends_with(".environment")
}

impl Seen {
    fn judge(&mut self) {
        if self.tables.len() > 1 {
            let all_spread = self.tables.iter().all(|table| BY_ENVIRONMENT.contains(&table.as_str()));
            if !(all_spread && self.joins_environments && self.is_one_environment) {
                self.out.push(format!("{:?} are joined across nodes", self.tables));
            }
        }
        let is_spread = self.tables.iter().any(|table| !EVERYWHERE.contains(&table.as_str()));
        if self.is_locking && is_spread && !self.is_one_environment {
            self.out.push("a lock on rows of more than one node".to_owned());
        }
    }
}

#[track_caller]
fn check(sql: &str, expected: &str) {
    let found = faults(sql).join("; ");
    match expected {
        "" => assert_eq!(found, "", "{sql}"),
        "?" => assert_ne!(found, "", "{sql}"),
        part => assert!(found.contains(part), "{sql}: {found:?}, not {part:?}"),
    }
}

#[test]
fn every_statement_runs_on_distributed_engines_too() {
    for (_, statement) in ALL {
        check(statement.sql, "");
    }
    for sql in [CREATE_SCHEMA, BEGIN, BEGIN_VIEW, COMMIT, ROLLBACK].into_iter().chain(SETTINGS) {
        check(sql, "");
    }
    MIGRATIONS.iter().copied().flatten().for_each(|sql| check(sql, ""));
    assert!(ALL.len() > 30 && MIGRATIONS.iter().copied().flatten().count() > 7);
}

#[test]
fn what_only_some_engines_tell_is_asked_in_one_place() {
    check(TABLE_SIZES.sql, "function pg_total_relation_size");
}

#[test]
fn every_statement_has_as_many_parameters_as_types() {
    for (name, statement) in ALL {
        let highest = (1..20).take_while(|n| statement.sql.contains(&format!("${n}"))).count();
        assert_eq!(highest, statement.types.len(), "{name}");
    }
}

#[test]
fn what_not_all_engines_run_is_found() {
    check("CREATE TRIGGER t AFTER INSERT ON parallax.entry EXECUTE FUNCTION f()", "sort of statement");
    check("CREATE EXTENSION pgcrypto", "sort of statement");
    check("NOTIFY somebody", "sort of statement");
    check("LISTEN somebody", "sort of statement");
    check("CREATE SEQUENCE parallax.s", "sort of statement");
    check("TRUNCATE parallax.entry", "sort of statement");
    check("CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN END $$", "?");
    check("SELECT pg_advisory_lock(1)", "function pg_advisory_lock");
    check("SELECT nextval('s')", "function nextval");
    check("SELECT 1; SELECT 2", "2 statements");
    check("SELECT nonsense FROM FROM", "?");
    let table = |text: &str| format!("CREATE TABLE {text}");
    check(
        &table("parallax.entry (number BIGINT, environment BIGINT, PRIMARY KEY (number, environment))"),
        "begins with",
    );
    check(&table("parallax.entry (environment SERIAL PRIMARY KEY)"), "of type SERIAL");
    check(
        &table("parallax.entry (environment BIGINT PRIMARY KEY REFERENCES parallax.environment)"),
        "REFERENCES",
    );
    check(
        &table("parallax.entry (environment BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY)"),
        "GENERATED",
    );
    check(
        &table("parallax.entry (environment BIGINT, name TEXT UNIQUE, PRIMARY KEY (environment))"),
        "UNIQUE",
    );
    check(&table("parallax.chunk (id BIGINT PRIMARY KEY)"), "not with name");
    check(&table("parallax.other (environment BIGINT PRIMARY KEY)"), "not stated");
    check("CREATE UNLOGGED TABLE parallax.entry (environment BIGINT PRIMARY KEY)", "?");
    check("CREATE TEMPORARY TABLE parallax.entry (environment BIGINT PRIMARY KEY)", "temporary");
    check("SELECT name FROM entry", "not in the schema");
    check(
        "SELECT c.data FROM parallax.entry e JOIN parallax.chunk c ON c.name = e.root WHERE e.environment = $1",
        "joined",
    );
    check("SELECT b.data FROM parallax.entry e JOIN parallax.change_block b ON b.entry = e.number", "joined");
    check("SELECT name FROM parallax.chunk WHERE name = ANY($1) FOR UPDATE", "a lock on rows");
    check("SELECT number FROM parallax.entry WHERE environment = $1 FOR SHARE", "other than FOR UPDATE");
    check(
        "SELECT number FROM parallax.entry WHERE environment IN (SELECT environment FROM parallax.environment)",
        "within",
    );
    check("WITH x AS (SELECT 1) SELECT * FROM x", "WITH");
}
