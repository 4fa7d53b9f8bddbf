//! A host whose machine goes from one network to another while its room is open.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::time::{Duration, Instant};
use synx_system_tests::netns::{Link, Namespace};
use synx_system_tests::{Instance, PATIENCE, synx};

/// What is said once it holds this, and does not hold that.
fn once(ask: impl Fn() -> String, holds: &str, not: &str) -> String {
    let end = Instant::now() + 2 * PATIENCE;
    loop {
        let said = ask();
        if said.contains(holds) && !said.contains(not) {
            return said;
        }
        assert!(Instant::now() < end, "{holds} without {not} is not said: {said}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn links_and_the_announcement_name_the_network_that_the_host_is_in_now() {
    let elsewhere = match Namespace::make() {
        Ok(namespace) => namespace,
        Err(reason) => return println!("skipped: no network can be made here ({reason})"),
    };
    let folder = tempfile::tempdir().unwrap();
    let host_at = folder.path().join("host");
    let (home, cafe) = (Link::First.there(), Link::Second.there());
    elsewhere.belong(Link::Second, false);
    let args = ["host", "--json", "--listen", "0.0.0.0:0", "--as", "Ana", "--name", "Friday", "--public"];
    let mut host = Instance::start_under(&elsewhere.wrapper(), "host", &host_at, &args);
    let opened = host.next("room_opened");
    let link = opened["link"].as_str().unwrap();
    assert!(link.contains(&home) && !link.contains(&cafe), "{link}");
    let told = |args: &[&str]| String::from_utf8(synx(args).stdout).unwrap();
    let announced = || told(&["rooms", "--json", "--wait", "1"]);
    once(announced, &home, &cafe);

    elsewhere.belong(Link::Second, true);
    elsewhere.belong(Link::First, false);
    let invite = || told(&["invite", "--data-dir", host_at.to_str().unwrap()]);
    let link = once(invite, &cafe, &home).trim().to_owned();
    Instance::join(&link, "Ben", &folder.path().join("ben"), &[]).next("room_joined");
    once(announced, &cafe, &home);
}
