//! Starting other programs, and saying exactly which one failed and how to call it by hand.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a task stopped, in words that say what to do.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    pub fn io(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        Self(format!("cannot {doing} {}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One call of a program. Its output goes to the terminal; it reads nothing, unless [`Run::interactive`].
#[derive(Debug)]
pub struct Run {
    program: String,
    shown: String,
    args: Vec<String>,
    dir: Option<PathBuf>,
    env: Vec<(String, String)>,
    interactive: bool,
}

impl Run {
    pub fn new(program: impl Into<String>) -> Self {
        let program = program.into();
        Self {
            shown: program.clone(),
            program,
            args: Vec::new(),
            dir: None,
            env: Vec::new(),
            interactive: false,
        }
    }

    /// The name by which a person calls the program.
    pub fn shown_as(mut self, name: &str) -> Self {
        self.shown = name.into();
        self
    }

    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub fn dir(mut self, dir: &Path) -> Self {
        self.dir = Some(dir.into());
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.into(), value.as_ref().to_string_lossy().into_owned()));
        self
    }

    /// Lets the program read from the terminal.
    pub fn interactive(mut self) -> Self {
        self.interactive = true;
        self
    }

    /// Puts another program in front, which starts this one.
    pub fn wrapped_in(mut self, program: &str, args: &[&str]) -> Self {
        let mut all: Vec<String> = args.iter().map(ToString::to_string).collect();
        all.push(std::mem::replace(&mut self.program, program.into()));
        all.append(&mut self.args);
        self.shown = program.into();
        self.args = all;
        self
    }

    /// Runs it to its end; anything but success is a failure that quotes the call.
    pub fn check(self) -> Result<(), Failure> {
        println!("$ {self}");
        let status = self.command().status().map_err(|error| self.not_started(&error))?;
        if status.success() { Ok(()) } else { Err(Failure::new(format!("{status} from\n  {self}"))) }
    }

    /// Runs it silently and returns what it wrote to standard output, or `None` if it is missing or failed.
    pub fn output(self) -> Option<String> {
        let output = self.command().stderr(Stdio::null()).stdout(Stdio::piped()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        if !self.interactive {
            command.stdin(Stdio::null());
        }
        command
    }

    fn not_started(&self, error: &std::io::Error) -> Failure {
        Failure::new(format!(
            "`{}` could not be started ({error}); is it installed? The call was\n  {self}",
            self.shown
        ))
    }
}

/// The call as one would type it in the checkout.
impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.dir.as_deref().and_then(Path::file_name).filter(|name| *name == "ui");
        if folder.is_some() {
            f.write_str("cd ui && ")?;
        }
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&quoted(&self.shown))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Whether a program of this name can be started from here.
pub fn is_installed(program: &str, version_flag: &str) -> bool {
    Run::new(program).args([version_flag]).output().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_reads_as_one_would_type_it() {
        let call = Run::new("/opt/bin/cargo").shown_as("cargo").args(["test", "--test", "window*"]);
        assert_eq!(call.to_string(), "cargo test --test 'window*'");
        let call = Run::new("npm").args(["run", "it's"]).dir(Path::new("/any/ui")).env("CI", "true");
        assert_eq!(call.to_string(), r"cd ui && CI=true npm run 'it'\''s'");
    }

    #[test]
    fn wrapping_keeps_the_inner_call_last() {
        let call = Run::new("cargo").args(["test"]).wrapped_in("xvfb-run", &["-a"]);
        assert_eq!(call.to_string(), "xvfb-run -a cargo test");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = Run::new("no-such-program-here").args(["x"]).check().unwrap_err();
        assert!(failure.to_string().contains("`no-such-program-here` could not be started"), "{failure}");
        assert!(!is_installed("no-such-program-here", "--version"));
    }
}
