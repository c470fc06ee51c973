//! What an attacker chooses is shown and never obeyed; no size of a terminal is a reason to fail.

use lanner_core::event::{
    Access, Args, Batch, BlindSpot, BootTime, ContainerId, Context, Event, Exec, File, Header, Hook, HookLayer,
    HookState, Image, NodeInfo, Open, Origin, Payload, ProcessKey, Task, Text, Through,
};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::super::feed::{ConnectionState, End, FeedItem, Source};
use super::super::forest::NodeId;
use super::super::keymap::Keymap;
use super::super::known::flows::FlowKey;
use super::super::model::Model;
use super::super::state::{Screen, Subject};
use super::super::update::{Msg, update};
use super::super::view::{ViewState, paint};
use super::{PLAIN, Told, key};

/// Escape sequences, control characters of both sets, direction overrides, invisible characters, invalid UTF-8.
const HOSTILE: &[u8] =
    b"\x1b[2J\x1b]0;owned\x07\r\n\t\x00\x7f\xc2\x9b31m\xe2\x80\xae\xe2\x80\x8b\xef\xbb\xbf\xff\xfe\xf0\x9f\x92\xa3\xe5\xae\xb9";

fn hostile_string() -> String {
    String::from_utf8_lossy(HOSTILE).into_owned()
}

fn hostile_model() -> Model {
    let text = Text::from(HOSTILE);
    let process = ProcessKey::new(7, 7);
    let task = Task {
        comm: text.clone(),
        context: Context {
            tty: Some(text.clone()),
            cgroup: text.clone(),
            container: Some(ContainerId(text.clone())),
            ..Context::default()
        }
        .into(),
        ..Task::default()
    };
    let long = Text::from(HOSTILE.repeat(3_000));
    let image = Image {
        exe: File::new(text.clone(), 1, 2),
        script: Some(File::new(text.clone(), 1, 4)),
        args: Args { list: vec![text.clone(), long, text.clone()], truncated: true },
        cwd: text.clone(),
        ..Image::default()
    };
    let mut outside = task.clone();
    outside.context_mut().container = None;
    let other = ProcessKey::new(8, 8);
    let open = Open {
        file: File::new(text, 1, 3),
        fd: 3,
        access: Access { read: false, write: true },
        created: true,
        written_before: false,
        directory: false,
        through: Through::Call,
        passed: None,
    };
    let payloads = [
        (process, Payload::Exec(Box::new(Exec { task, image: image.clone() }))),
        (other, Payload::Exec(Box::new(Exec { task: outside, image }))),
        (process, Payload::Open(Box::new(open))),
    ];
    let events = payloads.into_iter().enumerate().map(|(i, (process, payload))| {
        let seq = i as u64 + 1;
        let header =
            Header { seq, time: BootTime(100 + seq), cpu: 0, process, tid: 7, origin: Origin::Live, compat: false };
        Event { header, payload }
    });
    let hook = Hook {
        name: hostile_string(),
        layer: HookLayer::Full,
        state: HookState::Refused(hostile_string()),
        without: hostile_string(),
    };
    let node = NodeInfo {
        name: hostile_string(),
        boot_id: hostile_string(),
        kernel: hostile_string(),
        machine: hostile_string(),
        version: hostile_string(),
        wall_offset: i64::MAX,
        hooks: vec![hook],
        blind: vec![BlindSpot { family: hostile_string(), what: hostile_string() }],
    };
    let engine = || crate::detection::engine().unwrap();
    let mut model =
        Model::new(engine, Source::Remote(hostile_string()), PLAIN, Keymap::default(), Size { width: 100, height: 30 });
    let batch = Batch { events: events.collect(), ..Batch::default() };
    for item in [FeedItem::Node(node), FeedItem::Batch(batch), FeedItem::Status(ConnectionState::Connected)] {
        update(&mut model, Msg::Feed(item));
    }
    model
}

/// Every screen, and details of everything that can be looked into.
fn situations(model: &mut Model, mut check: impl FnMut(&Model)) {
    let container = ContainerId(Text::from(HOSTILE));
    let subjects = [
        None,
        Some(Subject::Process(ProcessKey::new(7, 7))),
        Some(Subject::Process(ProcessKey::new(99, 99))),
        Some(Subject::Container(container)),
        Some(Subject::Event(0)),
        Some(Subject::Event(2)),
        Some(Subject::File(0)),
        Some(Subject::File(9)),
        Some(Subject::Flow(FlowKey::Listen(1, "127.0.0.1:1".parse().unwrap()))),
        Some(Subject::Incident("none".to_owned())),
        Some(Subject::Stage { incident: "none".to_owned(), stage: 3 }),
    ];
    for screen in Screen::ALL {
        for subject in &subjects {
            model.state.screen = screen;
            model.state.trail.clear();
            model.state.pane = false;
            if let Some(subject) = subject {
                model.state.open(subject.clone());
            }
            check(model);
        }
    }
    model.state.trail.clear();
    model.state.pane = false;
    model.state.help = Some(0);
    check(model);
    model.state.help = None;
    update(model, key('/'));
    update(model, key('x'));
    check(model);
    model.state.prompt = None;
}

fn draw(model: &Model, width: u16, height: u16) -> Buffer {
    let area = Rect { x: 0, y: 0, width, height };
    let mut buffer = Buffer::empty(area);
    paint(&model.scene(), &model.state, &mut ViewState::default(), area, &mut buffer);
    buffer
}

/// Whether a terminal would do something other than show it.
fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(u32::from(c), 0xad | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff)
}

#[test]
fn no_hostile_byte_reaches_the_terminal() {
    let mut model = hostile_model();
    let all: Vec<NodeId> = [7, 8].map(|n| NodeId::Process(ProcessKey::new(n, n.into()))).into();
    model.state.folds.extend(all.into_iter().map(|n| (n, true)));
    update(&mut model, key('2'));
    update(&mut model, key('*'));
    let mut frames = 0;
    let mut seen = String::new();
    situations(&mut model, |model| {
        for (width, height) in [(80, 24), (160, 50)] {
            let buffer = draw(model, width, height);
            let text: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
            let obeyed: Vec<char> = text.chars().filter(|c| is_obeyed(*c)).collect();
            assert!(obeyed.is_empty(), "{obeyed:?} on {:?}", model.state.screen);
            frames += 1;
            seen.push_str(&text);
        }
    });
    assert!(frames > 50);
    for shown in ["\\x1b[2J", "\\u{202e}", "\\xff", "\\u{9b}31m"] {
        assert!(seen.contains(shown), "{shown} is not shown anywhere");
    }
}

#[test]
fn what_a_source_says_of_itself_is_escaped() {
    let mut model = hostile_model();
    let lost = ConnectionState::Lost { why: hostile_string(), retry_in: std::time::Duration::from_secs(1) };
    for item in [FeedItem::Status(lost), FeedItem::End(End::early(hostile_string()))] {
        update(&mut model, Msg::Feed(item));
        let buffer = draw(&model, 100, 30);
        assert!(!buffer.content.iter().any(|cell| cell.symbol().chars().any(is_obeyed)));
    }
}

#[test]
fn a_pasted_filter_is_escaped_and_bounded() {
    let mut model = hostile_model();
    update(&mut model, key('/'));
    for c in hostile_string().chars().cycle().take(1_500) {
        update(&mut model, key(c));
    }
    assert!(model.state.prompt.as_ref().unwrap().input.value().chars().count() <= 1_024);
    let buffer = draw(&model, 100, 30);
    assert!(!buffer.content.iter().any(|cell| cell.symbol().chars().any(is_obeyed)));
}

#[test]
fn no_size_is_too_small() {
    let mut attack = Told::attack();
    let shell = attack.incidents[0].processes[0].key;
    let mut model = hostile_model();
    for (width, height) in [(20, 5), (33, 9), (60, 20)] {
        situations(&mut model, |model| drop(draw(model, width, height)));
    }
    for width in [0, 1, 2, 7, 19, 20, 21, 26, 33, 40, 60] {
        for height in [0, 1, 3, 4, 5, 6, 8, 12, 20] {
            attack.model.state.size = Size { width, height };
            for screen in Screen::ALL {
                attack.model.state.screen = screen;
                attack.model.state.trail.clear();
                model.state.pane = false;
                attack.buffer(width, height);
                attack.model.state.open(Subject::Process(shell));
                attack.buffer(width, height);
            }
            for c in "jG".chars() {
                update(&mut attack.model, key(c));
            }
        }
    }
    let smallest = attack.frame(12, 3);
    assert!(smallest.contains("lanner needs"), "{smallest}");
}
