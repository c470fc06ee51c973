//! Asking rules that are not met costs no memory, whatever they ask for.
// A global allocator is unsafe by its nature.
#![allow(clippy::unwrap_used, unsafe_code)]

mod world;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write as _;

use lanner_core::condition::{Scratch, View};
use lanner_core::detect::rules::RuleSet;
use lanner_core::event::Origin;
use lanner_core::graph::Graph;
use world::World;

struct Counting;

thread_local! {
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is handed on to the system's allocator; counting touches a constant-initialized thread-local.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.with(|n| n.set(n.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn story() -> World {
    let mut world = World::new();
    let init = world.found(None, "/usr/lib/systemd/systemd");
    let shell = world.spawn(&init, "/bin/sh", "sh -c bash");
    let container = world.start_container(&shell, "/docker/aaaa", "aaaa", "/bin/bash");
    let inner = world.spawn(&container, "/usr/bin/tool", "tool --flag /etc/x.yaml");
    world.write(&inner, "/etc/x.yaml", 9);
    world.read(&shell, "/etc/x.yaml", 9);
    let flow = world.connect(&inner, "10.2.3.4:443");
    world.close(&inner, flow, 70_000, 5);
    let mut moved = container.clone();
    world.setns(&mut moved, world::HOST);
    world.exit(&inner);
    world
}

/// Rules that no event of the story meets.
fn rules() -> RuleSet {
    let conditions = [
        "proc.cmdline contains nothing-so",
        "proc.args icontains NOTHING-SO",
        "proc.exeline endswith nothing-so",
        "proc.pcmdline startswith nothing-so",
        "proc.cwd startswith /nothing",
        "fd.name contains nothing-so",
        "proc.aname in (nobody, noone)",
        "proc.acmdline contains nothing-so",
        "proc.acmdline[2] contains nothing-so",
        "proc.aname[2] = nobody",
        "proc.name in (nobody, noone)",
        "thread.cap_effective contains CAP_NOTHING",
        "evt.arg.flags contains O_NOTHING",
        "evt.res = ENOTHING",
        "evt.rawres = -4711",
        "fd.sip = 192.0.2.77",
        "fd.snet in (192.0.2.0/24)",
        "fd.sport = 4711",
        "container.id = nothing",
        "container.info contains nothing-so",
        "user.name = nobody-at-all",
        "fd.name glob /nothing/*",
        "fd.name regex \"/nothing/[0-9]+\"",
        "fd.name pmatch (/nothing, /no/*)",
        "basename(proc.exepath) = nothing",
        "lanner.images = nothing",
        "not proc.pid exists",
        "proc.name = val(fd.name)",
    ];
    let mut file = String::new();
    for (n, condition) in conditions.iter().enumerate() {
        writeln!(file, "- rule: r{n}\n  desc: d\n  condition: '{condition}'\n  output: o\n  priority: INFO").unwrap();
        // The same behind a test that holds, so that it is asked though the index would not lead to it.
        writeln!(
            file,
            "- rule: s{n}\n  desc: d\n  condition: 'evt.num > 0 and not not ({condition})'\n  output: o\n  priority: INFO"
        )
        .unwrap();
    }
    let set = RuleSet::load(&[("rules.yaml", file)]);
    assert_eq!(set.errors, []);
    assert_eq!(set.rules.len(), 2 * conditions.len());
    set
}

#[test]
fn what_is_not_met_costs_no_memory() {
    let (world, set) = (story(), rules());
    let mut scratch = Scratch::default();
    for warm in [false, true] {
        let mut graph = Graph::default();
        for event in &world.events {
            graph.apply(event);
            let before = ALLOCATED.get();
            scratch.clear();
            let met = set.matching(&View::new(event, &graph).with(&scratch)).len();
            let spent = ALLOCATED.get() - before;
            assert_eq!(met, 0, "{event:?}");
            // The first round makes the buffers.
            assert!(!warm || spent == 0, "{spent} allocations for {event:?}");
        }
    }
    assert!(world.events.iter().filter(|e| e.header.origin == Origin::Live).count() > 10);
}
