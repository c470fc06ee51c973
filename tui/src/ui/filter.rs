//! What `/` asks for. Plain words match anywhere, in any case, and all of them must; quotes keep blanks together.

use lanner_core::detect::Incident;
use lanner_core::event::Event;
use lanner_core::graph::Process;

use super::scene::Scene;
use super::words;

/// Which events, processes and incidents are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    text: String,
    words: Vec<String>,
}

/// Why a filter cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilterError {
    /// Where, in characters from 1.
    pub(crate) column: usize,
    /// Why.
    pub(crate) message: String,
}

impl Filter {
    pub(crate) fn parse(text: &str) -> Result<Filter, FilterError> {
        let mut words = Vec::new();
        let mut word = String::new();
        let mut quote = None;
        for (i, c) in text.chars().enumerate() {
            match c {
                '"' if quote.is_some() => quote = None,
                '"' => quote = Some(i + 1),
                c if c.is_whitespace() && quote.is_none() => words.push(std::mem::take(&mut word)),
                c => word.extend(c.to_lowercase()),
            }
        }
        if let Some(column) = quote {
            return Err(FilterError { column, message: "this quote is never closed".to_owned() });
        }
        words.push(word);
        words.retain(|w| !w.is_empty());
        Ok(Filter { text: text.trim().to_owned(), words })
    }

    /// As it was typed.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it lets everything through.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(crate) fn event(&self, event: &Event, scene: &Scene<'_>) -> bool {
        self.is_empty()
            || self.found_in(&[
                event.payload.family().to_owned(),
                words::who(event.header.process, scene),
                words::phrase(event, scene),
                scene.container_of_event(event).map(ToString::to_string).unwrap_or_default(),
            ])
    }

    pub(crate) fn process(&self, process: &Process, scene: &Scene<'_>) -> bool {
        let image = scene.image(process);
        self.is_empty()
            || self.found_in(&[
                words::who(process.key, scene),
                image.map(|i| words::file(&i.exe)).unwrap_or_default(),
                image.map(|i| i.args.joined().to_string()).unwrap_or_default(),
                words::user(process.task.creds.uid),
                process.task.container.as_ref().map(ToString::to_string).unwrap_or_default(),
            ])
    }

    pub(crate) fn incident(&self, incident: &Incident) -> bool {
        if self.is_empty() {
            return true;
        }
        let mut texts = vec![incident.name.clone(), incident.severity.word().to_owned()];
        for stage in &incident.stages {
            texts.extend([stage.sentence.clone(), stage.technique.clone(), stage.tactic.to_string()]);
            texts.push(stage.signal.clone());
        }
        texts.extend(incident.processes.iter().flat_map(|p| [p.exe.to_string(), p.args.to_string()]));
        texts.extend(incident.files.iter().map(ToString::to_string));
        texts.extend(incident.peers.iter().map(ToString::to_string));
        self.found_in(&texts)
    }

    fn found_in(&self, texts: &[String]) -> bool {
        let texts: Vec<_> = texts.iter().map(|t| t.to_lowercase()).collect();
        self.words.iter().all(|word| texts.iter().any(|t| t.contains(word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_at_blanks_outside_quotes() {
        let filter = Filter::parse("  Curl \"python3 -\" ").unwrap();
        assert_eq!(filter.words, ["curl", "python3 -"]);
        assert_eq!(filter.text(), "Curl \"python3 -\"");
        assert!(filter.found_in(&["/usr/bin/CURL".to_owned(), "python3 -".to_owned()]));
        assert!(!filter.found_in(&["/usr/bin/curl".to_owned(), "python3".to_owned()]));
    }

    #[test]
    fn an_open_quote_is_pointed_at() {
        assert_eq!(Filter::parse("a \"b").unwrap_err().column, 3);
    }
}
