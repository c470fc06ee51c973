//! Whatever is in an incident has a reason, and whatever is not has one too.
#![allow(clippy::unwrap_used)]

mod world;

use lanner_core::detect::explain::{ProcessExplanation, ReasonKind};
use lanner_core::detect::rules::RuleSet;
use lanner_core::engine::Engine;
use lanner_core::event::*;
use world::{Actor, HOST, World};

const WEB: &str = "/kubepods/besteffort/podfedcba98-7654-3210-fedc-ba9876543210/aaaa";

fn run(world: &World) -> Engine {
    let mut engine = Engine::new(RuleSet::load(lanner_rules::RULES), Vec::new());
    world.events.iter().for_each(|event| drop(engine.apply(event)));
    engine.flush();
    engine
}

/// A shell that came out of a container and wrote a payload, and the people of the node beside it.
struct Scene {
    world: World,
    web: Actor,
    shell: Actor,
    outside: Actor,
    cron: Actor,
    early: Actor,
}

fn scene() -> Scene {
    let mut world = World::new();
    let shim = world.found(None, "/usr/bin/containerd-shim-runc-v2");
    let cron = world.found(None, "/usr/sbin/cron");
    let web = world.start_container(&shim, WEB, "aaaa", "/bin/httpd");
    let early = world.spawn(&cron, "/bin/true", "true");
    world.exit(&early);
    world.wait(90.0);
    let shell = world.enter(&shim, &web, "/bin/sh", true);
    let mut nsenter = world.spawn(&shell, "/usr/bin/nsenter", "nsenter -t 1 -m");
    world.setns(&mut nsenter, HOST);
    let outside = world.spawn(&nsenter, "/bin/sh", "sh");
    world.write(&outside, "/opt/payload", 900);
    world.connect(&outside, "192.0.2.9:443");
    Scene { world, web, shell, outside, cron, early }
}

/// Why not, of the first kind that is asked for.
fn words(why: &ProcessExplanation, kind: ReasonKind) -> &str {
    assert_eq!(why.incident, None, "{why:#?}");
    &why.reasons.iter().find(|r| r.kind == kind).unwrap_or_else(|| panic!("no {kind:?}: {why:#?}")).words
}

#[test]
fn each_part_of_an_incident_says_why_it_is_in() {
    let Scene { mut world, shell, outside, .. } = scene();
    let idle = world.spawn(&outside, "/bin/sleep", "sleep 9");
    let engine = run(&world);
    let why = engine.explain_incident(0).unwrap();
    let incident = &engine.incidents()[0];
    assert_eq!(why.score, why.weights.iter().map(|(_, w)| w).sum::<u32>());
    assert_eq!((why.stages.len(), why.processes.len()), (incident.stages.len(), incident.processes.len()));
    let of = |actor: &Actor| why.processes.iter().find(|(key, _)| *key == actor.key).unwrap().1.clone();
    assert_eq!(of(&shell).kind, ReasonKind::Stage);
    assert_eq!(of(&idle).kind, ReasonKind::Descends, "{:?}", of(&idle));
    assert_eq!(why.files.iter().find(|(f, _)| *f == *"/opt/payload").unwrap().1.kind, ReasonKind::Touched);
    assert_eq!(why.peers[0].1.kind, ReasonKind::Stage, "a shell that calls out is a stage");
    // The last stage leads back to the first.
    let last = why.stages.last().unwrap().last().unwrap();
    assert!(last.words.contains("belongs to stage 1"), "{why:#?}");
    assert_eq!(engine.explain_process(idle.key).incident.as_deref(), Some(incident.id.as_str()));
    assert_eq!(engine.explain_incident(1), None);
}

#[test]
fn each_outsider_says_why_it_is_not_in() {
    let Scene { mut world, web, outside, cron, early, .. } = scene();
    let reader = world.spawn(&cron, "/usr/bin/indexer", "indexer");
    world.read(&reader, "/opt/payload", 900);
    world.connect(&reader, "192.0.2.9:443");
    let weak = world.spawn(&cron, "/bin/cat", "cat /etc/shadow");
    world.read(&weak, "/etc/shadow", 33);
    let engine = run(&world);
    let why = |actor: &Actor| engine.explain_process(actor.key);

    assert!(words(&why(&reader), ReasonKind::NoSignal).contains("cron (102) above it starts unrelated things"));
    assert!(words(&why(&reader), ReasonKind::OnlyRead).contains("/opt/payload"));
    assert!(words(&why(&reader), ReasonKind::OnlyPeer).contains("192.0.2.9:443"));
    let weight = why(&weak);
    assert!(words(&weight, ReasonKind::Weight).contains("weighs 3 of the 6"), "{weight:#?}");
    assert!(words(&why(&cron), ReasonKind::Boundary).contains("starts unrelated things"));
    assert!(words(&why(&web), ReasonKind::OnlyContainer).contains("container aaaa"));
    assert!(words(&why(&early), ReasonKind::EndedBefore).contains("90 s"));
    let unknown = engine.explain_process(ProcessKey::new(9_999_999, 1));
    assert_eq!(words(&unknown, ReasonKind::Unknown), "no such process was seen");
    assert!(why(&outside).incident.is_some());
}

#[test]
fn whoever_has_only_to_do_with_others_is_told_the_way() {
    let Scene { mut world, cron, outside, .. } = scene();
    let indexer = world.spawn(&cron, "/usr/bin/indexer", "indexer");
    world.read(&indexer, "/opt/payload", 900);
    world.write(&indexer, "/var/index", 901);
    let pager = world.spawn(&cron, "/usr/bin/pager", "pager");
    world.read(&pager, "/var/index", 901);
    let engine = run(&world);
    let why = engine.explain_process(pager.key);
    let [pager, indexer, outside] = [&pager, &indexer, &outside].map(|actor| actor.key.pid);
    let way = format!(
        "pager ({pager}) read /var/index; indexer ({indexer}) wrote /var/index; \
         indexer ({indexer}) read /opt/payload; sh ({outside}) wrote /opt/payload"
    );
    assert!(words(&why, ReasonKind::Distant).ends_with(&way), "{why:#?}");
}

#[test]
fn what_everybody_uses_is_said_to_be_everybodys() {
    let Scene { mut world, .. } = scene();
    let mut users = Vec::new();
    for i in 0..12 {
        let user = world.found(None, &format!("/usr/bin/program{i}"));
        world.read(&user, "/opt/payload", 900);
        users.push(user);
    }
    let engine = run(&world);
    let why = engine.explain_process(users[11].key);
    assert!(words(&why, ReasonKind::Ubiquitous).contains("more than 8 programs"));
}
