//! Every format, with hostile words in everything that an attacker may have chosen.

use std::collections::HashSet;
use std::fmt::Write;

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use lanner_core::engine::Engine;
use lanner_core::event::{Event, NodeInfo, Payload, Text};
use lanner_recording::{Header, Reader};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use pulldown_cmark::{CodeBlockKind, Event as Md, Options, Parser, Tag};

use super::*;

/// What others have broken out of a format with.
const NASTY: [&[u8]; 34] = [
    b"<script>alert(1)</script>",
    b"</title><img src=x onerror=alert(1)>",
    b"\"'><svg/onload=alert(1)>",
    b"]]>--><!--",
    b"&lt;&amp;&#x3c;&notanentity;",
    b"```\n# heading\n```mermaid\n",
    b"`code` **bold** _it_ ~~no~~",
    b"[link](javascript:alert(1)) ![i](http://x.invalid/i.png) <http://x.invalid>",
    b"http://x.invalid/ https://x.invalid www.x.invalid a@x.invalid",
    b"| a | b |\n|---|---|\n| 1 | 2 |",
    b"\n- item\n1. item\n> quote\n\n---\n",
    b"\\\" ]; n0 -> n1; subgraph x { label=\"",
    b"\\N \\G \\l \\",
    b"\"] --> n1[\"x\nclick n0 callback",
    b"%%{init: {}}%% end;",
    b"#quot; #35;",
    b"</style><style>*{display:none}</style>",
    b"{\"a\": [1, \x00]}",
    b"\x1b[2J\x1b]52;c;aGk=\x07\x9b31m",
    b"\r\n\t\x08\x7f",
    "\u{202e}gpj.exe\u{2066}\u{200b}\u{feff}\u{ad}".as_bytes(),
    "\u{2028}\u{2029}\u{85}".as_bytes(),
    "\u{fdd0}\u{fffe}\u{10ffff}".as_bytes(),
    "\u{e0041}\u{fe0f}a\u{300}\u{301}\u{302}".as_bytes(),
    "容器 \u{1f4a9} \u{1f468}\u{200d}\u{1f469} ﷽".as_bytes(),
    b"\xff\xfe\xc3(\xed\xa0\x80\xf4\x90\x80\x80",
    b"1. 1) - + > #",
    b"$x$ \\(y\\) :smile: @user #1",
    b"${jndi:ldap://x.invalid} $(id) `id`",
    b"style=\"x\" class=\"y\" id='stage-1'",
    b"javascript:alert(1)",
    b"data:text/html,<script>",
    b"&#0;&#xd800;",
    b"<!DOCTYPE html><html><body onload=x>",
];

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }

    fn words(&mut self) -> Vec<u8> {
        let mut words = Vec::new();
        for _ in 0..=self.below(5) {
            words.extend_from_slice(NASTY[self.below(NASTY.len())]);
            if self.below(3) == 0 {
                words.extend((0..self.below(12)).map(|_| u8::try_from(self.below(256)).unwrap()));
            }
        }
        words
    }
}

/// The reference attack, as somebody did it who knew that a report would be written.
fn attack(numbers: &mut Numbers) -> (Engine, Vec<Event>, NodeInfo, Header) {
    let scenario = lanner_scenarios::SCENARIOS.iter().find(|s| s.name == "container-escape").unwrap();
    let reader = Reader::new(scenario.recording).unwrap();
    let mut header = reader.header().clone();
    let lossy = |words: &[u8]| String::from_utf8_lossy(words).into_owned();
    let mut node = header.node.clone();
    for text in [&mut node.name, &mut node.kernel, &mut node.machine, &mut header.note] {
        *text = lossy(&numbers.words());
    }
    for hook in &mut node.hooks {
        hook.without = lossy(&numbers.words());
    }
    let (manifest, archive) = (numbers.words(), numbers.words());
    let long = vec![b'<'; 100_000];
    let mut engine = crate::detection::engine().unwrap();
    let mut events: Vec<Event> = reader.flat_map(|batch| batch.events).collect();
    let more = |text: &Text, words: &[u8]| Text::from([text.as_bytes(), words].concat());
    for event in &mut events {
        match &mut event.payload {
            Payload::Exec(exec) | Payload::Alive(exec) => {
                exec.image.args.list.push(Text::from(numbers.words()));
                if numbers.below(40) == 0 {
                    exec.image.args.list.push(Text::from(long.as_slice()));
                    exec.image.args.truncated = true;
                }
                exec.image.cwd = Text::from(numbers.words());
                exec.task.comm = Text::from(numbers.words());
            }
            Payload::Open(open) if open.file.path.as_bytes().ends_with(b"hack.yaml") => {
                open.file.path = Text::from([&b"/etc/kubernetes/manifests/"[..], &manifest, b".yaml"].concat());
            }
            Payload::Open(open) if open.file.path.as_bytes().ends_with(b"pki.tgz") => {
                open.file.path = more(&open.file.path, &archive);
            }
            _ => {}
        }
        engine.apply(event);
    }
    engine.flush();
    (engine, events, node, header)
}

/// Writes the report of an attack in every format, and hands each over.
fn each(numbers: &mut Numbers, mut look: impl FnMut(&Account<'_>, Format, &str)) {
    let (engine, events, node, header) = attack(numbers);
    let mut incident = engine.incidents().iter().max_by_key(|i| i.stages.len()).unwrap().as_ref().clone();
    assert!(incident.stages.len() > 3, "it still is an attack: {}", incident.stages.len());
    // Sentences and names are escaped when they are made; that is not relied on.
    let name = String::from_utf8_lossy(&numbers.words()).into_owned();
    incident.name.clone_from(&name);
    incident.stages[0].sentence = String::from_utf8_lossy(&numbers.words()).into_owned();
    incident.stages[1].technique = String::from_utf8_lossy(&numbers.words()).into_owned();
    let mut chosen = Chosen::new(&incident, engine.graph());
    events.iter().for_each(|event| chosen.offer(event));
    let account = Account {
        incident: &incident,
        others: vec![("inc-1", &name)],
        graph: engine.graph(),
        node: &node,
        header: Some(&header),
        source: String::from_utf8_lossy(&numbers.words()).into_owned(),
        events: chosen.events.iter().collect(),
        left_out: 3,
        missing: Missing {
            losses: [(lanner_core::event::LossCause::RingFull, 7)].into(),
            truncated: 2,
            problem: Some(String::from_utf8_lossy(&numbers.words()).into_owned()),
        },
        source_hash: Some(Hash { of: name.clone(), sha256: "0".repeat(64) }),
    };
    use clap::ValueEnum;
    for format in Format::value_variants() {
        look(&account, *format, &write(&account, *format));
    }
}

#[test]
fn whatever_an_attacker_wrote_every_format_holds() {
    let mut numbers = Numbers(0x1234_5678_9abc_def1);
    for _ in 0..6 {
        each(&mut numbers, |account, format, text| {
            let bad = text.chars().find(|c| *c != '\n' && lanner_core::event::is_deceptive(*c));
            assert_eq!(bad, None, "{format:?} holds a character that a terminal obeys or that deceives");
            match format {
                Format::Html => html(account, text),
                Format::Md => markdown(account, text),
                Format::Mermaid => mermaid(account, text),
                Format::Dot => dot(account, text),
                Format::Json => json(account, text),
                Format::Navigator => navigator(account, text),
            }
        });
    }
}

/// Elements that a page has, and no others.
const ELEMENTS: &str = " html head meta title style body header h1 p span b dl dt dd section h2 ol li div a svg defs marker \
                        path text g rect table thead tbody tr th td ul footer ";

fn html(account: &Account<'_>, text: &str) {
    let dom: RcDom = parse_document(RcDom::default(), ParseOpts::default()).one(text);
    assert_eq!(*dom.errors.borrow(), Vec::<String>::new(), "{text}");
    let mut stages = 0;
    let mut todo: Vec<Handle> = vec![dom.document.clone()];
    while let Some(node) = todo.pop() {
        if let NodeData::Element { name, attrs, .. } = &node.data {
            assert!(ELEMENTS.contains(&format!(" {} ", name.local)), "<{}>", name.local);
            for attr in attrs.borrow().iter() {
                let (name, value) = (attr.name.local.to_string(), attr.value.to_string());
                assert!(!name.starts_with("on") && name != "style" && name != "src", "{name}={value}");
                assert!(name != "href" || value.starts_with("#stage-"), "{name}={value}");
                stages += usize::from(name == "id" && value.starts_with("stage-"));
            }
        }
        todo.extend(node.children.borrow().iter().cloned());
    }
    assert_eq!(stages, account.incident.stages.len());
    assert!(text.contains("default-src 'none'") && !text.contains("http://www.w3.org/1999/xlink"));
}

fn markdown(account: &Account<'_>, text: &str) {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
    let (mut rows, mut items, mut headings, mut charts) = (0, 0, 0, 0);
    for event in Parser::new_ext(text, options | Options::ENABLE_MATH | Options::ENABLE_TASKLISTS) {
        match event {
            Md::Html(html) | Md::InlineHtml(html) => panic!("HTML in it: {html}"),
            Md::Code(code) => panic!("code in it: {code}"),
            Md::InlineMath(words) | Md::DisplayMath(words) => panic!("mathematics in it: {words}"),
            Md::TaskListMarker(_) | Md::FootnoteReference(_) | Md::Rule => panic!("{event:?}"),
            Md::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) if &*language == "mermaid" => charts += 1,
            Md::Start(Tag::CodeBlock(kind)) => panic!("{kind:?}"),
            Md::Start(
                tag @ (Tag::Link { .. }
                | Tag::Image { .. }
                | Tag::Emphasis
                | Tag::Strikethrough
                | Tag::BlockQuote(_)
                | Tag::HtmlBlock),
            ) => panic!("{tag:?}"),
            Md::Start(Tag::TableRow) => rows += 1,
            Md::Start(Tag::Item) => items += 1,
            Md::Start(Tag::Heading { .. }) => headings += 1,
            _ => {}
        }
    }
    let incident = account.incident;
    let facts = 10 + usize::from(incident.chain.is_some());
    assert_eq!((charts, headings), (1, 9), "{text}");
    assert_eq!(rows, facts + account.events.len(), "{text}");
    let missing = account.missing.sentences(account.node, account.graph).len() + account.node.blind.len();
    let lists = incident.files.len() + incident.peers.len() + account.hashes().len() + missing;
    assert_eq!(items, incident.stages.len() + lists, "{text}");
}

/// A flowchart, as a parser of Mermaid reads it, and in no more of its grammar than is written here: every line is a node, an
/// edge or a class.
fn mermaid(account: &Account<'_>, text: &str) {
    let sketch = picture(account);
    let read = merman_core::Engine::new().parse_diagram_sync(text, merman_core::ParseOptions::strict());
    let read = read.unwrap_or_else(|error| panic!("{error}: {text}")).expect("a diagram");
    let list = |name: &str| read.model[name].as_array().map(Vec::len);
    assert_eq!(read.meta.diagram_type, "flowchart-v2");
    assert_eq!((list("nodes"), list("edges")), (Some(sketch.nodes.len()), Some(sketch.edges.len())), "{text}");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("flowchart LR"));
    let mut nodes = HashSet::new();
    let number = |id: &str| id.strip_prefix('n').is_some_and(|n| n.parse::<usize>().is_ok());
    let words = |quoted: &str| {
        let inner = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"')).unwrap_or_else(|| panic!("{quoted}"));
        let without_breaks = inner.replace("<br/>", " ");
        let mut rest = without_breaks.as_str();
        while let Some(at) = rest.find(['#', '"', '<', '>', '`', '\\', '&', '{', '}', '|', '[', ']', ';']) {
            let code = rest[at..].strip_prefix('#').and_then(|code| code.split_once(';'));
            let (digits, after) = code.unwrap_or_else(|| panic!("{inner} holds {:?}", &rest[at..]));
            assert!(digits.parse::<u32>().is_ok_and(|c| char::from_u32(c).is_some()), "{digits}");
            rest = after;
        }
    };
    for line in lines {
        let line = line.strip_prefix("  ").unwrap_or_else(|| panic!("{line}"));
        if let Some((from, rest)) = line.split_once(" -->|") {
            let (label, to) = rest.rsplit_once("| ").unwrap_or_else(|| panic!("{line}"));
            words(label);
            assert!(nodes.contains(from) && nodes.contains(to), "{line}");
        } else if let Some(class) = line.strip_prefix("class ") {
            let (of, name) = class.split_once(' ').unwrap();
            assert!(name == "stage" && of.split(',').all(|id| nodes.contains(id)), "{line}");
        } else if line != "classDef stage stroke-width:3px" {
            let shapes = [("[[", "]]"), ("[/", "/]"), ("([", "])"), ("[", "]")];
            let start = line.find(['[', '(']).unwrap_or_else(|| panic!("{line}"));
            let (id, shape) = line.split_at(start);
            let inner = shapes.iter().find_map(|(open, close)| shape.strip_prefix(open)?.strip_suffix(close));
            words(inner.unwrap_or_else(|| panic!("{line}")));
            assert!((number(id) || id == "more") && nodes.insert(id), "{line}");
        }
    }
    assert!(nodes.len() > 10);
}

/// A graph in Graphviz's language, token by token; `tests/report.rs` lets Graphviz itself read one.
fn dot(account: &Account<'_>, text: &str) {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(c);
        if c == '"' {
            loop {
                match chars.next().expect("a string that does not end") {
                    '\\' => assert!(matches!(chars.next(), Some('n' | '"' | '\\')), "an escape that means something"),
                    '"' => break,
                    '\n' => panic!("a line feed in a string"),
                    _ => {}
                }
            }
            plain.push('"');
        }
    }
    let sketch = picture(account);
    let mut expected = String::new();
    for edge in &sketch.edges {
        // Writing to a String cannot fail.
        let _ = writeln!(expected, "  n{} -> n{} [label=\"\"];", edge.from, edge.to);
    }
    let edges: String = plain.lines().filter(|l| l.contains("->")).map(|l| l.to_owned() + "\n").collect();
    assert_eq!(edges, expected);
    assert!(plain.starts_with("digraph \"\" {\n") && plain.ends_with("}\n"), "{plain}");
    assert_eq!(plain.matches("shape=").count(), sketch.nodes.len());
}

fn json(account: &Account<'_>, text: &str) {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(value["incident"]["name"], account.incident.name);
    assert_eq!(value["events"].as_array().unwrap().len(), account.events.len());
    assert_eq!(text.lines().count(), 1);
}

/// As <https://github.com/mitre-attack/attack-navigator/blob/master/layers/LAYERFORMATv4_5.md> has it.
fn navigator(account: &Account<'_>, text: &str) {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    let keys: HashSet<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let known = [
        "name",
        "versions",
        "domain",
        "description",
        "techniques",
        "gradient",
        "showTacticRowBackground",
        "selectTechniquesAcrossTactics",
        "selectSubtechniquesWithParent",
    ];
    assert!(keys.iter().all(|key| known.contains(key)), "{keys:?}");
    assert_eq!((&value["versions"]["layer"], &value["domain"]), (&"4.5".into(), &"enterprise-attack".into()));
    assert!(value["name"].is_string() && value["gradient"]["colors"].as_array().unwrap().len() >= 2);
    let techniques = value["techniques"].as_array().unwrap();
    assert!(!techniques.is_empty() && techniques.len() <= account.incident.stages.len());
    for technique in techniques {
        assert!(technique["techniqueID"].is_string() && technique["tactic"].is_string());
        assert!(technique["score"].is_u64() && technique["comment"].is_string() && technique["enabled"].is_boolean());
    }
}
