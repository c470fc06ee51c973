//! The folder in which podman and CRI-O keep their containers: a list of their names, and a bundle each.

use std::path::Path;

use lanner_core::event::{ContainerId, ContainerInfo, ToldBy};
use serde_json::Value;

use super::bundle;
use super::facts::{self, at};
use super::root::Root;
use super::rpc::Silent;

/// What the folder tells of a container.
pub(super) fn ask(root: &Root, folder: &Path, id: &ContainerId) -> Result<ContainerInfo, Silent> {
    let list = root.read(&folder.join("containers.json")).map_err(|e| Silent::Failed(e.to_string()))?;
    let list: Value = serde_json::from_slice(&list).map_err(|e| Silent::Failed(e.to_string()))?;
    let entry = list.as_array().into_iter().flatten().find(|entry| at(entry, &["id"]) == id.0);
    let entry = entry.ok_or(Silent::Unknown)?;
    let config = folder.join(id.0.to_str_lossy().as_ref()).join("userdata/config.json");
    let known = root.read(&config).ok().and_then(|config| bundle::read(id, &config));
    let mut info = known.unwrap_or_default();
    listed(&mut info, id, entry);
    Ok(info)
}

/// Fills in what the list tells.
fn listed(info: &mut ContainerInfo, id: &ContainerId, entry: &Value) {
    info.id = id.clone();
    info.told_by = ToldBy::Files;
    if info.runtime.is_empty() {
        info.runtime = "podman".into();
    }
    // In a string of its own.
    let more: Value = entry
        .get("metadata")
        .and_then(Value::as_str)
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    if info.name.is_empty() {
        let first = entry.get("names").and_then(|names| names.get(0)).and_then(Value::as_str);
        info.name = first.map(facts::text).unwrap_or_default();
    }
    if info.image.reference.is_empty() {
        info.image.reference = at(&more, &["image-name"]);
    }
    if info.image.id.is_empty() {
        info.image.id = at(entry, &["image"]);
    }
    info.created = info.created.or_else(|| facts::time(&at(entry, &["created"]).to_str_lossy()));
}
