//! The machine, watched as `lannerd` watches it.

use std::time::{Duration, Instant};

use lanner_collector::hub::{Hub, Limits, Next, Subscribe, Subscription};
use lanner_collector::live;
use lanner_core::condition::{Condition, Names, View};
use lanner_core::event::{ContainerInfo, Event, Exec, HookState, Payload};
use lanner_core::graph::Graph;

/// Longer than anything here takes, even on a machine busy with other tests.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) struct Watch {
    pub(crate) hub: Hub,
    subscription: Subscription,
    pub(crate) graph: Graph,
    events: Vec<Event>,
    read: usize,
}

impl Watch {
    /// `None` (and a word why) where the sensor cannot run.
    pub(crate) fn start() -> Option<Watch> {
        match live::start(None, Limits::default()) {
            Ok(hub) => Some(Watch::follow(hub)),
            Err(error) => {
                lanner_tests::not_run(error);
                None
            }
        }
    }

    fn follow(hub: Hub) -> Watch {
        let subscription = hub.subscribe(Subscribe::default()).expect("there is room");
        Watch { hub, subscription, graph: Graph::default(), events: Vec::new(), read: 0 }
    }

    /// The first event, past or to come, that `find` makes something of. The graph is as of that event or later.
    pub(crate) fn expect<T>(&mut self, what: &str, mut find: impl FnMut(&Event, &Graph) -> Option<T>) -> T {
        let begun = Instant::now();
        if let Some(found) = self.events[..self.read].iter().find_map(|event| find(event, &self.graph)) {
            return found;
        }
        loop {
            for at in self.read..self.events.len() {
                self.read = at + 1;
                let event = &self.events[at];
                self.graph.apply(event);
                if let Some(found) = find(event, &self.graph) {
                    return found;
                }
            }
            match self.subscription.wait(Duration::from_millis(200)) {
                Next::Batch(batch) => self.events.extend(batch.events.iter().cloned()),
                Next::Ended(why) => panic!("the hub ended: {why:?}"),
                Next::Waiting => {}
            }
            assert!(begun.elapsed() < PATIENCE, "no event tells: {what}");
        }
    }

    /// What is told of a container.
    pub(crate) fn named(&mut self, what: &str, find: impl Fn(&ContainerInfo) -> bool) -> (Event, ContainerInfo) {
        self.expect(what, |event, _| match &event.payload {
            Payload::Container(info) if find(info) => Some((event.clone(), info.as_ref().clone())),
            _ => None,
        })
    }

    /// An exec of a program with this argument.
    pub(crate) fn exec(&mut self, argument: &str) -> (Event, Exec) {
        self.expect(argument, |event, _| match &event.payload {
            Payload::Exec(exec)
                if exec.image.args.list.iter().any(|a| *a == argument) && exec.task.context.container.is_some() =>
            {
                Some((event.clone(), exec.as_ref().clone()))
            }
            _ => None,
        })
    }

    /// The first event that meets a condition, as it was then.
    pub(crate) fn meets(&mut self, condition: &str) -> Event {
        let compiled = Condition::parse(condition, &Names::default()).expect("it is a condition");
        self.expect(condition, |event, graph| compiled.matches(&View::new(event, graph)).then(|| event.clone()))
    }

    /// Why containers cannot be named, if they cannot.
    pub(crate) fn degraded(&self) -> Option<String> {
        let hook = self.hub.node().hooks.iter().find(|hook| hook.name == "container names").expect("it is listed");
        match &hook.state {
            HookState::Attached => None,
            HookState::Refused(why) | HookState::Waiting(why) => Some(why.clone()),
        }
    }
}
