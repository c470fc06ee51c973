//! Docker: its interface, and the files that it keeps.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use lanner_core::event::{ContainerId, ContainerInfo, HostMount, HostNamespace, ToldBy};
use serde_json::Value;

use super::facts::{self, at};
use super::root::{Root, Socket};
use super::rpc::{ANSWER_MAX, PATIENCE, Silent};

/// What Docker tells at its socket (`GET /containers/ID/json`).
pub(super) fn ask(socket: &Socket, id: &ContainerId) -> Result<ContainerInfo, Silent> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if !id.0.as_bytes().iter().all(plain) {
        return Err(Silent::Unknown);
    }
    let answer = get(socket, &format!("/containers/{}/json", id.0)).map_err(|e| Silent::Failed(e.to_string()))?;
    let (status, body) = split(&answer).ok_or_else(|| Silent::Failed("its answer is no HTTP".to_owned()))?;
    match status {
        200 => {}
        404 => return Err(Silent::Unknown),
        other => return Err(Silent::Failed(format!("it answers with status {other}"))),
    }
    let json: Value = serde_json::from_slice(body).map_err(|e| Silent::Failed(e.to_string()))?;
    // It takes a name, or the beginning of an id, for the id.
    if at(&json, &["Id"]) != id.0 {
        return Err(Silent::Unknown);
    }
    let mut info = ContainerInfo { id: id.clone(), told_by: ToldBy::Runtime, ..ContainerInfo::default() };
    let mounts = json.get("Mounts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    describe(&mut info, &json, json.get("HostConfig").unwrap_or(&Value::Null), mounts.iter());
    Ok(info)
}

/// What Docker's files tell.
pub(super) fn read(root: &Root, data: &Path, id: &ContainerId) -> Result<ContainerInfo, Silent> {
    let folder = data.join("containers").join(id.0.to_str_lossy().as_ref());
    let file = |name: &str| -> Option<Value> { serde_json::from_slice(&root.read(&folder.join(name)).ok()?).ok() };
    let json = file("config.v2.json").ok_or(Silent::Unknown)?;
    let mut info = ContainerInfo { id: id.clone(), told_by: ToldBy::Files, ..ContainerInfo::default() };
    let mounts = json.get("MountPoints").and_then(Value::as_object);
    describe(
        &mut info,
        &json,
        &file("hostconfig.json").unwrap_or_default(),
        mounts.into_iter().flatten().map(|(_, m)| m),
    );
    Ok(info)
}

fn describe<'a>(info: &mut ContainerInfo, json: &Value, host: &Value, mounts: impl Iterator<Item = &'a Value>) {
    info.runtime = "docker".into();
    facts::label(info, facts::pairs(json.get("Config").and_then(|config| config.get("Labels"))));
    if info.name.is_empty() {
        info.name = facts::text(at(json, &["Name"]).to_str_lossy().trim_start_matches('/'));
    }
    info.image = facts::image(&at(json, &["Config", "Image"]).to_str_lossy(), &at(json, &["Image"]).to_str_lossy());
    info.created = facts::time(&at(json, &["Created"]).to_str_lossy());
    info.privileged = host.get("Privileged").and_then(Value::as_bool);
    let all = [
        (HostNamespace::Pid, "PidMode"),
        (HostNamespace::Net, "NetworkMode"),
        (HostNamespace::Ipc, "IpcMode"),
        (HostNamespace::Uts, "UTSMode"),
    ];
    let shared = all.into_iter().filter(|(_, mode)| at(host, &[mode]) == "host");
    info.host_namespaces = shared.map(|(namespace, _)| namespace).collect();
    let bound = mounts.filter(|mount| at(mount, &["Type"]) == "bind").map(|mount| HostMount {
        host: at(mount, &["Source"]),
        container: at(mount, &["Destination"]),
        read_only: mount.get("RW").and_then(Value::as_bool) == Some(false),
    });
    facts::mount(info, bound);
}

/// One request over HTTP/1.0, whose answer ends with the connection and comes in one piece.
fn get(socket: &Socket, path: &str) -> std::io::Result<Vec<u8>> {
    let begun = Instant::now();
    let mut stream = UnixStream::connect(socket.path())?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        let left = PATIENCE.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(std::io::Error::other("it does not answer"));
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut chunk)? {
            0 => return Ok(answer),
            n => answer.extend_from_slice(&chunk[..n]),
        }
        if answer.len() > ANSWER_MAX {
            return Err(std::io::Error::other("its answer is too long"));
        }
    }
}

/// The status and the body of an answer.
fn split(answer: &[u8]) -> Option<(u16, &[u8])> {
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.")?.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some((status, &answer[end + 4..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_split_into_status_and_body() {
        assert_eq!(split(b"HTTP/1.0 200 OK\r\nA: b\r\n\r\n{}"), Some((200, b"{}".as_slice())));
        assert_eq!(split(b"HTTP/1.1 404 Not Found\r\n\r\n"), Some((404, b"".as_slice())));
        assert_eq!(split(b"SSH-2.0\r\n\r\n"), None);
        assert_eq!(split(b"HTTP/1.0 200 OK\r\n"), None);
    }
}
