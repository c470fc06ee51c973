//! The report of the reference attack, as those read it who get it: a browser, Graphviz, a schema.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

use lanner_tests::{command, not_run, root};
use serde_json::Value;
use tempfile::TempDir;

fn report(format: &str) -> String {
    let out = command("lanner", &["report", "container-escape", "--format", format]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn the_same_recording_gives_the_same_report() {
    for format in ["md", "html", "json", "dot", "mermaid", "navigator"] {
        assert_eq!(report(format), report(format), "{format}");
    }
}

#[test]
fn the_story_is_told_in_every_format_that_tells_stories() {
    for format in ["md", "html", "json"] {
        let text = report(format);
        for words in ["Container escape to hidden static pod", "hack.yaml", "203.0.113.66:8080", "inc-188e1af0"] {
            assert!(text.contains(words), "{format} lacks {words}");
        }
    }
}

#[test]
fn the_object_follows_its_schema() {
    let schema = |name: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(root().join("docs/schema").join(name)).unwrap()).unwrap()
    };
    let lines = jsonschema::Resource::from_contents(schema("lines.json"));
    let registry = jsonschema::Registry::new().add("https://lanner.invalid/schema/lines.json", lines).unwrap();
    let registry = registry.prepare().unwrap();
    let schema = jsonschema::options().with_registry(&registry).build(&schema("report.json")).unwrap();
    let object: Value = serde_json::from_str(&report("json")).unwrap();
    let problems: Vec<String> = schema.iter_errors(&object).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let edges = object["picture"]["edges"].as_array().unwrap();
    let nodes = object["picture"]["nodes"].as_array().unwrap().len() as u64;
    assert!(edges.iter().all(|e| e["from"].as_u64().unwrap() < nodes && e["to"].as_u64().unwrap() < nodes));
    let mut wrong = object.clone();
    wrong["incident"]["severity"] = "harmless".into();
    assert!(!schema.is_valid(&wrong), "what the schema takes from lines.json counts");
}

#[test]
fn what_cannot_be_reported_is_said() {
    let says = |args: &[&str], status: i32, words: &str| {
        let out = command("lanner", args).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!((out.status.code(), out.stdout.is_empty()), (Some(status), true), "{said}");
        assert!(said.contains(words), "{said}");
    };
    says(&["report", "-"], 2, "read twice");
    says(&["report", "container-escape", "--incident", "inc-0"], 2, "inc-188e1af0");
    says(&["report", "nothing-like-it"], 2, "no file here");
}

#[test]
fn graphviz_reads_the_graph() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("attack.dot");
    fs::write(&path, report("dot")).unwrap();
    let Ok(out) = Command::new("dot").arg("-Tplain").arg(&path).output() else {
        return not_run("Graphviz is not installed (Debian: graphviz)");
    };
    assert!(out.status.success() && out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    let plain = String::from_utf8(out.stdout).unwrap();
    let object: Value = serde_json::from_str(&report("json")).unwrap();
    for (kind, list) in [("node ", "nodes"), ("edge ", "edges")] {
        let drawn = plain.lines().filter(|line| line.starts_with(kind)).count();
        assert_eq!(drawn, object["picture"][list].as_array().unwrap().len(), "{list}");
    }
}

/// What Chromium made of a page: the picture of it, what it said to its console, and the addresses that were asked for.
struct Rendered {
    pixels: Vec<u8>,
    console: Vec<String>,
    asked: Vec<String>,
}

/// Shows a page in headless Chromium, without any network; `None` when that cannot be done here.
fn chromium(folder: &Path, page: &Path, options: &[&str], out: &str) -> Option<Rendered> {
    let (log, made) = (folder.join("net.json"), folder.join(out));
    let mut command = Command::new("unshare");
    command.args(["--net", "--map-root-user", "--", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu"]);
    command.args(["--no-first-run", "--disable-background-networking", "--disable-component-update"]);
    command.args(["--hide-scrollbars", "--enable-logging=stderr", "--window-size=1200,900"]);
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    command.arg(format!("--log-net-log={}", log.display())).args(options);
    let how = if out.ends_with("pdf") { "print-to-pdf" } else { "screenshot" };
    command.arg(format!("--{how}={}", made.display())).arg(format!("file://{}", page.display()));
    let out = command.env("HOME", folder).output().ok()?;
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    let pixels = fs::read(&made).ok()?;
    let console = said.lines().filter(|line| line.contains(":CONSOLE") && line.contains("source: file:"));
    let console = console.map(str::to_owned).collect();
    let net = fs::read_to_string(&log).unwrap_or_default();
    let asked = net.split("\"url\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    // Chromium asks its makers for updates, whatever it is told, and talks to itself.
    const OWN: [&str; 7] = [".googleapis.com/", ".google.com/", ".gvt1.com/", "chrome", "devtools:", "file:", "data:"];
    let foreign =
        |url: &&str| !OWN.iter().any(|own| if own.starts_with('.') { url.contains(own) } else { url.starts_with(own) });
    Some(Rendered { pixels, console, asked: asked.filter(foreign).map(str::to_owned).collect() })
}

#[test]
fn a_browser_shows_the_page_in_light_and_dark_prints_it_and_asks_nobody() {
    let folder = TempDir::new().unwrap();
    let page = folder.path().join("report.html");
    fs::write(&page, report("html")).unwrap();
    let show = |page: &Path, options: &[&str], out: &str| chromium(folder.path(), page, options, out);
    let Some(light) = show(&page, &["--blink-settings=preferredColorScheme=1"], "light.png") else {
        return not_run("Chromium is not installed or cannot run (Debian: chromium)");
    };
    let dark = show(&page, &["--blink-settings=preferredColorScheme=0"], "dark.png").unwrap();
    let print = show(&page, &[], "report.pdf").unwrap();
    for rendered in [&light, &dark, &print] {
        assert_eq!((&rendered.console, &rendered.asked), (&Vec::new(), &Vec::new()));
    }
    let brightness = |png: &[u8]| {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        let pixels = &pixels[..frame.buffer_size()];
        pixels.iter().map(|p| u64::from(*p)).sum::<u64>() / pixels.len() as u64
    };
    let (light, dark) = (brightness(&light.pixels), brightness(&dark.pixels));
    assert!(light > 200 && dark < 110, "light {light}, dark {dark}");
    assert!(print.pixels.starts_with(b"%PDF-") && print.pixels.len() > 20_000, "{} bytes", print.pixels.len());

    // What the page must not do is seen when another one does it.
    let other = folder.path().join("other.html");
    let image = "<img src=\"http://127.0.0.1:9/x.png\">";
    fs::write(&other, format!("<!DOCTYPE html><title>x</title>{image}")).unwrap();
    let seen = show(&other, &[], "other.png").unwrap();
    assert!(seen.asked.iter().any(|url| url.contains("127.0.0.1:9")), "{:?}", seen.asked);
    let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'\">";
    fs::write(&other, format!("<!DOCTYPE html><title>x</title>{policy}{image}")).unwrap();
    let seen = show(&other, &[], "other.png").unwrap();
    assert!(!seen.console.is_empty(), "a breach of the policy is told");
}
