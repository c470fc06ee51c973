//! What each screen looks like, in the two sizes that matter most and in the smallest that is usable.

use insta::assert_snapshot;
use lanner_core::detect::{Incident, Occurrence};
use lanner_core::event::{Batch, Event, Header, Loss, LossCause, Origin, Payload, ProcessKey, Text};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;

use super::super::command::Command;
use super::super::feed::{ConnectionState, End, FeedItem, Source, Speed};
use super::super::look::Look;
use super::super::screens::{graph, incidents, timeline};
use super::super::state::{Screen, Subject};
use super::super::update::{Msg, update};
use super::{Told, attack, key};
use crate::lines;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);
const TINY: (u16, u16) = (40, 10);
const WIDE: (u16, u16) = (200, 60);

/// The frames of one situation in each size.
fn frames(told: &mut Told, sizes: &[(u16, u16)]) -> String {
    let frames = sizes.iter().map(|(width, height)| {
        told.model.state.size = Size { width: *width, height: *height };
        format!("{width}x{height}\n{}", told.frame(*width, *height))
    });
    frames.collect::<Vec<_>>().join("\n")
}

#[test]
fn incidents_tell_the_whole_attack_on_a_small_screen() {
    assert_snapshot!(frames(&mut Told::attack(), &[SMALL, LARGE, TINY]));
}

#[test]
fn incidents_of_one_name_are_told_apart_by_their_places() {
    let (script, incident) = attack::attack();
    let in_one = |place: usize| {
        let mut containers: Vec<_> = incident.processes.iter().filter_map(|p| p.container.clone()).collect();
        containers.dedup();
        let processes = incident.processes.iter().filter(|p| p.container.as_ref() == Some(&containers[place]));
        let processes = processes.cloned().collect();
        Incident { id: format!("inc-{place}"), name: "Credentials taken".to_owned(), processes, ..incident.clone() }
    };
    let items = vec![FeedItem::Node(attack::node()), FeedItem::Batch(script.batch())];
    let frame = Told::new(items, vec![in_one(0), in_one(1)], Source::Live).frame(80, 24);
    let rows: Vec<&str> = frame.lines().filter(|line| line.contains("Credentials taken")).collect();
    assert_eq!(rows.len(), 2, "{frame}");
    assert!(rows[0].contains("3b1f09c27a11") && rows[1].contains("9f3c2a1b77d0"), "{frame}");
}

#[test]
fn a_story_of_one_stage_says_so() {
    let (_, mut incident) = attack::attack();
    incident.chain = None;
    for (stages, words) in [(2, "  2 stages, "), (1, "  1 stage, ")] {
        incident.stages.truncate(stages);
        let story = lines::incident_words(&incident, &attack::node(), 0);
        assert!(story.contains(words), "{story}");
    }
}

#[test]
fn what_a_stage_is_about_is_told_before_all_else_that_was_touched() {
    let (script, mut incident) = attack::attack();
    let about = Text::from("/etc/kubernetes/manifests/x.yaml");
    incident.files = vec!["/tmp/out".into(), "/tmp/err".into(), about.clone()];
    incident.stages[1].times = vec![Occurrence {
        process: incident.stages[1].process.key,
        time: incident.stages[1].time,
        event: 0,
        file: about,
        peer: None,
        link: None,
    }];
    let items = vec![FeedItem::Node(attack::node()), FeedItem::Batch(script.batch())];
    let frame = Told::new(items, vec![incident], Source::Live).frame(80, 24);
    assert!(frame.contains(" touched  /etc/kubernetes/manifests/x.yaml, "), "{frame}");
}

#[test]
fn a_selected_stage_is_told_in_full() {
    let mut told = Told::attack();
    told.act(|scene, state| {
        incidents::act(scene, state, Command::Open, 20);
        for _ in 0..3 {
            incidents::act(scene, state, Command::Down, 20);
        }
    });
    assert_snapshot!(frames(&mut told, &[SMALL, TINY]));
}

#[test]
fn the_tree_is_unfolded_along_the_attack() {
    let mut told = Told::attack();
    told.model.state.screen = Screen::Tree;
    assert_snapshot!(frames(&mut told, &[SMALL, LARGE, TINY]));
}

#[test]
fn the_graph_is_the_picture_of_the_attack() {
    let mut told = Told::attack();
    told.model.state.screen = Screen::Graph;
    assert_snapshot!(frames(&mut told, &[SMALL, LARGE, WIDE, TINY]));
    for _ in 0..6 {
        told.act(|scene, state| graph::act(scene, state, Command::Right));
        told.frame(SMALL.0, SMALL.1);
    }
    assert_snapshot!("the_graph_follows_its_edges", frames(&mut told, &[SMALL]));
}

#[test]
fn the_graph_of_a_process_is_what_lies_around_it() {
    let mut told = Told::attack();
    told.model.state.screen = Screen::Tree;
    told.act(|scene, state| {
        let shell = scene.incidents()[0].processes[0].key;
        state.open(Subject::Process(shell));
        graph::turn_to(scene, state);
        state.trail.clear();
        state.pane = false;
        state.screen = Screen::Graph;
    });
    assert_snapshot!(frames(&mut told, &[LARGE]));
}

#[test]
fn the_timeline_follows_what_happens() {
    let mut told = Told::attack();
    told.model.state.screen = Screen::Timeline;
    assert_snapshot!(frames(&mut told, &[SMALL, LARGE, TINY]));
}

#[test]
fn the_timeline_tells_the_time_in_three_ways() {
    let mut told = Told::attack();
    told.model.state.screen = Screen::Timeline;
    told.act(|scene, state| {
        state.go_to(scene, 30);
        timeline::act(scene, state, Command::Clock, 10);
    });
    let since_start = told.frame(80, 8);
    told.act(|scene, state| timeline::act(scene, state, Command::Clock, 10));
    assert_snapshot!(format!("{since_start}\n{}", told.frame(80, 8)));
}

#[test]
fn the_sensor_says_what_it_cannot_see() {
    let mut told = Told::attack();
    told.model.state.screen = Screen::Sensor;
    assert_snapshot!(frames(&mut told, &[SMALL, LARGE]));
}

#[test]
fn losses_are_seen_wherever_one_is() {
    let mut told = Told::attack();
    let losses =
        vec![Loss { cause: LossCause::RingFull, count: 1_250 }, Loss { cause: LossCause::SlowClient, count: 3 }];
    update(&mut told.model, Msg::Feed(FeedItem::Batch(Batch { losses, ..Batch::default() })));
    let header = |told: &mut Told, width| told.frame(width, 24).lines().next().unwrap_or_default().to_owned();
    let headers = [header(&mut told, 80), header(&mut told, 40), header(&mut told, 24)];
    assert!(headers.iter().all(|h| h.contains("lost 1.2k")), "{headers:#?}");
    told.model.state.screen = Screen::Sensor;
    assert_snapshot!(frames(&mut told, &[SMALL]));
}

#[test]
fn details_of_a_stage() {
    let mut told = Told::attack();
    told.model.state.open(Subject::Stage { incident: told.incidents[0].id.clone(), stage: 3 });
    assert_snapshot!(frames(&mut told, &[SMALL, LARGE]));
}

#[test]
fn details_of_a_process() {
    let mut told = Told::attack();
    let nsenter = told.incidents[0].processes[1].key;
    told.model.state.open(Subject::Process(nsenter));
    assert_snapshot!(frames(&mut told, &[(80, 60), LARGE]));
}

#[test]
fn details_of_a_container() {
    let mut told = Told::attack();
    let hidden = told.incidents[0].processes[4].container.clone().unwrap();
    told.model.state.open(Subject::Container(hidden));
    assert_snapshot!(frames(&mut told, &[SMALL]));
}

#[test]
fn details_of_an_event() {
    let mut told = Told::attack();
    let last = told.history.end() - 1;
    told.model.state.open(Subject::Event(last));
    assert_snapshot!(frames(&mut told, &[(80, 50)]));
}

#[test]
fn help_lists_the_table() {
    let mut told = Told::attack();
    told.model.state.help = Some(0);
    assert_snapshot!(frames(&mut told, &[SMALL, LARGE]));
}

#[test]
fn empty_screens_say_what_they_wait_for() {
    let mut frames = String::new();
    for mut told in [Told::quiet(), Told::connecting()] {
        frames.push_str(&told.frame(80, 12));
    }
    let mut lost = Told::connecting();
    let state = ConnectionState::Lost {
        why: "connection refused".to_owned(),
        retry_in: std::time::Duration::from_millis(2_500),
    };
    update(&mut lost.model, Msg::Feed(FeedItem::Status(state)));
    lost.model.state.screen = Screen::Tree;
    frames.push_str(&lost.frame(80, 12));
    assert_snapshot!(frames);
}

#[test]
fn an_empty_screen_says_what_esc_takes_off() {
    let mut told = Told::attack();
    for c in "/zzzz".chars() {
        update(&mut told.model, key(c));
    }
    update(&mut told.model, Msg::Key(KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE)));
    for screen in [Screen::Tree, Screen::Flows, Screen::Files, Screen::Timeline] {
        told.model.state.screen = screen;
        update(&mut told.model, Msg::Work);
        let frame = told.frame(80, 24);
        assert!(frame.contains("Esc takes the filter off.") && !frame.contains("one step"), "{frame}");
    }
}

#[test]
fn a_filter_is_red_with_its_reason_while_it_is_wrong() {
    let mut told = Told::attack();
    told.model.state.screen = Screen::Timeline;
    for c in "/proc.nme=tar".chars() {
        update(&mut told.model, key(c));
    }
    assert_snapshot!(told.frame(80, 12));
}

#[test]
fn what_a_word_may_become_stands_above_it_with_its_meaning() {
    let mut told = Told::attack();
    told.model.state.screen = Screen::Timeline;
    for c in "/proc.".chars() {
        update(&mut told.model, key(c));
    }
    assert_snapshot!(frames(&mut told, &[SMALL, TINY]));
}

#[test]
fn a_replay_says_how_fast_and_when_it_ends() {
    let (script, _) = super::attack::attack();
    let speed = Speed::REAL.faster().faster();
    let source = Source::Recording("container-escape".to_owned(), speed);
    let items = vec![FeedItem::Node(super::attack::node()), FeedItem::Batch(script.batch())];
    let mut told = Told::new(items, Vec::new(), source);
    let mut headers = vec![told.frame(80, 24)];
    update(&mut told.model, key(' '));
    headers.push(told.frame(80, 24));
    update(&mut told.model, key(' '));
    update(&mut told.model, Msg::Feed(FeedItem::End(End::early("the recording was cut short"))));
    headers.push(told.frame(80, 24));
    let ends = headers.iter().map(|f| {
        let lines: Vec<_> = f.lines().collect();
        format!("{}\n{}", lines[0], lines[23])
    });
    assert_snapshot!(ends.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_recording_that_is_read_says_how_far() {
    let source = Source::Recording("large.lanner".to_owned(), Speed::MAX);
    let mut told = Told::new(vec![FeedItem::Progress(34)], Vec::new(), source);
    assert!(told.frame(80, 24).lines().next().unwrap_or_default().contains("READING 34 %"));
}

#[test]
fn ascii_frames_hold_nothing_else() {
    let mut told = Told::attack();
    told.model.state.look = Look { ascii: true, ..Look::PLAIN };
    let incidents = told.frame(80, 24);
    told.model.state.screen = Screen::Tree;
    let tree = told.frame(80, 14);
    assert!(incidents.is_ascii() && tree.is_ascii());
    assert_snapshot!(format!("{incidents}\n{tree}"));
}

#[test]
fn wide_characters_stay_in_their_columns() {
    let mut told = Told::quiet();
    let parent = ProcessKey::new(612, 612_000_000);
    let mut script = super::attack::quiet();
    let place = super::script::Place::service("容器.service");
    script.spawn(parent, &place, &["/opt/容器/监视", "日本語", "--flag"]);
    update(&mut told.model, Msg::Feed(FeedItem::Batch(script.batch())));
    told = Told::new(vec![FeedItem::Batch(script.batch())], Vec::new(), Source::Live);
    told.model.state.screen = Screen::Timeline;
    assert_snapshot!(told.frame(80, 8));
}

#[test]
fn an_event_without_a_known_process_is_shown_as_such() {
    let header = Header {
        seq: 1,
        time: lanner_core::event::BootTime(5),
        cpu: 0,
        process: ProcessKey::UNKNOWN,
        tid: 0,
        origin: Origin::Live,
        compat: false,
    };
    let payload = Payload::Exit(lanner_core::event::Exit { code: 0, signal: 9 });
    let batch = Batch { events: vec![Event { header, payload }], ..Batch::default() };
    let mut told = Told::new(vec![FeedItem::Batch(batch)], Vec::new(), Source::Live);
    told.model.state.screen = Screen::Timeline;
    let frame = told.frame(80, 6);
    assert!(frame.contains("unknown") && frame.contains("was ended by signal 9"), "{frame}");
}
