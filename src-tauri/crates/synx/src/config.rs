//! Settings from a file and from the environment, behind those of the command line: what a flag says counts more than a
//! variable, a variable more than the file, and the file more than what is built in.
//!
//! A key of the file is the name of a flag, with `_` for `-`, in a table with the name of its command; those of all commands
//! stand at the top. So a setting is named, read and explained in one place. Must never show the value of a secret.

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Commands that run for long, as a service does: each of their flags has a variable `SYNX_…`.
const SERVICES: [&str; 3] = ["host", "node", "migrate"];
/// What may hold a password.
const SECRETS: [&str; 1] = ["cluster"];

/// Why a file of settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the settings in {path:?} cannot be read: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path:?} is no TOML at line {line}: {problem}")]
    NotToml { path: PathBuf, line: usize, problem: String },
    #[error("{path:?}: there is no setting `{key}`; there are: {allowed}")]
    UnknownKey { path: PathBuf, key: String, allowed: String },
    #[error("{path:?}: `{key}` cannot be {value}: {problem}")]
    BadValue { path: PathBuf, key: String, value: String, problem: String },
}

/// The command line as it is with variables, and with what the file says as defaults.
pub fn applied(command: Command, file: Option<&Path>) -> Result<Command, ConfigError> {
    let command = SERVICES.iter().fold(command, |command, name| command.mut_subcommand(name, with_variables));
    let Some(path) = file else { return Ok(command) };
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    let table: Table = toml::from_str(&text).map_err(|error| not_toml(path, &text, &error))?;
    with_table(command, &table, &Place { path, table: None })
}

/// The file that is named by the command line or the environment.
pub fn named(command: Command) -> Option<PathBuf> {
    // Whatever else is wrong is said when all is known.
    let matches = command.ignore_errors(true).try_get_matches().ok()?;
    matches.get_one::<PathBuf>("config").cloned()
}

fn with_variables(command: Command) -> Command {
    let command = command.mut_args(|arg| match arg.get_long() {
        Some(long) if arg.get_env().is_none() && !arg.is_global_set() => {
            let variable = format!("SYNX_{}", long.to_uppercase().replace('-', "_"));
            arg.env(variable).hide_env_values(true)
        }
        _ => arg,
    });
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.iter().fold(command, |command, name| command.mut_subcommand(name, with_variables))
}

/// Where in the file we are.
struct Place<'a> {
    path: &'a Path,
    table: Option<String>,
}

impl Place<'_> {
    fn key(&self, key: &str) -> String {
        self.table.as_ref().map_or_else(|| key.to_owned(), |table| format!("{table}.{key}"))
    }

    fn bad(&self, arg: &Arg, value: &Value, problem: String) -> ConfigError {
        let secret = SECRETS.contains(&arg.get_id().as_str());
        let value = if secret { "***".to_owned() } else { value.to_string() };
        ConfigError::BadValue { path: self.path.to_owned(), key: self.key(&key_of(arg)), value, problem }
    }
}

fn with_table(mut command: Command, table: &Table, place: &Place<'_>) -> Result<Command, ConfigError> {
    for (key, value) in table {
        let sub = command.find_subcommand(key).cloned();
        command = match (sub, value) {
            (Some(sub), Value::Table(inner)) => {
                let place = Place { path: place.path, table: Some(place.key(key)) };
                let sub = with_table(sub, inner, &place)?;
                command.mut_subcommand(key, |_| sub)
            }
            _ => with_value(command, key, value, place)?,
        };
    }
    Ok(command)
}

fn with_value(command: Command, key: &str, value: &Value, place: &Place<'_>) -> Result<Command, ConfigError> {
    let Some(arg) = settable(&command).find(|arg| key_of(arg) == key).cloned() else {
        let mut allowed: Vec<String> = settable(&command).map(key_of).collect();
        allowed.sort();
        let (path, key, allowed) = (place.path.to_owned(), place.key(key), allowed.join(", "));
        return Err(ConfigError::UnknownKey { path, key, allowed });
    };
    let words = words(&arg, value).map_err(|problem| place.bad(&arg, value, problem.to_owned()))?;
    if let Some(problem) = problem_with(&command, &arg, &words) {
        return Err(place.bad(&arg, value, problem));
    }
    Ok(command
        .mut_arg(arg.get_id(), |arg| arg.default_values(words).required(false).hide_default_value(true)))
}

/// The flags that a file may set.
fn settable(command: &Command) -> impl Iterator<Item = &Arg> {
    let sets =
        |arg: &&Arg| matches!(arg.get_action(), ArgAction::Set | ArgAction::Append | ArgAction::SetTrue);
    command.get_arguments().filter(sets).filter(|arg| arg.get_long().is_some_and(|long| long != "config"))
}

fn key_of(arg: &Arg) -> String {
    arg.get_long().unwrap_or_default().replace('-', "_")
}

/// A value as the command line would have it.
fn words(arg: &Arg, value: &Value) -> Result<Vec<String>, &'static str> {
    let word = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(truth) => Ok(truth.to_string()),
        _ => Err("expected a text, a number, true or false"),
    };
    let many = matches!(arg.get_action(), ArgAction::Append);
    match value {
        Value::Array(values) if many => values.iter().map(word).collect(),
        Value::Array(_) => Err("expected one value, not a list"),
        value => Ok(vec![word(value)?]),
    }
}

/// What the flag itself says against the words.
fn problem_with(command: &Command, arg: &Arg, words: &[String]) -> Option<String> {
    let words = words.to_vec();
    let set = |arg: Arg| arg.required(false).env(Resettable::Reset).default_values(words);
    let error = command.clone().mut_arg(arg.get_id(), set).try_get_matches_from(["synx"]).err()?;
    let refused = matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue);
    // Another one may be wrong by its variable: that is said when all is known.
    let flag = format!("--{}", arg.get_long().unwrap_or_default());
    let about = matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(text)) if text.starts_with(&flag));
    (refused && about).then(|| reason(&error))
}

/// The words behind the value and the flag in clap's own sentence, and what it says is possible.
fn reason(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let said = lines.join(" ");
    let behind =
        said.rsplit_once(">': ").or_else(|| said.rsplit_once("' [")).map_or(said.as_str(), |(_, rest)| rest);
    let possible = said.find("[possible values").map(|at| &said[at..]);
    possible.unwrap_or(behind).to_owned()
}

fn not_toml(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    // Its own words would show the line, and so perhaps a password.
    let before = error.span().map_or(0, |span| span.start).min(text.len());
    let line = text.bytes().take(before).filter(|byte| *byte == b'\n').count() + 1;
    ConfigError::NotToml { path: path.to_owned(), line, problem: error.message().to_owned() }
}
