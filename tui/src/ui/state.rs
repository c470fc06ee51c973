//! What the user chose. A selection names the thing itself (an incident, a process, an event), never a row, so that it
//! stays where it is when rows come and go; all screens share it.

use std::collections::HashMap;

use lanner_core::condition::ConditionError;
use lanner_core::event::{ContainerId, ProcessKey};
use ratatui::layout::Size;
use tui_input::Input;

use super::command::Context;
use super::filter::Filter;
use super::forest::NodeId;
use super::look::Look;
use super::scene::{Moment, Scene};
use super::screens::incidents;
use super::screens::timeline::Listing;

/// The screens, by the order of their number keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Screen {
    Incidents,
    Tree,
    Timeline,
    Sensor,
}

impl Screen {
    /// All of them.
    pub const ALL: [Screen; 4] = [Screen::Incidents, Screen::Tree, Screen::Timeline, Screen::Sensor];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Screen::Incidents => "Incidents",
            Screen::Tree => "Tree",
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

/// Something that can be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A stage of an incident, by its index.
    Stage { incident: String, stage: usize },
    /// A process.
    Process(ProcessKey),
    /// A container.
    Container(ContainerId),
    /// An event, by its number in the history.
    Event(u64),
}

/// A step of drilling down: what is looked into, and the line of it that is selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drill {
    pub(crate) subject: Subject,
    pub(crate) line: usize,
}

/// How many steps of drilling down are remembered; the oldest goes when there are more.
const MAX_DRILL: usize = 64;

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

/// A filter that is being typed.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    pub(crate) input: Input,
    /// Why what stands there cannot be applied.
    pub(crate) error: Option<ConditionError>,
    /// What was applied before; comes back when the prompt is cancelled.
    pub(crate) before: Filter,
}

/// All that the user chose.
#[derive(Debug)]
pub struct State {
    pub(crate) look: Look,
    pub(crate) size: Size,
    pub(crate) screen: Screen,
    /// No key was pressed yet: the screen is still the program's choice.
    pub(crate) untouched: bool,
    pub(crate) drill: Vec<Drill>,
    pub(crate) zoomed: bool,
    /// The help is shown, from this line on.
    pub(crate) help: Option<usize>,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) filter: Filter,
    pub(crate) paused: Option<Moment>,
    /// Something to tell, until the next key.
    pub(crate) notice: Option<String>,
    /// The selected incident, by its id.
    pub(crate) incident: Option<String>,
    /// The keys go to the story.
    pub(crate) story: bool,
    /// The selected stage.
    pub(crate) stage: usize,
    /// The selected node of the tree.
    pub(crate) node: Option<NodeId>,
    /// What the user folded (`false`) or unfolded (`true`).
    pub(crate) folds: HashMap<NodeId, bool>,
    /// The selected event; `None` follows what happens.
    pub(crate) event: Option<u64>,
    pub(crate) clock: Clock,
    /// The events that the filter lets through.
    pub(crate) listing: Listing,
    /// The sensor screen, from this line on.
    pub(crate) sensor_line: usize,
}

impl State {
    /// As it is at the start, on a terminal of this size.
    pub fn new(look: Look, size: Size) -> Self {
        State {
            look,
            size,
            screen: Screen::Incidents,
            untouched: true,
            drill: Vec::new(),
            zoomed: false,
            help: None,
            prompt: None,
            filter: Filter::everything(),
            paused: None,
            notice: None,
            incident: None,
            story: false,
            stage: 0,
            node: None,
            folds: HashMap::new(),
            event: None,
            clock: Clock::Wall,
            listing: Listing::default(),
            sensor_line: 0,
        }
    }

    /// The screen that is shown.
    pub fn screen(&self) -> Screen {
        self.screen
    }

    /// Whether the view stands still.
    pub fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    pub(crate) fn context(&self, scene: &Scene<'_>) -> Context {
        let can_open = match self.screen {
            Screen::Incidents => incidents::selected(scene, self).is_some(),
            Screen::Tree => scene.processes().next().is_some(),
            Screen::Timeline => self.listing.len(scene) > 0,
            Screen::Sensor => false,
        };
        let story = self.screen == Screen::Incidents && self.story;
        Context {
            screen: self.screen,
            details: !self.drill.is_empty(),
            story,
            prompt: self.prompt.is_some(),
            help: self.help.is_some(),
            can_go_back: self.help.is_some() || !self.drill.is_empty() || story || !self.filter.is_empty(),
            can_open: can_open || !self.drill.is_empty(),
            replay: scene.reception.is_replay(),
            paused: self.paused.is_some(),
        }
    }

    /// Looks into something.
    pub(crate) fn open(&mut self, subject: Subject) {
        if self.drill.len() == MAX_DRILL {
            self.drill.remove(0);
        }
        self.drill.push(Drill { subject, line: 0 });
    }

    /// Makes a process the selection of every screen that shows processes.
    pub(crate) fn select_process(&mut self, key: ProcessKey) {
        self.node = Some(NodeId::Process(key));
    }

    /// Makes a stage the selection, and with it its process and its first event.
    pub(crate) fn select_stage(&mut self, scene: &Scene<'_>, index: usize) {
        let Some(incident) = self.incident.as_deref().and_then(|id| scene.incident(id)) else { return };
        let stages = scene.stages(incident);
        let Some(stage) = stages.get(index.min(stages.len().saturating_sub(1))) else { return };
        self.stage = index.min(stages.len() - 1);
        self.select_process(stage.process.key);
        if let Some(number) = stage.evidence.first().and_then(|seq| scene.history.number_of_seq(*seq)) {
            self.event = Some(number);
        }
    }

    /// Makes an event the selection, and with it its process.
    pub(crate) fn select_event(&mut self, scene: &Scene<'_>, number: u64) {
        let Some(entry) = scene.event(number) else { return };
        self.event = Some(number);
        let process = entry.event.header.process;
        if !process.is_unknown() {
            self.select_process(process);
        }
    }
}
