//! What runtimes say, bounded. Whoever makes a container chooses most of it.

use std::path::Path;

use lanner_core::event::{ContainerInfo, HostMount, ImageName, Label, MAX_LISTED, PodName, Text};
use serde_json::Value;

/// Longer texts are cut.
const TEXT_MAX: usize = 1_024;

/// The labels that the kubelet puts on everything that it makes.
const POD_NAME: &str = "io.kubernetes.pod.name";
const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
const POD_UID: &str = "io.kubernetes.pod.uid";
const CONTAINER_NAME: &str = "io.kubernetes.container.name";
/// The annotation in which it says where it had a pod from.
pub(super) const SOURCE: &str = "kubernetes.io/config.source";

pub(super) fn text(text: &str) -> Text {
    Text::from(&text.as_bytes()[..text.len().min(TEXT_MAX)])
}

/// The text at a path of keys; empty when there is none.
pub(super) fn at(json: &Value, path: &[&str]) -> Text {
    let value = path.iter().try_fold(json, |value, key| value.get(key));
    value.and_then(Value::as_str).map(text).unwrap_or_default()
}

/// An object's texts.
pub(super) fn pairs(json: Option<&Value>) -> impl Iterator<Item = (&str, &str)> {
    let object = json.and_then(Value::as_object).into_iter().flatten();
    object.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

/// Puts labels into `info`: those of the kubelet say which pod it is, the others are the user's.
pub(super) fn label<'a>(info: &mut ContainerInfo, labels: impl Iterator<Item = (&'a str, &'a str)>) {
    let mut own: Vec<Label> = Vec::new();
    for (key, value) in labels {
        let pod = match key {
            CONTAINER_NAME => {
                info.name = text(value);
                continue;
            }
            POD_NAME | POD_NAMESPACE | POD_UID => info.pod.get_or_insert_default(),
            _ if ["io.kubernetes.", "io.cri-containerd", "io.containerd."].iter().any(|own| key.starts_with(own)) => {
                continue;
            }
            _ => {
                own.push(Label { key: text(key), value: text(value) });
                continue;
            }
        };
        match key {
            POD_NAME => pod.name = text(value),
            POD_NAMESPACE => pod.namespace = text(value),
            _ => pod.uid = text(value),
        }
    }
    info.labels = listed(own, &mut info.cut);
}

/// A pod's own labels, without those that its name is made of.
pub(super) fn pod_labels<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>, cut: &mut bool) -> Vec<Label> {
    let own = labels.filter(|(key, _)| !key.starts_with("io.kubernetes.pod."));
    listed(own.map(|(key, value)| Label { key: text(key), value: text(value) }).collect(), cut)
}

fn listed(mut labels: Vec<Label>, cut: &mut bool) -> Vec<Label> {
    labels.sort_by(|a, b| a.key.cmp(&b.key));
    *cut |= labels.len() > MAX_LISTED;
    labels.truncate(MAX_LISTED);
    labels
}

/// Puts mounts into `info`, without those that the kubelet makes for a pod: their folders are named after its uid.
pub(super) fn mount(info: &mut ContainerInfo, mounts: impl Iterator<Item = HostMount>) {
    let uid = info.pod.as_ref().map(|pod| pod.uid.clone()).filter(|uid| !uid.is_empty());
    let own = |mount: &HostMount| {
        let path = Path::new(std::ffi::OsStr::new(mount.host.to_str_lossy().as_ref())).to_owned();
        let uid = uid.as_ref().map(|uid| uid.to_str_lossy());
        mount.host.as_bytes().starts_with(b"/") && !uid.is_some_and(|uid| path.iter().any(|part| part == uid.as_ref()))
    };
    let mut mounts: Vec<HostMount> = mounts.filter(own).collect();
    info.cut |= mounts.len() > MAX_LISTED;
    mounts.truncate(MAX_LISTED);
    info.mounts = mounts;
}

/// An image's name of what a runtime calls it: a reference, and what the reference led to, which may be a digest in a
/// repository (`nginx@sha256:...`) or the image's own id.
pub(super) fn image(reference: &str, resolved: &str) -> ImageName {
    let digest = [resolved, reference].into_iter().find_map(|name| Some(name.split_once('@')?.1));
    let id = if resolved.contains('@') { "" } else { resolved };
    ImageName { reference: text(reference), digest: digest.map(text).unwrap_or_default(), id: text(id) }
}

/// A pod, when anything of it is known.
pub(super) fn pod(pod: PodName) -> Option<PodName> {
    (!pod.name.is_empty() || !pod.uid.is_empty()).then_some(pod)
}

/// Nanoseconds since 1970 of a time as RFC 3339 writes it, such as `2021-05-04T03:02:01.123456789Z`.
pub(super) fn time(stamp: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| stamp.get(range)?.parse::<i64>().ok();
    let [year, month, day] = [number(0..4)?, number(5..7)?, number(8..10)?];
    let [hour, minute, second] = [number(11..13)?, number(14..16)?, number(17..19)?];
    let rest = stamp.get(19..)?;
    let digits: String = rest.strip_prefix('.').unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    let nanos = format!("{digits:0<9}").get(..9)?.parse::<i64>().ok()?;
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = match zone.split_at_checked(1)? {
        ("Z", "") => 0,
        (sign @ ("+" | "-"), by) => {
            let (hours, minutes) = by.split_once(':')?;
            let by = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
            if sign == "+" { by } else { -by }
        }
        _ => return None,
    };
    // Days since 1970 of a date in the Gregorian calendar, with years that begin in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    u64::try_from(seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_zone() {
        let second = 1_000_000_000;
        for (stamp, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-11-23T21:50:05.046636349Z", Some(1_795_470_605 * second + 46_636_349)),
            ("2026-11-23T22:50:05+01:00", Some(1_795_470_605 * second)),
            ("2026-11-23T22:50:05.5-00:30", Some(1_795_476_005 * second + 500_000_000)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800 * second)),
            ("0001-01-01T00:00:00Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(time(stamp), expected, "{stamp}");
        }
    }

    #[test]
    fn the_kubelets_labels_name_the_pod_and_are_not_the_users() {
        let mut info = ContainerInfo::default();
        let all = [("app", "web"), (POD_NAME, "p"), (POD_NAMESPACE, "n"), (POD_UID, "u"), (CONTAINER_NAME, "c")];
        label(&mut info, all.into_iter().chain([("io.kubernetes.other", "x")]));
        assert_eq!(info.title().map(|t| t.to_string()).as_deref(), Some("n/p/c"));
        assert_eq!(info.labels, [Label { key: "app".into(), value: "web".into() }]);
        let mounts = ["/var/lib/kubelet/pods/u/etc-hosts", "/usr", "tmpfs"];
        let mounts = mounts.map(|host| HostMount { host: host.into(), ..HostMount::default() });
        mount(&mut info, mounts.into_iter());
        assert_eq!(info.mounts.iter().map(|m| m.host.to_string()).collect::<Vec<_>>(), ["/usr"]);
    }

    #[test]
    fn what_is_too_much_is_left_out_and_marked() {
        let many: Vec<(String, String)> = (0..100).map(|i| (format!("k{i:03}"), "x".repeat(5_000))).collect();
        let mut info = ContainerInfo::default();
        label(&mut info, many.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        assert!(info.cut);
        assert_eq!(info.labels.len(), MAX_LISTED);
        assert_eq!(info.labels[0].value.as_bytes().len(), TEXT_MAX);
    }

    #[test]
    fn an_images_digest_and_its_id_are_told_apart() {
        let of = |reference, resolved| image(reference, resolved);
        let pulled = of("nginx:1.25", "docker.io/library/nginx@sha256:aa");
        assert_eq!((pulled.digest.to_string(), pulled.id.to_string()), ("sha256:aa".to_owned(), String::new()));
        let local = of("localhost/busybox:1", "sha256:bb");
        assert_eq!((local.digest.to_string(), local.id.to_string()), (String::new(), "sha256:bb".to_owned()));
    }
}
