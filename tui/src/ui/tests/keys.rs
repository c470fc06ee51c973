//! Every key of the table does what the table says, and what follows from it.

use std::sync::OnceLock;

use lanner_core::engine::Engine;
use lanner_core::event::Batch;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;

use crate::detection::Content;

use super::super::command::{Binding, Command, Key};
use super::super::feed::{FeedItem, ReplayCommand, Source, Speed};
use super::super::forest::{GroupId, NodeId, TreeCache};
use super::super::keymap::Keymap;
use super::super::model::Model;
use super::super::prompt::PromptKind;
use super::super::screens::{self, graph as picture};
use super::super::state::{Clock, Pending, Screen, State, Subject};
use super::super::update::{Effect, Msg, update};
use super::{PLAIN, attack, key, script};

const SIZE: Size = Size { width: 80, height: 24 };

/// An engine with the built-in rules, which are read once.
fn engine() -> Engine {
    static CONTENT: OnceLock<Content> = OnceLock::new();
    CONTENT.get_or_init(|| Content::load(&[]).unwrap()).engine()
}

/// A model with the reference attack and the built-in rules.
fn model(source: Source) -> Model {
    let mut model = Model::new(engine, source, PLAIN, Keymap::default(), SIZE);
    update(&mut model, Msg::Feed(FeedItem::Node(attack::node())));
    update(&mut model, Msg::Feed(FeedItem::Batch(attack::attack().0.batch())));
    model
}

pub(super) fn live() -> Model {
    model(Source::Live)
}

fn on(screen: Screen) -> Model {
    let mut model = live();
    model.state.screen = screen;
    model
}

pub(super) fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    let modifiers = if key.ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
    update(model, Msg::Key(KeyEvent::new(key.code, modifiers)))
}

pub(super) fn type_in(model: &mut Model, text: &str) {
    for c in text.chars() {
        update(model, key(c));
    }
}

pub(super) fn code(code: KeyCode) -> Key {
    Key { code, ctrl: false }
}

fn rows(model: &Model) -> usize {
    TreeCache::get(&model.scene(), &model.state).len()
}

fn service(unit: &str) -> NodeId {
    NodeId::Group(GroupId::Service(unit.into()))
}

/// In the story of the incident.
fn story() -> Model {
    let mut model = live();
    press(&mut model, code(KeyCode::Enter));
    model
}

/// At the picture of the incident.
fn graph() -> Model {
    let mut model = live();
    press(&mut model, code(KeyCode::Char('3')));
    model
}

/// In the timeline, looking at the past.
fn past() -> Model {
    let mut model = on(Screen::Timeline);
    type_in(&mut model, "kkkk");
    model
}

/// A situation in which the binding works.
fn situation(binding: &Binding) -> Model {
    use Command as C;
    match binding.command {
        C::Up | C::Down | C::PageUp | C::PageDown | C::First | C::Last | C::Clock => {
            let mut model = on(Screen::Timeline);
            model.state.go_to(&model.world.latest(), 40);
            update(&mut model, Msg::Work);
            model
        }
        C::PreviousSignal | C::NextSignal | C::Earlier | C::Later => {
            let mut model = on(Screen::Timeline);
            model.state.go_to(&model.world.latest(), 40);
            model
        }
        C::Follow => past(),
        C::Left | C::Right | C::UnfoldAll if ["fold", "unfold", ""].contains(&binding.short) => {
            let mut model = on(Screen::Tree);
            let container = lanner_core::event::ContainerId(attack::CONTAINER_A.into());
            model.state.selection.node = Some(match binding.command {
                C::Left => NodeId::Group(GroupId::Container(container)),
                _ => service("containerd.service"),
            });
            model
        }
        C::Left | C::Right if ["back", "on"].contains(&binding.short) => {
            let mut model = graph();
            press(&mut model, code(KeyCode::Right));
            model
        }
        C::NextWay => {
            let mut model = graph();
            let branches = |model: &Model| picture::ways_on(&model.scene(), &model.state) > 1;
            for _ in 0..20 {
                if !branches(&model) {
                    press(&mut model, code(KeyCode::Right));
                }
            }
            model
        }
        C::Left => story(),
        C::Zoom => {
            let mut model = live();
            let shell = model.scene().incidents()[0].processes[0].key;
            model.state.open(Subject::Process(shell));
            model.state.size = Size { width: 120, height: 40 };
            model
        }
        C::Details => on(Screen::Tree),
        C::Group if binding.long.starts_with("graph") => graph(),
        C::Group if binding.long.starts_with("flows") => on(Screen::Flows),
        C::Group => on(Screen::Files),
        C::Back => {
            let mut model = live();
            type_in(&mut model, "/nothing");
            press(&mut model, code(KeyCode::Enter));
            model
        }
        C::NextMatch | C::PreviousMatch => {
            let mut model = on(Screen::Tree);
            type_in(&mut model, "/curl");
            press(&mut model, code(KeyCode::Enter));
            if binding.command == C::PreviousMatch {
                press(&mut model, code(KeyCode::End));
            }
            model
        }
        C::FilterSelection => on(Screen::Tree),
        C::GoToMark => {
            let mut model = live();
            type_in(&mut model, "ma6");
            model
        }
        C::Accept | C::Cancel | C::Erase | C::EraseAll | C::CursorLeft | C::CursorRight => {
            let mut model = live();
            type_in(&mut model, "/tar");
            if binding.command == C::CursorRight {
                press(&mut model, code(KeyCode::Left));
            }
            model
        }
        C::NextOffer | C::PreviousOffer => {
            let mut model = live();
            type_in(&mut model, "/proc.nam");
            model
        }
        C::Faster | C::Slower | C::SkipSilence => model(Source::Recording("x".to_owned(), Speed::REAL)),
        C::Record if binding.short == "stop recording" => {
            let mut model = live();
            model.state.recording = Some("lanner-node-1.lanner".to_owned());
            model
        }
        C::Pause if binding.short == "go on" => {
            let mut model = live();
            press(&mut model, binding.keys[0]);
            model
        }
        C::Help if binding.short == "close" => {
            let mut model = live();
            model.state.help = Some(0);
            model
        }
        _ => live(),
    }
}

/// Whether the command did its work, given the state before and after.
fn done(binding: &Binding, before: &Model, after: &mut Model, effects: &[Effect]) -> bool {
    use Command as C;
    let input = |model: &Model| model.state.prompt.as_ref().map(|p| p.input.clone()).unwrap_or_default();
    let is_signal = |model: &Model, number: u64| model.scene().event(number).unwrap().worst().is_some();
    if binding.command == C::GoToMark {
        let pending = after.state.pending.is_some();
        type_in(after, "a");
        return pending && after.state.screen == Screen::Incidents;
    }
    if binding.command == C::Export {
        let pending = after.state.pending == Some(Pending::Export);
        let effects = update(after, key('h'));
        return pending && matches!(&effects[..], [Effect::Save { ending: "html", text, .. }] if text.contains("<svg"));
    }
    let after = &*after;
    let state: &State = &after.state;
    match binding.command {
        C::Up => state.selection.event == Some(39) && state.cursor.is_some_and(|c| c.end == 40),
        C::Down => state.selection.event == Some(41),
        C::PageUp => state.selection.event.is_some_and(|e| e < 30),
        C::PageDown => state.selection.event.is_some_and(|e| e > 50),
        C::First => state.selection.event == Some(0),
        C::Last => state.selection.event.is_none() && state.cursor.is_none(),
        C::PreviousSignal => state.selection.event.is_some_and(|e| e < 40 && is_signal(after, e)),
        C::NextSignal => state.selection.event.is_some_and(|e| e > 40 && is_signal(after, e)),
        C::Earlier => state.cursor.is_some_and(|c| c.end == 40),
        C::Later => state.cursor.is_some_and(|c| c.end == 42),
        C::Follow => before.state.cursor.is_some() && state.cursor.is_none(),
        C::Left if binding.short == "list" => before.state.in_story() && !state.in_story(),
        C::Right if binding.short == "story" => state.in_story(),
        C::Left | C::Right if state.screen == Screen::Graph => {
            let [was, is] = [before, after].map(|model| screens::selected(&model.scene(), &model.state));
            was.is_some() && is.is_some() && was != is
        }
        C::NextWay => {
            let ways = [before, after].map(|model| picture::chosen_way(&model.scene(), &model.state));
            ways[0].is_some() && ways[0] != ways[1]
        }
        C::Copy => matches!(effects, [Effect::Copy { text, what: "the story" }] if text.contains("hack")),
        C::Record => effects == [Effect::Record(before.state.recording.is_none())],
        C::Dump => effects == [Effect::Dump],
        C::Left => rows(after) < rows(before),
        C::Right | C::UnfoldAll => rows(after) > rows(before),
        C::Open => state.in_story(),
        C::Details => state.details().is_some(),
        C::Back => !before.state.filter.is_empty() && state.filter.is_empty(),
        C::Show(screen) => state.screen == screen,
        C::NextScreen => state.screen == Screen::Tree,
        C::PreviousScreen => state.screen == Screen::Sensor,
        C::Zoom => state.zoomed,
        C::Clock => state.clock == Clock::SinceStart,
        C::Group if state.screen == Screen::Graph => state.notice.is_some(),
        C::Group => state.flows != before.state.flows || state.files != before.state.files,
        C::Sort | C::ReverseSort => state.sorts.of(state.screen) != before.state.sorts.of(state.screen),
        C::Filter => state.prompt.as_ref().is_some_and(|p| p.kind == PromptKind::Filter),
        C::Palette => state.prompt.as_ref().is_some_and(|p| p.kind == PromptKind::Palette && p.offers.len() > 20),
        C::FilterSelection => input(after).value().starts_with("container.id="),
        C::NextMatch | C::PreviousMatch => {
            let name = state.selection.process().and_then(|key| after.scene().name(key).map(<[u8]>::to_vec));
            state.selection.node != before.state.selection.node && name.is_some()
        }
        C::SetMark => state.pending == Some(Pending::SetMark),
        C::GoToMark | C::Export => false,
        C::Pause => state.is_paused() != before.state.is_paused(),
        C::Faster => effects == [Effect::Replay(ReplayCommand::Speed(Speed::REAL.faster()))],
        C::Slower => effects == [Effect::Replay(ReplayCommand::Speed(Speed::REAL.slower()))],
        C::SkipSilence => effects == [Effect::Replay(ReplayCommand::SkipSilence(true))],
        C::Help => state.help.is_some() != before.state.help.is_some(),
        C::Suspend => effects == [Effect::Suspend],
        C::Redraw => effects == [Effect::Redraw],
        C::Quit => effects == [Effect::Quit],
        C::Accept => state.prompt.is_none() && state.filter.text() == "tar",
        C::Cancel => state.prompt.is_none() && state.filter.is_empty(),
        C::NextOffer | C::PreviousOffer => input(after).value() == "proc.name",
        C::Erase => input(after).value() == "ta",
        C::EraseAll => input(after).value().is_empty(),
        C::CursorLeft => input(after).cursor() == 2,
        C::CursorRight => input(after).cursor() == 3,
    }
}

#[test]
fn each_key_of_the_table_does_what_it_says() {
    for binding in Keymap::default().bindings() {
        for key in &binding.keys {
            let (before, mut after) = (situation(binding), situation(binding));
            let context = before.state.context(&before.scene());
            assert!((binding.when)(&context), "{key} does not work in its situation: {}", binding.long);
            let effects = press(&mut after, *key);
            assert!(done(binding, &before, &mut after, &effects), "{key} does not: {}", binding.long);
        }
    }
}

#[test]
fn escape_goes_back_step_by_step_and_never_leaves() {
    let mut model = live();
    type_in(&mut model, "/container");
    press(&mut model, code(KeyCode::Enter));
    for _ in 0..2 {
        press(&mut model, code(KeyCode::Enter));
    }
    assert!(model.state.pane && model.state.trail.len() == 2, "{:?}", model.state);
    let esc = |model: &mut Model| assert!(press(model, code(KeyCode::Esc)).is_empty());
    esc(&mut model);
    assert!(model.state.in_story());
    esc(&mut model);
    assert!(model.state.trail.is_empty() && !model.state.filter.is_empty());
    esc(&mut model);
    assert!(model.state.filter.is_empty());
    for _ in 0..5 {
        esc(&mut model);
    }
}

#[test]
fn letters_are_text_while_a_filter_is_typed() {
    let mut model = live();
    type_in(&mut model, "/q?1 G");
    assert_eq!(model.state.prompt.as_ref().unwrap().input.value(), "q?1 G");
    assert_eq!(press(&mut model, Key { code: KeyCode::Char('c'), ctrl: true }), [Effect::Quit]);
}

#[test]
fn a_wrong_filter_leaves_the_last_good_one_applied() {
    let mut model = on(Screen::Timeline);
    let all = model.state.listing.len(&model.scene());
    type_in(&mut model, "/proc.name=tar");
    let matching = model.state.listing.len(&model.scene());
    assert!(0 < matching && matching < all);
    type_in(&mut model, " and");
    assert!(model.state.prompt.as_ref().unwrap().error.is_some());
    assert_eq!(model.state.filter.text(), "proc.name=tar");
    assert_eq!(model.state.listing.len(&model.scene()), matching);
    press(&mut model, code(KeyCode::Enter));
    assert!(model.state.prompt.is_some(), "what is wrong cannot be applied");
    press(&mut model, code(KeyCode::Esc));
    assert_eq!(model.state.listing.len(&model.scene()), all, "cancelling brings back what was before");
}

#[test]
fn words_that_become_a_wrong_condition_are_no_filter() {
    let mut model = on(Screen::Timeline);
    let all = model.state.listing.len(&model.scene());
    type_in(&mut model, "/proc.nam ");
    assert_eq!(model.state.listing.len(&model.scene()), 0);
    type_in(&mut model, "= tar");
    assert!(model.state.prompt.as_ref().unwrap().error.is_some());
    assert_eq!(model.state.listing.len(&model.scene()), all);
}

#[test]
fn a_filter_lets_new_events_through_too_and_reaches_tree_and_incidents() {
    let mut model = on(Screen::Timeline);
    type_in(&mut model, "/rsync");
    assert_eq!(model.state.listing.len(&model.scene()), 0);
    assert!(super::super::screens::incidents::listed(&model.scene(), &model.state).is_empty());
    assert_eq!(rows(&model), 0);
    let mut script = attack::attack().0;
    let from = script.events.len();
    let parent = lanner_core::event::ProcessKey::new(612, 612_000_000);
    script.spawn(parent, &script::Place::service("cron.service"), &["rsync", "-a", "/home"]);
    let events = script.events.split_off(from);
    update(&mut model, Msg::Feed(FeedItem::Batch(Batch { now: script.now(), events, ..Batch::default() })));
    assert!(model.state.listing.len(&model.scene()) > 0);
    assert!(rows(&model) >= 2, "the process and what it stands in");
}

#[test]
fn a_pause_holds_the_view_and_not_the_intake() {
    let mut model = on(Screen::Timeline);
    press(&mut model, code(KeyCode::Char(' ')));
    let (shown, living) = (model.state.listing.len(&model.scene()), model.scene().living());
    let mut script = attack::attack().0;
    script.wait(std::time::Duration::from_secs(1));
    let from = script.events.len();
    let cron = lanner_core::event::ProcessKey::new(612, 612_000_000);
    script.spawn(cron, &script::Place::service("cron.service"), &["sleep", "1"]);
    script.exit(cron, 0);
    let events = script.events.split_off(from);
    update(&mut model, Msg::Feed(FeedItem::Batch(Batch { now: script.now(), events, ..Batch::default() })));
    let scene = model.scene();
    assert_eq!((model.state.listing.len(&scene), scene.living()), (shown, living));
    assert!(scene.is_alive(scene.graph.process(cron).unwrap()), "what ended later still lives in the view");
    assert_eq!(model.world.latest().history.end(), shown as u64 + 3, "but all was taken in");
    press(&mut model, code(KeyCode::Char(' ')));
    assert_eq!(model.state.listing.len(&model.scene()), shown + 3);
}

#[test]
fn a_replay_stands_still_with_the_view() {
    let mut model = model(Source::Recording("x".to_owned(), Speed::REAL));
    let space = code(KeyCode::Char(' '));
    assert_eq!(press(&mut model, space), [Effect::Replay(ReplayCommand::Pause)]);
    assert_eq!(press(&mut model, space), [Effect::Replay(ReplayCommand::Resume)]);
}

#[test]
fn the_selection_follows_the_thing_and_every_screen_shares_it() {
    let mut model = live();
    press(&mut model, code(KeyCode::Enter));
    for _ in 0..3 {
        press(&mut model, code(KeyCode::Down));
    }
    let stage = model.scene().incidents()[0].stages[3].clone();
    press(&mut model, code(KeyCode::Char('6')));
    let entry = model.scene().event(model.state.selection.event.unwrap()).unwrap().event.header.seq;
    assert_eq!(Some(&entry), stage.evidence.first());
    press(&mut model, code(KeyCode::Char('2')));
    assert_eq!(model.state.selection.node, Some(NodeId::Process(stage.process.key)));
    let mut script = attack::attack().0;
    let from = script.events.len();
    let place = script::Place::container("x", &"0".repeat(64), 9).tty("pts9");
    script.spawn(stage.process.key, &place, &["nc", "-l"]);
    let events = script.events.split_off(from);
    update(&mut model, Msg::Feed(FeedItem::Batch(Batch { now: script.now(), events, ..Batch::default() })));
    assert_eq!(model.state.selection.node, Some(NodeId::Process(stage.process.key)));
}

#[test]
fn a_process_that_is_folded_away_is_revealed_when_the_tree_is_shown() {
    let mut model = on(Screen::Timeline);
    let kubelet = lanner_core::event::ProcessKey::new(822, 822_000_000);
    model.state.select_process(kubelet);
    press(&mut model, code(KeyCode::Char('2')));
    let forest = TreeCache::get(&model.scene(), &model.state);
    assert!(forest.rows_from(0).any(|r| r.id == NodeId::Process(kubelet)));
}

#[test]
fn another_boot_begins_anew() {
    let mut model = on(Screen::Timeline);
    let space = code(KeyCode::Char(' '));
    press(&mut model, space);
    let mut node = attack::node();
    node.boot_id = "another".to_owned();
    update(&mut model, Msg::Feed(FeedItem::Node(node)));
    assert!(!model.state.is_paused());
    assert_eq!(model.state.listing.len(&model.scene()), 0);
    assert!(model.scene().incidents().is_empty() && model.scene().processes().next().is_none());
}

#[test]
fn details_lead_from_one_thing_to_the_next() {
    let mut model = live();
    for _ in 0..2 {
        press(&mut model, code(KeyCode::Enter));
    }
    assert!(matches!(model.state.trail.last().unwrap().subject, Subject::Stage { stage: 0, .. }));
    press(&mut model, code(KeyCode::Enter));
    assert!(model.state.notice.is_some(), "a heading leads nowhere, and says so");
    let mut steps = 0;
    while model.state.trail.len() == 2 {
        press(&mut model, code(KeyCode::Down));
        press(&mut model, code(KeyCode::Enter));
        steps += 1;
        assert!(steps < 60, "no line of the details leads anywhere");
    }
    assert!(matches!(model.state.trail.last().unwrap().subject, Subject::Process(_)));
}

#[test]
fn details_of_a_process_lead_to_whom_it_called() {
    let mut model = live();
    let line = model.scene().flows.iter().find(|line| line.outgoing == Some(true)).unwrap().clone();
    type_in(&mut model, "2");
    model.state.select_process(line.process);
    press(&mut model, code(KeyCode::Enter));
    let on_flow = |model: &Model| matches!(model.state.trail.last().unwrap().subject, Subject::Flow(_));
    for row in 0..80 {
        model.state.trail.last_mut().unwrap().line = row;
        press(&mut model, code(KeyCode::Enter));
        if on_flow(&model) {
            return;
        }
        while model.state.trail.len() > 1 {
            press(&mut model, code(KeyCode::Esc));
        }
    }
    panic!("no line of the details leads to {:?}", line.key);
}

#[test]
fn a_node_opens_at_its_tree_until_there_is_an_incident_or_a_key() {
    let empty = || Model::new(engine, Source::Live, PLAIN, Keymap::default(), SIZE);
    let attack = || Msg::Feed(FeedItem::Batch(attack::attack().0.batch()));
    let mut model = empty();
    assert_eq!(model.state().screen(), Screen::Tree);
    update(&mut model, attack());
    assert_eq!(model.state().screen(), Screen::Incidents);

    let mut model = empty();
    press(&mut model, code(KeyCode::Char('6')));
    update(&mut model, attack());
    assert_eq!(model.state().screen(), Screen::Timeline, "what the user chose stays");
}

#[test]
fn a_field_is_completed_by_its_name_an_operator_and_the_values_that_were_seen() {
    let mut model = on(Screen::Timeline);
    let all = model.state.listing.len(&model.scene());
    let tab = code(KeyCode::Tab);
    let line = |model: &Model| model.state.prompt.as_ref().unwrap().input.value().to_owned();
    type_in(&mut model, "/proc.nam");
    assert_eq!(model.state.listing.len(&model.scene()), all, "half a name is not looked for");
    press(&mut model, tab);
    assert_eq!(line(&model), "proc.name");
    type_in(&mut model, " ");
    press(&mut model, tab);
    assert_eq!(line(&model), "proc.name =");
    type_in(&mut model, " nsen");
    press(&mut model, tab);
    assert_eq!(line(&model), "proc.name = nsenter");
    press(&mut model, code(KeyCode::Enter));
    let some = model.state.listing.len(&model.scene());
    assert!(0 < some && some < all, "{some} of {all}");
}

#[test]
fn a_filter_is_made_from_what_is_selected_and_other_ways_are_offered() {
    let mut model = on(Screen::Flows);
    type_in(&mut model, "F");
    let offers: Vec<String> = model.state.prompt.as_ref().unwrap().offers.iter().map(|o| o.line.clone()).collect();
    assert!(offers[0].starts_with("fd.rip=") && offers.iter().any(|o| o.starts_with("proc.name=")), "{offers:?}");
    press(&mut model, code(KeyCode::Tab));
    assert_eq!(model.state.filter.text(), offers[1]);
}

#[test]
fn the_palette_does_what_is_named() {
    let mut model = live();
    type_in(&mut model, ":flo");
    press(&mut model, code(KeyCode::Enter));
    assert_eq!((model.state.screen, model.state.prompt.is_none()), (Screen::Flows, true));
    type_in(&mut model, ":nonsense");
    press(&mut model, code(KeyCode::Enter));
    assert!(model.state.notice.as_deref().is_some_and(|n| n.contains("no such command")));
}

#[test]
fn what_is_drilled_down_to_limits_every_screen() {
    let mut model = on(Screen::Tree);
    let all = model.state.listing.len(&model.scene());
    let shell = model.scene().incidents()[0].processes[0].key;
    model.state.select_process(shell);
    press(&mut model, code(KeyCode::Enter));
    for (screen, keys) in [(Screen::Timeline, "6"), (Screen::Tree, "2"), (Screen::Incidents, "1")] {
        type_in(&mut model, keys);
        assert_eq!(model.state.screen, screen);
        assert_eq!(model.state.trail.len(), 1, "the way is kept");
    }
    let some = model.state.listing.len(&model.scene());
    assert!(0 < some && some < all, "{some} of {all}");
    press(&mut model, code(KeyCode::Esc));
    assert_eq!((model.state.screen, model.state.listing.len(&model.scene())), (Screen::Tree, all));
}

#[test]
fn what_is_pasted_is_text_for_a_filter_and_never_keys() {
    let mut model = on(Screen::Timeline);
    let all = model.state.listing.len(&model.scene());
    assert!(update(&mut model, Msg::Paste("q\r".to_owned())).is_empty());
    assert!(model.state.notice.as_deref().is_some_and(|n| n.contains("press / first")));
    type_in(&mut model, "/");
    update(&mut model, Msg::Paste("proc.name=tar\n".to_owned()));
    assert_eq!(model.state.prompt.as_ref().unwrap().input.value(), "proc.name=tar");
    let some = model.state.listing.len(&model.scene());
    assert!(0 < some && some < all, "{some} of {all}");
}
