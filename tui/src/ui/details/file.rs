//! Everything known of a file.

use super::super::known::files::{Deed, FileNumber};
use super::super::scene::Scene;
use super::super::text::{grouped, shown};
use super::super::{when, words};
use super::Page;

pub(super) fn write(page: &mut Page, scene: &Scene<'_>, number: FileNumber) {
    let Some(touched) = scene.files.get(number) else {
        page.heading("File");
        page.fact("", "it is not known at the moment that is shown");
        return;
    };
    let file = &touched.file;
    page.heading(&format!("File {}", words::file(file)));
    if touched.is_dropped() {
        let style = page.look.warn();
        page.styled("mind", "it was executed after somebody had written it", style, None);
    }
    if let Some(before) = &touched.before {
        page.fact("was", &shown(before, 4_000));
    }
    if file.id.is_known() {
        page.fact("identity", &format!("device {:#x}, inode {}", file.id.dev, file.id.ino));
    } else {
        page.fact("identity", "unknown: it goes by its path");
    }
    if file.truncated {
        page.fact("", "the path is only its end: it is longer than the sensor reads");
    }
    if file.as_passed {
        page.fact("", "the path is as the caller gave it; the kernel's own was not to be had");
    }
    page.fact("last touched", &when::stamp(scene.node, touched.last));
    page.heading("What was done to it");
    let deeds: [(&str, Deed); 6] = [
        (if touched.created { "created" } else { "written" }, touched.written),
        ("executed", touched.executed),
        ("read", touched.read()),
        ("renamed", touched.renamed()),
        ("made exec.", touched.made_executable()),
        ("deleted", touched.deleted()),
    ];
    for (word, deed) in deeds {
        let Some(by) = deed.by else { continue };
        page.process(word, by, scene);
        page.event("", deed.seq, scene);
        if deed.times > 1 {
            page.fact("", &format!("{} times; this is the last", grouped(deed.times)));
        }
    }
}
