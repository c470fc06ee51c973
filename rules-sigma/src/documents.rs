//! A file's documents, and where in one a mistake is.

/// A document of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Document<'a> {
    /// The line that it begins in, from 1.
    pub(crate) line: usize,
    pub(crate) text: &'a str,
}

/// The documents that hold anything. Where one is a template for others, they are one: `action` reaches over their borders.
pub(crate) fn documents(text: &str) -> Vec<Document<'_>> {
    if text.lines().any(|line| line.starts_with("action:")) {
        return vec![Document { line: 1, text }];
    }
    let mut documents = Vec::new();
    let (mut from, mut line, mut at) = (0, 1, 0);
    for (n, piece) in (1..).zip(text.split_inclusive('\n')) {
        if piece.trim_end() == "---" {
            documents.push(Document { line, text: &text[from..at] });
            (from, line) = (at + piece.len(), n + 1);
        }
        at += piece.len();
    }
    documents.push(Document { line, text: &text[from..] });
    let is_something = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    documents.retain(|document| document.text.lines().any(is_something));
    documents
}

impl Document<'_> {
    /// The line of a rule's title, from the file's 1; where the document begins when it cannot be found as it stands.
    pub(crate) fn line_of_title(&self, title: &str) -> usize {
        self.line_where(|line| {
            let value = line.strip_prefix("title:").map(str::trim);
            value.is_some_and(|value| value == title || value.trim_matches(['"', '\'']) == title)
        })
        .unwrap_or_else(|| self.first_line())
    }

    /// A parser's complaint in one line, and the line that it is about, as far as it tells.
    pub(crate) fn complaint(&self, error: &str) -> (usize, String) {
        if let Some(rest) = self.unread_condition(error) {
            let line = self.line_where(|line| line.trim_start().starts_with("condition:"));
            let line = line.unwrap_or_else(|| self.first_line());
            return (line, format!("the condition cannot be read from `{rest}` on"));
        }
        let quoted = error.split('\'').nth(1).filter(|word| !word.is_empty());
        let line = quoted.and_then(|word| self.line_where(|line| line.contains(word)));
        let words: Vec<&str> = error.split_whitespace().collect();
        (line.unwrap_or_else(|| self.first_line()), words.join(" "))
    }

    /// What a parser could not read of a condition: `... parse error at 1:5: ...`, with the condition below.
    pub(crate) fn unread_condition<'e>(&self, error: &'e str) -> Option<&'e str> {
        let (_, rest) = error.split_once("ondition parse error at 1:")?;
        let column: usize = rest.split(':').next()?.trim().parse().ok()?;
        let shown = error.lines().find_map(|line| line.strip_prefix("1 | "))?;
        let (at, _) = shown.char_indices().nth(column.checked_sub(1)?)?;
        Some(shown[at..].trim_end())
    }

    fn line_where(&self, is_it: impl Fn(&str) -> bool) -> Option<usize> {
        self.text.lines().position(is_it).map(|n| self.line + n)
    }

    fn first_line(&self) -> usize {
        self.line_where(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')).unwrap_or(self.line)
    }
}
