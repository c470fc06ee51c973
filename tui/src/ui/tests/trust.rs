//! How far what is shown can be trusted stands where it is looked at: in the header, and in full on the sensor's screen.

use std::time::Duration;

use lanner_core::engine::Engine;
use lanner_core::event::{
    Args, Batch, BootTime, Event, Exec, Exit, File, Header, Hook, HookLayer, HookState, Image, Load, Loss, LossCause,
    Origin, Payload, ProcessKey, Task, Text,
};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::super::feed::{ConnectionState, FeedItem, Source};
use super::super::keymap::Keymap;
use super::super::model::Model;
use super::super::state::Screen;
use super::super::text::grouped;
use super::super::update::{Msg, update};
use super::super::view::{ViewState, paint};
use super::{PLAIN, attack, text};

fn model() -> Model {
    let mut model =
        Model::new(Engine::default, Source::Live, PLAIN, Keymap::default(), Size { width: 120, height: 60 });
    let mut node = attack::node();
    node.hooks = vec![hook(HookState::Attached), hook(HookState::Refused("no".to_owned()))];
    update(&mut model, Msg::Feed(FeedItem::Node(node)));
    model.state.screen = Screen::Sensor;
    model
}

fn hook(state: HookState) -> Hook {
    Hook { name: "sys_exit_x".to_owned(), layer: HookLayer::Base, without: "whatever x does".to_owned(), state }
}

fn event(seq: u64, process: ProcessKey, payload: Payload) -> Event {
    let time = BootTime(seq * 1_000_000_000);
    let header = Header { seq, time, cpu: 0, process, tid: process.pid, origin: Origin::Live, compat: false };
    Event { header, payload }
}

fn exec(seq: u64, parent: Option<ProcessKey>, truncated: bool) -> Event {
    let args = Args { list: vec![Text::from("x")], truncated };
    let image = Image { exe: File::new("/bin/x", 1, 1), args, ..Image::default() };
    let task = Task { comm: Text::from("x"), parent, ..Task::default() };
    event(seq, ProcessKey::new(100, 100), Payload::Exec(Box::new(Exec { task, image })))
}

fn take(model: &mut Model, batch: Batch) {
    update(model, Msg::Feed(FeedItem::Batch(batch)));
}

fn frame(model: &Model) -> String {
    let area = Rect { x: 0, y: 0, width: 120, height: 60 };
    let mut buffer = Buffer::empty(area);
    paint(&model.scene(), &model.state, &mut ViewState::default(), area, &mut buffer);
    text(&buffer)
}

fn header(model: &Model) -> String {
    frame(model).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn where_nothing_is_wrong_nothing_is_said() {
    let mut model = model();
    let parent = Some(ProcessKey::new(1, 1));
    take(&mut model, Batch { events: vec![exec(1, parent, false)], ..Batch::default() });
    let shown = frame(&model);
    assert!(shown.contains("lost 0") && shown.contains("Lost  nothing"), "{shown}");
    for word in ["behind", "unseen", "of which the sensor read only", "without its parent", "let go", "forgotten"] {
        assert!(!shown.contains(word), "{word}: {shown}");
    }
}

#[test]
fn refused_hooks_are_counted_in_the_header_and_told_with_what_is_not_seen() {
    let shown = frame(&model());
    assert!(header(&model()).contains("1 hook off"), "{shown}");
    assert!(shown.contains("refused") && shown.contains("Without it: whatever x does"), "{shown}");
}

#[test]
fn losses_of_every_cause_are_counted() {
    let mut model = model();
    let losses = LossCause::ALL.into_iter().zip(1..).map(|(cause, n)| Loss { cause, count: n * 1_000 }).collect();
    take(&mut model, Batch { losses, ..Batch::default() });
    let shown = frame(&model);
    assert!(header(&model).contains("lost 28.0k"), "{shown}");
    for (cause, n) in LossCause::ALL.into_iter().zip(1..) {
        let line =
            shown.lines().find(|line| line.contains(cause.words())).unwrap_or_else(|| panic!("{cause:?}: {shown}"));
        assert!(line.contains(&grouped(n * 1_000)), "{line}");
    }
}

#[test]
fn cut_texts_and_unseen_parents_are_counted() {
    let mut model = model();
    let parent = Some(ProcessKey::new(1, 1));
    let events = vec![exec(1, parent, true), exec(2, parent, true), exec(3, None, false)];
    take(&mut model, Batch { events, ..Batch::default() });
    let shown = frame(&model);
    assert!(shown.contains("2  events with a text of which"), "{shown}");
    assert!(shown.contains("1  times that a process was told of without its parent"), "{shown}");
}

#[test]
fn a_view_that_is_behind_says_so() {
    let mut model = model();
    model.world.reception.behind = Duration::from_secs(12);
    assert!(header(&model).contains("12s behind"), "{}", header(&model));
    assert!(frame(&model).contains("12s  behind what happens"), "{}", frame(&model));
}

#[test]
fn what_was_let_go_is_counted() {
    let mut model = model();
    let exit = |seq| event(seq, ProcessKey::new(100, 100), Payload::Exit(Exit { code: 0, signal: 0 }));
    let most = super::super::known::history::History::CAPACITY as u64;
    for start in (1..=most + 1).step_by(50_000) {
        take(&mut model, Batch { events: (start..start + 50_000).map(exit).collect(), ..Batch::default() });
    }
    assert!(frame(&model).contains("events let go by this program"), "{}", frame(&model));
}

#[test]
fn what_it_costs_to_watch_is_told_as_far_as_the_collector_tells_it() {
    let mut model = model();
    assert!(!frame(&model).contains("processor"));
    for (second, cpu) in [(1, 500), (3, 750)] {
        let (now, cpu) = (BootTime(second * 1_000_000_000), Duration::from_millis(cpu));
        let load = Load { now, cpu, memory: 84 << 20, waiting: 1_200, room: 65_536 };
        update(&mut model, Msg::Feed(FeedItem::Load(load)));
    }
    let frame = frame(&model);
    for words in
        ["12.5 %  of one processor", "84 MiB  of memory", "1 200  events wait to be taken in, of at most 65 536"]
    {
        assert!(frame.contains(words), "{words}: {frame}");
    }
}

#[test]
fn why_a_connection_is_lost_is_told_in_full() {
    let mut model = model();
    let why = format!("no collector answers at unix:///{}: there is no such socket", "run/".repeat(40));
    let lost = ConnectionState::Lost { why: why.clone(), retry_in: Duration::from_secs(2) };
    update(&mut model, Msg::Feed(FeedItem::Status(lost)));
    let words = |text: &str| text.split_whitespace().collect::<String>();
    let frame = frame(&model);
    assert!(words(&frame).contains(&words(&format!("{why}. It is tried again in 2.0s."))), "{frame}");
}
