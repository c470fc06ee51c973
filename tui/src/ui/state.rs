//! What the user chose. A selection names the thing itself (an incident, a process, an event), never a row, so that it
//! stays where it is when rows come and go; all screens share it, and so they do the filter, the time that is looked at and
//! the way that was drilled down.

use std::cell::RefCell;
use std::collections::HashMap;

use lanner_core::event::{ContainerId, ProcessKey};
use ratatui::layout::Size;

use super::command::Context;
use super::details::Followed;
use super::filter::Filter;
use super::forest::{NodeId, TreeCache};
use super::keymap::Keymap;
use super::known::files::FileNumber;
use super::known::flows::{FlowKey, Flows};
use super::listing::Listing;
use super::look::Look;
use super::prompt::Prompt;
use super::scene::{Moment, Scene};
use super::scope::{Scope, file_of};
use super::screens;
use super::screens::files::{FileRows, FilesView};
use super::screens::flows::{FlowRows, FlowsView};
use super::screens::graph::GraphView;
use super::sort::Sorts;
use super::view::SIDE_BY_SIDE;

/// The screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Screen {
    Incidents,
    Tree,
    Graph,
    Flows,
    Files,
    Timeline,
    Sensor,
}

impl Screen {
    /// All of them, in their order.
    pub const ALL: [Screen; 7] = [
        Screen::Incidents,
        Screen::Tree,
        Screen::Graph,
        Screen::Flows,
        Screen::Files,
        Screen::Timeline,
        Screen::Sensor,
    ];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Screen::Incidents => "Incidents",
            Screen::Tree => "Tree",
            Screen::Graph => "Graph",
            Screen::Flows => "Flows",
            Screen::Files => "Files",
            Screen::Timeline => "Timeline",
            Screen::Sensor => "Sensor",
        }
    }

    pub(crate) fn step(self, forward: bool) -> Screen {
        let at = Screen::ALL.iter().position(|s| *s == self).unwrap_or(0);
        let n = Screen::ALL.len();
        Screen::ALL[(at + if forward { 1 } else { n - 1 }) % n]
    }
}

/// Something that can be selected and looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// An incident, by its id.
    Incident(String),
    /// A stage of an incident, by its index.
    Stage { incident: String, stage: usize },
    /// A process.
    Process(ProcessKey),
    /// A container.
    Container(ContainerId),
    /// A connection, a listening socket, a question.
    Flow(FlowKey),
    /// A file.
    File(FileNumber),
    /// An event, by its number in the history.
    Event(u64),
}

/// A step of drilling down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Into what.
    pub(crate) subject: Subject,
    /// The line of its details that is selected.
    pub(crate) line: usize,
    /// The screen that it was opened from, and whether that showed details.
    pub(crate) from: (Screen, bool),
}

/// How many steps of drilling down are remembered; the oldest goes when there are more.
const MAX_STEPS: usize = 64;

/// How the timeline tells times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// By the clock on the wall.
    Wall,
    /// Since the first event that is shown.
    SinceStart,
    /// Since the line before.
    SinceLast,
}

/// What is selected: of each kind of thing the one that was selected last, all of them of one process where they can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// By its id.
    pub(crate) incident: Option<String>,
    /// Of that incident.
    pub(crate) stage: usize,
    /// A node of the tree.
    pub(crate) node: Option<NodeId>,
    pub(crate) flow: Option<FlowKey>,
    pub(crate) file: Option<FileNumber>,
    /// `None` follows what happens.
    pub(crate) event: Option<u64>,
}

impl Selection {
    pub(crate) fn process(&self) -> Option<ProcessKey> {
        match self.node {
            Some(NodeId::Process(key)) => Some(key),
            _ => None,
        }
    }
}

/// A place to come back to.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) screen: Screen,
    pub(crate) selection: Selection,
    pub(crate) trail: Vec<Step>,
    pub(crate) pane: bool,
    pub(crate) cursor: Option<Moment>,
}

/// What the next letter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pending {
    /// To name a mark.
    SetMark,
    /// To go to one.
    GoToMark,
    /// To choose the format of an export.
    Export,
}

/// All that the user chose.
#[derive(Debug)]
pub struct State {
    pub(crate) look: Look,
    pub(crate) keymap: Keymap,
    pub(crate) size: Size,
    pub(crate) screen: Screen,
    /// No key was pressed yet: the screen is still the program's choice.
    pub(crate) untouched: bool,
    pub(crate) selection: Selection,
    /// The way that was drilled down; its last step limits what the screens show.
    pub(crate) trail: Vec<Step>,
    /// The details of the last step are shown.
    pub(crate) pane: bool,
    pub(crate) zoomed: bool,
    /// The help is shown, from this line on.
    pub(crate) help: Option<usize>,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) pending: Option<Pending>,
    pub(crate) marks: HashMap<char, Mark>,
    pub(crate) filter: Filter,
    /// The past that is looked at; `None` is now.
    pub(crate) cursor: Option<Moment>,
    /// The view stands still since then.
    pub(crate) held: Option<Moment>,
    /// Where what happens is being recorded.
    pub(crate) recording: Option<String>,
    /// Something to tell, until the next key.
    pub(crate) notice: Option<String>,
    /// What the user folded (`false`) or unfolded (`true`).
    pub(crate) folds: HashMap<NodeId, bool>,
    /// Goes up with every change of the folds.
    pub(crate) folded: u64,
    pub(crate) tree: TreeCache,
    pub(crate) clock: Clock,
    pub(crate) graph: GraphView,
    pub(crate) flows: FlowsView,
    pub(crate) flow_rows: RefCell<FlowRows>,
    pub(crate) files: FilesView,
    pub(crate) file_rows: RefCell<FileRows>,
    pub(crate) followed: RefCell<Followed>,
    pub(crate) sorts: Sorts,
    /// The events that filter and scope let through.
    pub(crate) listing: Listing,
    /// What the listing was made for: the scope's subject and revision.
    pub(crate) listed: (Option<Subject>, u32),
    /// The sensor screen, from this line on.
    pub(crate) sensor_line: usize,
    /// Quiet stretches of a replay are passed over.
    pub(crate) skips_silence: bool,
}

impl State {
    /// As it is at the start, on a terminal of this size.
    pub fn new(look: Look, keymap: Keymap, size: Size) -> Self {
        State {
            look,
            keymap,
            size,
            screen: Screen::Incidents,
            untouched: true,
            selection: Selection::default(),
            trail: Vec::new(),
            pane: false,
            zoomed: false,
            help: None,
            prompt: None,
            pending: None,
            marks: HashMap::new(),
            filter: Filter::everything(),
            cursor: None,
            held: None,
            recording: None,
            notice: None,
            folds: HashMap::new(),
            folded: 0,
            tree: TreeCache::default(),
            clock: Clock::Wall,
            graph: GraphView::default(),
            flows: FlowsView::default(),
            flow_rows: RefCell::default(),
            files: FilesView::default(),
            file_rows: RefCell::default(),
            followed: RefCell::default(),
            sorts: Sorts::default(),
            listing: Listing::default(),
            listed: (None, 0),
            sensor_line: 0,
            skips_silence: false,
        }
    }

    /// The screen that is shown.
    pub fn screen(&self) -> Screen {
        self.screen
    }

    /// Whether the view stands still.
    pub fn is_paused(&self) -> bool {
        self.held.is_some()
    }

    /// The moment that is shown; `None`: now.
    pub(crate) fn then(&self) -> Option<Moment> {
        self.cursor.or(self.held)
    }

    /// What limits all screens.
    pub(crate) fn scope<'a>(&'a self, scene: &Scene<'a>) -> Scope<'a> {
        Scope::of(self.trail.iter().map(|step| &step.subject), scene)
    }

    /// The step whose details are shown.
    pub(crate) fn details(&self) -> Option<&Step> {
        self.trail.last().filter(|_| self.pane)
    }

    /// Whether the keys go to an incident's story.
    pub(crate) fn in_story(&self) -> bool {
        let last = self.trail.last().map(|step| &step.subject);
        self.screen == Screen::Incidents && !self.pane && matches!(last, Some(Subject::Incident(_)))
    }

    pub(crate) fn context(&self, scene: &Scene<'_>) -> Context {
        let can_open = screens::has_any(scene, self);
        Context {
            screen: self.screen,
            details: self.pane,
            beside: self.pane && self.size.width >= SIDE_BY_SIDE,
            story: self.in_story(),
            prompt: self.prompt.as_ref().map(|prompt| prompt.kind),
            pending: self.pending.is_some(),
            help: self.help.is_some(),
            can_go_back: self.help.is_some() || !self.trail.is_empty() || !self.filter.is_empty(),
            can_open: can_open || self.pane,
            filtered: !self.filter.is_empty(),
            replay: scene.reception.is_replay(),
            past: self.cursor.is_some(),
            paused: self.held.is_some(),
            recording: self.recording.is_some(),
        }
    }

    /// Looks into something.
    pub(crate) fn open(&mut self, subject: Subject) {
        if self.trail.len() == MAX_STEPS {
            self.trail.remove(0);
        }
        let from = (self.screen, self.pane);
        // An incident is looked into on its screen: its story is its details.
        self.pane = !matches!(subject, Subject::Incident(_));
        self.trail.push(Step { subject, line: 0, from });
    }

    /// Goes back one step of the way; `false`: there is none.
    pub(crate) fn step_back(&mut self) -> bool {
        let Some(step) = self.trail.pop() else { return false };
        (self.screen, self.pane) = step.from;
        self.pane &= !self.trail.is_empty();
        self.zoomed &= self.pane;
        true
    }

    /// Makes something the selection of every screen that can show it.
    pub(crate) fn select(&mut self, scene: &Scene<'_>, subject: &Subject) {
        match subject {
            Subject::Incident(id) => {
                if self.selection.incident.as_ref() != Some(id) {
                    self.selection.stage = 0;
                }
                self.selection.incident = Some(id.clone());
            }
            Subject::Stage { incident, stage } => {
                self.selection.incident = Some(incident.clone());
                self.select_stage(scene, *stage);
            }
            Subject::Process(key) => self.select_process(*key),
            Subject::Container(id) => {
                self.selection.node = Some(NodeId::Group(super::forest::GroupId::Container(id.clone())));
            }
            Subject::Flow(key) => {
                if let Some(line) = scene.flows.get(key) {
                    self.select_process(line.process);
                    self.selection.event = scene.history.number_of_seq(line.seq);
                }
                self.selection.flow = Some(key.clone());
            }
            Subject::File(number) => {
                if let Some(touched) = scene.files.get(*number) {
                    self.select_process(touched.by);
                    self.selection.event = scene.history.number_of_seq(touched.seq);
                }
                self.selection.file = Some(*number);
            }
            Subject::Event(number) => self.select_event(scene, *number),
        }
    }

    /// Makes a process the selection of every screen that shows processes, or what they do.
    pub(crate) fn select_process(&mut self, key: ProcessKey) {
        if self.selection.process() != Some(key) {
            // What another process has is no longer what is looked at.
            (self.selection.flow, self.selection.file) = (None, None);
        }
        self.selection.node = Some(NodeId::Process(key));
    }

    /// Makes a stage the selection, and with it its process and its first event.
    pub(crate) fn select_stage(&mut self, scene: &Scene<'_>, index: usize) {
        let Some(incident) = self.selection.incident.as_deref().and_then(|id| scene.incident(id)) else { return };
        let stages = scene.stages(incident);
        let index = index.min(stages.len().saturating_sub(1));
        let Some(stage) = stages.get(index) else { return };
        let number = stage.evidence.first().and_then(|seq| scene.history.number_of_seq(*seq));
        self.select_process(stage.process.key);
        if let Some(number) = number {
            self.select_event(scene, number);
            self.select_process(stage.process.key);
        }
        self.selection.stage = index;
    }

    /// Makes an event the selection, and with it its process and what it speaks of.
    pub(crate) fn select_event(&mut self, scene: &Scene<'_>, number: u64) {
        let Some(entry) = scene.event(number) else { return };
        self.selection.event = Some(number);
        let process = entry.event.header.process;
        if !process.is_unknown() {
            self.select_process(process);
        }
        if let Some(flow) = Flows::of_event(&entry.event) {
            self.selection.flow = Some(flow);
        }
        if let Some(file) = file_of(&entry.event).and_then(|file| scene.files.number_of(file)) {
            self.selection.file = Some(file);
        }
    }

    /// Looks at the moment right after an event.
    pub(crate) fn go_to(&mut self, scene: &Scene<'_>, number: u64) {
        let Some(entry) = scene.event(number) else { return };
        self.select_event(scene, number);
        self.cursor = Some(Moment { time: entry.event.header.time, end: number + 1 });
    }

    /// Looks at what happens now.
    pub(crate) fn follow(&mut self) {
        self.cursor = None;
        self.held = None;
        self.selection.event = None;
    }

    pub(crate) fn fold(&mut self, id: NodeId, open: bool) {
        self.folds.insert(id, open);
        self.folded += 1;
    }
}
