//! Steps of a task: their order, what each needs, how long each took and how to repeat one.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::Workspace;
use crate::command::Failure;

/// One step.
pub struct Step {
    /// By this name it is called.
    pub name: &'static str,
    /// What it shows, in a few words.
    pub about: &'static str,
    /// Steps that must have run before, by name; they stand earlier in the list.
    pub needs: &'static [&'static str],
    pub run: fn(&Workspace) -> Result<Outcome, Failure>,
}

/// How a step that did not fail ended.
pub enum Outcome {
    Done,
    /// Something was left out, and why.
    Partly(String),
}

/// The steps to run, in the order of `all`: everything, or what is named and all that it needs.
pub fn select<'a>(all: &'a [Step], named: &[String]) -> Result<Vec<&'a Step>, Failure> {
    if let Some(unknown) = named.iter().find(|name| all.iter().all(|step| step.name != **name)) {
        let names: Vec<_> = all.iter().map(|step| step.name).collect();
        return Err(Failure::new(format!("there is no step `{unknown}`; there are: {}", names.join(", "))));
    }
    let mut wanted: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    // Needs stand earlier, so one walk from the end finds them all.
    for step in all.iter().rev().filter(|_| !named.is_empty()) {
        if wanted.contains(step.name) {
            wanted.extend(step.needs);
        }
    }
    Ok(all.iter().filter(|step| named.is_empty() || wanted.contains(step.name)).collect())
}

/// Runs the steps one after another, up to the first that fails, and sums up.
pub fn run_all(workspace: &Workspace, task: &str, steps: &[&Step]) -> Result<(), Failure> {
    let start = Instant::now();
    let mut report = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!(
            "\n━━ {}/{} {} · {} · {} so far",
            index + 1,
            steps.len(),
            step.name,
            step.about,
            clock(start.elapsed())
        );
        let began = Instant::now();
        let outcome = (step.run)(workspace);
        let took = clock(began.elapsed());
        let note = match outcome {
            Ok(Outcome::Done) => String::new(),
            Ok(Outcome::Partly(why)) => format!("  ({why})"),
            Err(failure) => {
                print_report(&report);
                return Err(Failure::new(format!(
                    "step `{}` failed after {took}: {failure}\n\nOnce repaired, repeat this step alone with\n  cargo xtask {task} {}",
                    step.name, step.name
                )));
            }
        };
        report.push(format!("  ok {:<14} {took:>8}{note}", step.name));
    }
    print_report(&report);
    println!("\nPassed in {}.", clock(start.elapsed()));
    Ok(())
}

fn print_report(report: &[String]) {
    println!("\n{}", report.join("\n"));
}

/// Minutes and seconds, as on a clock.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn step(name: &'static str, needs: &'static [&'static str]) -> Step {
        Step { name, about: "", needs, run: |_| Ok(Outcome::Done) }
    }

    const STEPS: [Step; 4] =
        [step("get", &[]), step("lint", &[]), step("build", &["get"]), step("test", &["build"])];

    fn names(named: &[&str]) -> Vec<&'static str> {
        let named: Vec<String> = named.iter().map(ToString::to_string).collect();
        select(&STEPS, &named).unwrap().iter().map(|step| step.name).collect()
    }

    #[test]
    fn nothing_named_is_everything() {
        assert_eq!(names(&[]), ["get", "lint", "build", "test"]);
    }

    #[test]
    fn a_named_step_brings_what_it_needs_and_no_more() {
        assert_eq!(names(&["test"]), ["get", "build", "test"]);
        assert_eq!(names(&["lint"]), ["lint"]);
    }

    #[test]
    fn an_unknown_step_is_refused_with_those_there_are() {
        let failure = select(&STEPS, &["tset".into()]).err().unwrap();
        assert_eq!(failure.to_string(), "there is no step `tset`; there are: get, lint, build, test");
    }

    #[test]
    fn a_failing_step_names_itself_and_how_to_repeat_it() {
        let bad = Step { name: "bad", about: "", needs: &[], run: |_| Err(Failure::new("broken")) };
        let workspace = Workspace { root: "/".into(), target: "/".into() };
        let failure = run_all(&workspace, "test", &[&bad]).unwrap_err().to_string();
        assert!(failure.starts_with("step `bad` failed after 0:00: broken"), "{failure}");
        assert!(failure.ends_with("cargo xtask test bad"), "{failure}");
    }

    #[test]
    fn times_read_as_on_a_clock() {
        assert_eq!(clock(Duration::from_secs(3_725)), "62:05");
    }
}
