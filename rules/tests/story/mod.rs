//! Short stories in a line each, for rules to be held against:
//!
//! ```text
//! WHERE: STEP; STEP; ...
//! ```
//!
//! The hero starts on the host (`host`), there with a terminal (`admin`), in a container (`pod`), or at a terminal in one
//! (`session`), and each step is what the hero does next. After `run` and `fork` the hero is the child.
#![allow(clippy::unwrap_used)]

mod steps;

use lanner_core::condition::View;
use lanner_core::detect::rules::RuleSet;
use lanner_core::event::*;
use lanner_core::graph::Graph;

use crate::world::{Actor, World};

const POD: &str = "/kubepods/besteffort/podfedcba98-7654-3210-fedc-ba9876543210/aaaa";
const OTHER: &str = "/kubepods/besteffort/pod0123456789abcdef0123456789abcdef/bbbb";

/// Where a story is, and who acts.
pub(crate) struct Story {
    world: World,
    shim: Actor,
    hero: Actor,
    /// Others, to come back to.
    marked: Vec<(String, Actor)>,
}

/// The events of a story.
#[allow(dead_code, reason = "not every test looks at the events themselves")]
pub(crate) fn events(story: &str) -> Vec<Event> {
    told(story).world.events
}

fn told(story: &str) -> Story {
    let (place, steps) = story.split_once(':').unwrap_or_else(|| panic!("{story:?} does not say where"));
    let mut told = Story::begin(place.trim());
    for step in steps.split("; ").map(str::trim).filter(|step| !step.is_empty()) {
        told.step(step);
    }
    told
}

/// The rules that a story meets, in their order.
#[allow(dead_code, reason = "not every test looks at single rules")]
pub(crate) fn met(rules: &RuleSet, story: &str) -> Vec<String> {
    let told = told(story);
    let mut graph = Graph::default();
    let mut met = Vec::new();
    for event in &told.world.events {
        graph.apply(event);
        met.extend(rules.matching(&View::new(event, &graph)).map(|rule| rule.name.to_string()));
    }
    met
}

impl Story {
    fn begin(place: &str) -> Story {
        let mut world = World::new();
        let init = world.found(None, "/sbin/init");
        let shim = world.found(Some(&init), "/usr/bin/containerd-shim-runc-v2");
        let container = world.start_container(&shim, POD, "aaaa", "/srv/server");
        let hero = match place {
            "host" => world.found(Some(&init), "/usr/sbin/thing"),
            "admin" => {
                let mut login = world.found(Some(&init), "/usr/sbin/sshd");
                login.task.context_mut().tty = Some(Text::from("pts0"));
                login.task.context_mut().creds.login_uid = Some(1000);
                login.stdio = [Stdio { kind: StdioKind::Terminal, ino: 3, peer: None }; 3];
                world.spawn(&login, "/bin/bash", "bash")
            }
            "pod" => container,
            "session" => world.enter(&shim, &container, "/bin/sh", true),
            _ => panic!("{place:?} is no place"),
        };
        Story { world, shim, hero, marked: Vec::new() }
    }

    fn of_mark(&self, name: &str) -> Actor {
        let found = self.marked.iter().find(|(n, _)| n == name);
        found.unwrap_or_else(|| panic!("nobody was marked {name:?}")).1.clone()
    }

    fn say(&mut self, payload: Payload) {
        self.world.say(&self.hero, payload);
    }
}
