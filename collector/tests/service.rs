//! The whole wire: a scripted source, the hub, gRPC over a real socket, a client.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lanner_collector::hub::{Hub, Limits, Room, Subscribe};
use lanner_collector::service::{ListenError, Listener, serve};
use lanner_core::event::*;
use lanner_proto::address::Address;
use lanner_proto::client::{Client, ClientError, Follow};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

mod support;
use support::*;

/// A collector at work.
struct Collector {
    hub: Arc<Hub>,
    end: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

async fn collector(hub: Hub, address: &Address) -> Collector {
    let hub = Arc::new(hub);
    let listener = Listener::bind(address).await.expect("the address is free");
    let (end, ended) = oneshot::channel::<()>();
    let served = Arc::clone(&hub);
    let serving = tokio::spawn(async move {
        let end = async {
            let _ = ended.await;
        };
        serve(served, listener, end).await.expect("serving goes well");
    });
    Collector { hub, end, serving }
}

impl Collector {
    async fn stop(self) {
        self.hub.stop().expect("the source is well");
        self.end.send(()).expect("it serves");
        self.serving.await.expect("it ends in good order");
    }
}

async fn next(client: &mut Client) -> Batch {
    tokio::time::timeout(LONG, client.next()).await.expect("in time").expect("no error").expect("not the end")
}

async fn all(client: &mut Client) -> Vec<Batch> {
    let mut batches = Vec::new();
    while let Some(batch) = tokio::time::timeout(LONG, client.next()).await.expect("in time").expect("no error") {
        batches.push(batch);
    }
    batches
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_the_snapshot_and_every_event() {
    let folder = Folder::new();
    let address = Address::Unix(folder.join("run/l.sock"));
    let (script, hub) = hub(Limits::default());
    let mut early = hub.subscribe(Subscribe::default()).unwrap();
    script.give(vec![exec(1, 1, "/sbin/init"), fork(2, 1, 2), exec(3, 2, "/bin/sh")]);
    until(&mut early, 3);

    let collector = collector(hub, &address).await;
    let (info, mut client) = Client::connect(&address.to_string()).await.unwrap();
    assert_eq!(info, node());
    let snapshot = next(&mut client).await;
    assert!(snapshot.snapshot);
    assert_eq!((snapshot.events.len(), snapshot.first_seq, client.cursor()), (2, 4, None));
    let load = client.load().unwrap();
    assert!(load.now.0 > 0 && load.cpu > Duration::ZERO && load.memory > 1 << 20, "{load:?}");
    assert_eq!((load.room, client.load()), (Limits::default().queue.events as u64, None));
    script.give(noise(10, 5000));
    script.lose(LossCause::RingFull, 7);
    let mut batches = Vec::new();
    while news(&batches).last() != Some(&5003) {
        batches.push(next(&mut client).await);
    }
    collector.stop().await;
    batches.extend(all(&mut client).await);
    assert_eq!(news(&batches), (4..=5003).collect::<Vec<_>>());
    assert_eq!(lost(&batches, LossCause::RingFull), 7);
    assert_eq!(rest(&mut early).iter().map(|b| b.events.len()).sum::<usize>(), 5000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_told_exactly_what_it_missed() {
    let folder = Folder::new();
    let address = Address::Unix(folder.join("l.sock"));
    let (script, hub) = hub(Limits { queue: Room { events: 500, bytes: usize::MAX }, ..Limits::default() });
    let collector = collector(hub, &address).await;
    let (_, mut client) = Client::connect(&address.to_string()).await.unwrap();
    let mut watcher = collector.hub.subscribe(Subscribe::default()).unwrap();
    const EVENTS: u64 = 200_000;
    for start in (1..EVENTS).step_by(500) {
        script.give(noise(start, 500));
        until(&mut watcher, start + 499);
    }
    assert_eq!(collector.hub.stats().events, EVENTS);
    let mut batches = Vec::new();
    while news(&batches).last() != Some(&EVENTS) {
        batches.push(next(&mut client).await);
    }
    let missed = lost(&batches, LossCause::SlowClient);
    assert!(missed > 0, "the connection alone cannot hold {EVENTS} events");
    assert_eq!(news(&batches).len() as u64 + missed, EVENTS);
    assert!(news(&batches).is_sorted());
    assert_eq!(collector.hub.stats().turned_away, missed);
    collector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_returns_misses_nothing() {
    let folder = Folder::new();
    let address = Address::Unix(folder.join("l.sock"));
    let (script, hub) = hub(Limits::default());
    let collector = collector(hub, &address).await;
    let (_, mut client) = Client::connect(&address.to_string()).await.unwrap();
    assert!(next(&mut client).await.snapshot);
    script.give(noise(1, 10));
    let mut batches = Vec::new();
    while news(&batches).len() < 10 {
        batches.push(next(&mut client).await);
    }
    let cursor = client.cursor();
    assert_eq!(cursor.map(|cursor| cursor.seq), Some(11));
    drop(client);
    script.give(noise(11, 10));
    let follow = Follow { cursor, ..Follow::default() };
    let (_, mut client) = Client::follow(address, follow).await.unwrap();
    while news(&batches).len() < 20 {
        batches.push(next(&mut client).await);
    }
    assert_eq!(news(&batches), (1..=20).collect::<Vec<_>>());
    assert!(batches.iter().all(|batch| !batch.snapshot));
    collector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_choose_and_bad_ones_are_explained() {
    let folder = Folder::new();
    let address = Address::Unix(folder.join("l.sock"));
    let (script, hub) = hub(Limits::default());
    let collector = collector(hub, &address).await;
    let filter = |text: &str| Follow { filter: text.into(), cursor: None };
    let error = Client::follow(address.clone(), filter("proc.nme = sh")).await.unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with("the filter is not valid: ") && said.contains("proc.nme"), "{said}");
    assert!(matches!(error, ClientError::Filter(_)));
    let error = Client::follow(address.clone(), filter(&"x".repeat(1 << 20))).await.unwrap_err();
    assert!(error.to_string().contains("longer than"), "{error}");

    let (_, mut client) = Client::follow(address, filter(" lanner.event = exec ")).await.unwrap();
    assert!(next(&mut client).await.snapshot);
    script.give(vec![fork(1, 1, 2), exec(2, 2, "/bin/a"), exit(3, 2), exec(4, 1, "/bin/b")]);
    let mut batches = Vec::new();
    while news(&batches).len() < 2 {
        batches.push(next(&mut client).await);
    }
    assert_eq!(news(&batches), [2, 4]);
    collector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_fails_or_is_full_says_so_to_its_clients() {
    let folder = Folder::new();
    let address = Address::Unix(folder.join("l.sock"));
    let (script, hub) = hub(Limits { subscribers: 1, ..Limits::default() });
    let collector = collector(hub, &address).await;
    let (_, mut client) = Client::connect(&address.to_string()).await.unwrap();
    let error = Client::connect(&address.to_string()).await.unwrap_err();
    assert!(error.to_string().contains("has 1 clients and takes no more"), "{error}");
    assert!(next(&mut client).await.snapshot);
    script.step(Step::Fail("the sensor is gone"));
    tokio::time::timeout(LONG, collector.hub.over()).await.unwrap();
    let error = client.next().await.unwrap_err();
    assert!(error.to_string().contains("went away: the sensor is gone"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_nobody_to_talk_to_is_told_what_to_do() {
    let folder = Folder::new();
    let missing = Client::connect(&format!("unix://{}", folder.join("none.sock").display())).await.unwrap_err();
    assert!(missing.to_string().contains("no such socket; start one with `sudo lannerd`"), "{missing}");
    drop(UnixListener::bind(folder.join("dead.sock")).unwrap());
    let dead = Client::connect(&format!("unix://{}", folder.join("dead.sock").display())).await.unwrap_err();
    assert!(dead.to_string().contains("nobody listens there"), "{dead}");
    let far = Client::connect("http://192.0.2.1:4317").await.unwrap_err();
    assert!(far.to_string().contains("TLS"), "{far}");
}

#[tokio::test(flavor = "multi_thread")]
async fn loopback_tcp_works_too() {
    let (script, hub) = hub(Limits::default());
    let hub = Arc::new(hub);
    let any = "http://127.0.0.1:0".parse().unwrap();
    let listener = Listener::bind(&any).await.unwrap();
    let address = listener.address().clone();
    assert!(matches!(Listener::bind(&address).await, Err(ListenError::InUse(_))));
    let (end, ended) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(Arc::clone(&hub), listener, async {
        let _ = ended.await;
    }));
    let (_, mut client) = Client::connect(&address.to_string()).await.unwrap();
    assert!(next(&mut client).await.snapshot);
    script.give(noise(1, 1));
    assert_eq!(news(&[next(&mut client).await]), [1]);
    hub.stop().unwrap();
    end.send(()).unwrap();
    serving.await.unwrap().unwrap();
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777
}

#[tokio::test]
async fn the_socket_is_the_owners_alone_and_goes_away() {
    let folder = Folder::new();
    let path = folder.join("made/for/l.sock");
    let address = Address::Unix(path.clone());
    let listener = Listener::bind(&address).await.unwrap();
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(listener.address(), &address);
    drop(listener);
    assert!(!path.exists());
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_dead_collectors_socket_is_replaced_and_nothing_else() {
    let folder = Folder::new();
    let path = folder.join("l.sock");
    let address = Address::Unix(path.clone());
    drop(UnixListener::bind(&path).unwrap());
    let listener = Listener::bind(&address).await.unwrap();

    let error = Listener::bind(&address).await.unwrap_err();
    assert!(matches!(&error, ListenError::InUse(_)) && error.to_string().contains("another collector"), "{error}");
    assert!(std::fs::metadata(&path).unwrap().file_type().is_socket());

    // Another one has taken its place: its end leaves that alone.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "precious").unwrap();
    drop(listener);
    let error = Listener::bind(&address).await.unwrap_err();
    assert!(matches!(&error, ListenError::NoSocket(_)), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}
