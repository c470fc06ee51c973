//! Small phrases of the story, safe to show.

use std::time::Duration;

use crate::event::{ContainerId, ContainerInfo, ProcessKey, Text};
use crate::graph::{Graph, Node, Relation, Step};

/// A process as a person speaks of it: `cat (4321)`.
pub(super) fn process(graph: &Graph, key: ProcessKey) -> String {
    match graph.process(key) {
        Some(process) => format!("{} ({})", Text::from(process.name()), key.pid),
        None => format!("process {}", key.pid),
    }
}

/// A container as a person speaks of it: `container shop/web/nginx`, or its short id while nobody has named it.
pub(super) fn container(graph: &Graph, id: &ContainerId) -> String {
    format!("container {}", graph.container_title(id))
}

/// A sentence with the container's name in the place of its id, where that was all that was known; `None` when it does
/// not speak of it.
pub(super) fn renamed(sentence: &str, info: &ContainerInfo) -> Option<String> {
    let (was, now) = (format!("container {}", info.id.short()), format!("container {}", info.title()?));
    // The id may be the beginning of a longer word, or of the name itself.
    let ends = |rest: &str| !rest.starts_with(is_of_name);
    let mut words = String::new();
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once(&was) {
        words.push_str(before);
        words.push_str(if ends(after) { &now } else { &was });
        rest = after;
    }
    words.push_str(rest);
    (words != sentence).then_some(words)
}

/// What a sentence calls containers: names, and ids where no name was known.
pub(super) fn containers(sentence: &str) -> impl Iterator<Item = &str> {
    sentence.split("container ").skip(1).map(|rest| rest.split(|c| !is_of_name(c)).next().unwrap_or(rest))
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')
}

/// One step of a chain of evidence: `cat (4321) wrote /tmp/x`.
pub(super) fn step(graph: &Graph, step: &Step) -> String {
    let node = |node: &Node| match node {
        Node::Process(key) => process(graph, *key),
        Node::File(id) => graph.file(*id).map_or_else(|| "a file".to_owned(), |file| file.path.to_string()),
        Node::Peer(peer) => peer.to_string(),
        Node::Container(id) => container(graph, id),
    };
    let did = match step.edge.relation {
        Relation::Forked => "started",
        Relation::Executed => "ran",
        Relation::Wrote => "wrote",
        Relation::Read => "read",
        Relation::Named => "named",
        Relation::Connected | Relation::Reached => "called",
        Relation::Accepted => "was called by",
        Relation::RunsIn => "runs in",
        Relation::Traced => "reached into",
    };
    format!("{} {did} {}", node(&step.from), node(&step.to))
}

/// A span of time in its two largest units: `1 h 13 min`, `63 s`, `0.6 s`.
pub fn duration(d: Duration) -> String {
    let seconds = d.as_secs();
    match seconds {
        0 if d.as_millis() == 0 => "under 1 ms".to_owned(),
        0 => format!("{} ms", d.as_millis()),
        1..10 => format!("{}.{} s", seconds, d.subsec_millis() / 100),
        10..120 => format!("{seconds} s"),
        120..7200 => format!("{} min {} s", seconds / 60, seconds % 60),
        7200..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_name_takes_the_ids_place_and_nothing_elses() {
        let named = |id: &str, name: &str| ContainerInfo {
            id: ContainerId(id.into()),
            name: name.into(),
            ..Default::default()
        };
        let info = named(&"0123456789abcdef".repeat(4), "web");
        let words = |sentence: &str| renamed(sentence, &info);
        assert_eq!(words("sh ran in container 0123456789ab").as_deref(), Some("sh ran in container web"));
        assert_eq!(
            words("container 0123456789ab, not container 0123456789abc").as_deref(),
            Some("container web, not container 0123456789abc")
        );
        assert_eq!(words("container web"), None);
        assert_eq!(renamed("container a", &named("a", "a")), None);
        assert_eq!(renamed("container a", &named("a", "")), None);
    }

    #[test]
    fn durations_read_well() {
        for (ms, words) in [
            (0, "under 1 ms"),
            (620, "620 ms"),
            (3_450, "3.4 s"),
            (63_000, "63 s"),
            (4_380_000, "73 min 0 s"),
            (9_000_000, "2 h 30 min"),
            (360_000_000, "4 d 4 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(ms)), words);
        }
    }
}
